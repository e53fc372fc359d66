"""The handler contract (contract/handler-http.md): GET /health and POST /fn, on a Unix socket or TCP port 8000.

Each connection has a thread, which reads a request, has it answered, and only then reads the next: pipelined requests are
answered in order, and what a connection can hold is one request. The gateway keeps up to 64 connections.
"""

import os
import re
import signal
import socket
import sys
import threading
import time

from .http_message import Answer, Refused, RequestReader

PORT = 8000
BACKLOG = 1024
MAX_CONNECTIONS = 128  # of the 256 processes and threads that a handler may have
MAX_MESSAGE = 200
LINGER_SECONDS = 2
STOPPING = (signal.SIGTERM, signal.SIGINT)


class Gone(Exception):
    """Raised by a function's invocation when nobody waits for the answer any more."""


def max_body():
    text = os.environ.get("TINYFAAS_MAX_BODY") or "1048576"
    if not re.fullmatch(r"[0-9]{1,15}", text):
        sys.exit(f'TINYFAAS_MAX_BODY is "{text}": give the number of bytes, such as 1048576.')
    return int(text)


def one_line(message):
    """At most 200 characters without line breaks, fit to be sent to a caller."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", message[: 4 * MAX_MESSAGE]).strip()[:MAX_MESSAGE]


def failed(message):
    return Answer.text(500, one_line(message) or "The function failed.")


class HandlerServer:
    def __init__(self):
        """From here on SIGTERM ends the process: at once while the function is loaded, gracefully while it is served.

        Process 1 has no default action for signals, and this may be process 1.
        """
        self._listener = None
        self._draining = False
        self._lock = threading.Lock()
        self._connections = {}  # of each open one its reader
        for number in STOPPING:
            signal.signal(number, self._stop)
        self._forking = threading.local()
        os.register_at_fork(before=self._fork, after_in_parent=self._unblock, after_in_child=self._forked)

    def _fork(self):
        """A signal that comes to the new process while it still has this one's handlers would be lost, so it waits."""
        self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)

    def _unblock(self):
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _forked(self):
        """In a process that the function has forked (multiprocessing does): it is none that serves, and ends as any other.

        Its copies of the sockets are closed, so that none outlives the handler's; shut down, the handler's would be, too.
        """
        for number in STOPPING:
            signal.signal(number, signal.SIG_DFL)
        self._unblock()
        sockets = [*self._connections, *([self._listener] if self._listener else [])]
        self._listener = None
        self._lock = threading.Lock()  # another thread may have had it
        self._connections = {}
        for one in sockets:
            one.close()

    def _stop(self, _number, _frame):
        if self._listener is None:
            os._exit(0)
        if not self._draining:
            self._draining = True
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept

    def serve(self, invoke):
        """Serves the function until SIGTERM, finishes the requests that have been read, and ends the process with 0.

        `invoke` takes a Request and returns an Answer; it is called by many threads at once.
        """
        limit = max_body()
        self._listener = self._listen()
        while not self._draining:
            if len(self._connections) >= MAX_CONNECTIONS:
                time.sleep(0.01)  # the next ones wait in the backlog
                continue
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if not self._draining:
                    print(f"A connection cannot be accepted: {error}", file=sys.stderr)
                    time.sleep(0.1)
                continue
            self._start(connection, limit, invoke)
        self._drain()

    @staticmethod
    def _listen():
        path = os.environ.get("TINYFAAS_SOCKET")
        try:
            if not path:
                return socket.create_server(("", PORT), backlog=BACKLOG)
            if os.path.lexists(path):
                os.unlink(path)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            os.chmod(path, 0o777)  # the gateway is another user, and connecting takes the right to write
            listener.listen(BACKLOG)
            return listener
        except OSError as error:
            sys.exit(f"The handler cannot listen on {path or f'TCP port {PORT}'}: {error}")

    def _start(self, connection, limit, invoke):
        reader = RequestReader(connection, limit)
        with self._lock:
            self._connections[connection] = reader
        try:
            threading.Thread(target=self._connection, args=(connection, reader, invoke), daemon=True).start()
        except RuntimeError as error:  # the function's own threads have used up the limit
            print(f"A connection cannot be served: {error}", file=sys.stderr)
            self._end(connection)

    def _connection(self, connection, reader, invoke):
        try:
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := reader.read()) is not None:
                _send(connection, _answer(request, invoke), request.method != "HEAD")
                if not request.keep or (self._draining and not reader.buffer):
                    break
        except Refused as refused:
            _refuse(connection, refused)
        except (OSError, Gone):
            pass  # the gateway has closed the connection: it is stopped, or the function's timeout has passed
        finally:
            self._end(connection)

    def _end(self, connection):
        with self._lock:
            self._connections.pop(connection, None)  # in a process that was forked it is gone already
        connection.close()

    def _drain(self):
        """Idle connections are closed; the others close behind what they have read."""
        self._listener.close()
        while self._connections:
            with self._lock:
                for connection, reader in self._connections.items():
                    if not reader.busy:
                        _stop_reading(connection)
            time.sleep(0.005)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # threads that the function started do not keep its handler


def _stop_reading(connection):
    try:
        connection.shutdown(socket.SHUT_RD)  # what has come already can still be read
    except OSError:
        pass  # closed by the other side


def _answer(request, invoke):
    route = (request.method, request.target)
    if route == ("POST", "/fn"):
        try:
            return invoke(request)
        except Gone:
            raise
        except BaseException as error:  # SystemExit, too: the handler lives on
            _log(error)
            return failed(_message(error))
    if route == ("GET", "/health"):
        return Answer.text(200, "healthy")
    return Answer.text(404, "A handler answers POST /fn and GET /health only.")


def _message(error):
    try:
        return str(error) or type(error).__name__
    except BaseException:
        return type(error).__name__


def _log(error):
    import traceback  # costs memory, and most handlers never need it

    try:
        # Without this file's own frame.
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__.tb_next, limit=50))
    except BaseException:
        text = f"{type(error).__name__}: an error that cannot be printed\n"
    sys.stderr.write(text)
    sys.stderr.flush()


def _send(connection, answer, with_body):
    head, body = answer.head(), answer.body
    if not with_body or answer.status in (204, 304):
        connection.sendall(head)
    elif len(body) < 16 * 1024:
        connection.sendall(head + body)
    else:
        connection.sendall(head)
        connection.sendall(body)


def _refuse(connection, refused):
    """Answers and closes. What still comes is thrown away for a moment: closing with unread bytes would destroy the answer."""
    try:
        _send(connection, Answer.text(refused.status, str(refused), ("Connection", "close")), True)
        connection.shutdown(socket.SHUT_WR)
        end = time.monotonic() + LINGER_SECONDS
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(64 * 1024):
                break
    except OSError:
        pass
