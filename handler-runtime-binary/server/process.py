"""One process for each invocation: the body is its standard input, its standard output is the answer."""

import os
import re
import select
import signal
import sys
import threading

from _tinyfaas_runtime.http_message import BYTES, TEXT, Answer, checked_fields, checked_status
from _tinyfaas_runtime.http_server import Gone, failed

CONCURRENCY = "CONCURRENCY"
DEFAULT_CONCURRENCY = 8
MAX_CONCURRENCY = 64
WAIT_SECONDS = 5
RETRY_SECONDS = 1
MAX_ANSWER_HEAD = 16 * 1024
MAX_LINE = 8 * 1024
PIPE = 64 * 1024
ANSWER_HEAD = 3  # the descriptor to which a process may write its answer's status and headers

# A client could make every program in the process use a proxy of its own (CVE-2016-5385).
_NO_VARIABLES = frozenset(("proxy",))


class Failure(Exception):
    """The process failed; the message is for the caller, and for the log where it is not a line of that already."""

    is_logged = False


class Processes:
    """Runs a command for each invocation, at most so many at once as the function's variable CONCURRENCY says."""

    def __init__(self, command, max_answer):
        self._command = command
        self._max_answer = max_answer
        self._room = threading.BoundedSemaphore(_concurrency())

    def invoke(self, request):
        if not self._room.acquire(timeout=WAIT_SECONDS):
            return Answer.text(503, "The function is busy.", ("Retry-After", str(RETRY_SECONDS)))
        try:
            return _Process(request, self._max_answer).run(self._command)
        except Failure as failure:
            if not failure.is_logged:
                print(failure, file=sys.stderr, flush=True)
            return failed(str(failure))
        finally:
            self._room.release()


def _concurrency():
    text = os.environ.get(CONCURRENCY) or str(DEFAULT_CONCURRENCY)
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_CONCURRENCY:
        sys.exit(f'{CONCURRENCY} is "{text}": give how many processes may run at once, 1 to {MAX_CONCURRENCY}.')
    return int(text)


def environment(request):
    """The request as CGI names it (RFC 3875, 4.1) and the handler's own variables, which no request overrides."""
    variables = {"GATEWAY_INTERFACE": "CGI/1.1", "CONTENT_LENGTH": str(len(request.body))}
    for name, value in request.fields:
        if "_" not in name and name.lower() not in _NO_VARIABLES:  # X_tinyFaaS_Peer would pass for X-tinyFaaS-Peer
            variable = "HTTP_" + name.upper().replace("-", "_")
            variables[variable] = f"{variables[variable]}, {value}" if variable in variables else value
    variables["REQUEST_METHOD"] = request.field("x-tinyfaas-method") or "POST"
    variables["PATH_INFO"] = request.field("x-tinyfaas-path") or ""
    variables["QUERY_STRING"] = request.field("x-tinyfaas-query") or ""
    variables["CONTENT_TYPE"] = request.field("content-type") or ""
    variables["REMOTE_ADDR"] = (request.field("x-tinyfaas-peer") or "").rpartition(":")[0].strip("[]")
    return {**variables, **os.environ}


class _Process:
    """A process and its pipes, which one thread watches all at once: no pipe that is full can block it."""

    def __init__(self, request, max_answer):
        self._request = request
        self._max_answer = max_answer
        self._input = memoryview(request.body)
        self._answer = bytearray()
        self._answer_head = bytearray()
        self._line = bytearray()
        self._last_line = b""
        self._poll = select.poll()
        self._ready = {}  # what is done when a descriptor is ready, by descriptor; all of them are closed in the end
        self._pid = None
        self._exited = False

    def run(self, command):
        self._poll.register(self._request.connection, select.POLLRDHUP)
        if self._poll.poll(0):
            raise Gone  # while this call waited for its turn
        try:
            self._start(command)
            while not self._exited:
                self._do_what_is_next()
            self._end()
            for descriptor, read in list(self._ready.items()):  # what is left in the pipes
                while descriptor in self._ready and read(descriptor):
                    pass
            return self._answered(os.waitstatus_to_exitcode(self._status))
        finally:
            if self._pid is not None:
                self._end()
            for descriptor in list(self._ready):
                self._close(descriptor)

    def _start(self, command):
        pipes = [os.pipe() for _ in range(4)]
        theirs = [pipe[number != 0] for number, pipe in enumerate(pipes)]
        mine = [pipe[number == 0] for number, pipe in enumerate(pipes)]
        for descriptor, ready in zip(mine, (self._write, self._read_answer, self._read_error, self._read_head)):
            os.set_blocking(descriptor, False)
            self._watch(descriptor, select.POLLOUT if ready == self._write else select.POLLIN, ready)
        try:
            self._pid = os.posix_spawn(
                command[0],
                command,
                environment(self._request),
                file_actions=[(os.POSIX_SPAWN_DUP2, its, number) for number, its in enumerate(theirs)],
                setsid=True,  # a group of its own, to be killed as a whole
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # which Python ignores
            )
        except OSError as error:
            raise Failure(f"The function cannot be run: {error.strerror}") from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._watch(os.pidfd_open(self._pid), select.POLLIN, self._note_exit)

    def _watch(self, descriptor, events, ready):
        self._ready[descriptor] = ready
        self._poll.register(descriptor, events)

    def _close(self, descriptor):
        del self._ready[descriptor]
        self._poll.unregister(descriptor)
        os.close(descriptor)

    def _do_what_is_next(self):
        for descriptor, _ in self._poll.poll():
            if descriptor in self._ready:
                self._ready[descriptor](descriptor)
            else:
                print("Killed: nobody waits for the answer any more, as its timeout has passed.", file=sys.stderr, flush=True)
                raise Gone

    def _note_exit(self, _):
        self._exited = True

    def _end(self):
        """Kills all that runs of the process' group, also what it left in the background."""
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        _, self._status = os.waitpid(self._pid, 0)
        self._pid = None

    def _write(self, descriptor):
        try:
            self._input = self._input[os.write(descriptor, self._input[:PIPE]) :] if self._input else self._input
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._input = self._input[:0]  # it does not want the rest
        if not self._input:
            self._close(descriptor)
        return False

    def _read(self, descriptor):
        """Some bytes; none if there are none now or, with the descriptor closed, ever."""
        try:
            some = os.read(descriptor, PIPE)
        except BlockingIOError:
            return b""
        if not some:
            self._close(descriptor)
        return some

    def _read_answer(self, descriptor):
        some = self._read(descriptor)
        self._answer += some
        if len(self._answer) > self._max_answer:
            raise Failure(f"The answer is larger than {self._max_answer} bytes.")
        return some

    def _read_head(self, descriptor):
        some = self._read(descriptor)
        self._answer_head += some
        if len(self._answer_head) > MAX_ANSWER_HEAD:
            raise Failure(f"The answer's headers are larger than {MAX_ANSWER_HEAD} bytes.")
        return some

    def _read_error(self, descriptor):
        """Passes standard error on to the log, by whole lines since others write there, too."""
        some = self._read(descriptor)
        self._line += some
        cut = self._line.rfind(b"\n") + 1
        if cut == 0 and (len(self._line) >= MAX_LINE or (not some and self._line)):
            self._line += b"\n"
            cut = len(self._line)
        if cut > 0:
            lines = bytes(self._line[:cut])
            del self._line[:cut]
            self._last_line = next((line for line in reversed(lines.split(b"\n")) if line.strip()), self._last_line)
            os.write(2, lines)
        return some

    def _answered(self, exit_code):
        if exit_code != 0:
            if self._last_line:
                failure = Failure(self._last_line.decode("utf-8", "replace"))
                failure.is_logged = True
                raise failure
            if exit_code < 0:
                raise Failure(f"The function was ended by {signal.Signals(-exit_code).name}.")
            raise Failure(f"The function ended with exit code {exit_code}.")
        status, fields = 200, []
        for line in self._answer_head.decode("utf-8", "replace").splitlines():
            name, colon, value = line.partition(":")
            if not colon:
                raise Failure(f"The answer has the header {line[:60]!r}, which is not written as Name: value.")
            if name.lower() == "status":
                status = int(value) if value.strip().isdecimal() else value.strip()
            else:
                fields.append((name, value.strip()))
        body = bytes(self._answer)
        try:
            return Answer(checked_status(status), checked_fields(fields, _type_of(body)), body)
        except ValueError as error:
            raise Failure(str(error)) from error


def _type_of(body):
    if not body:
        return None
    try:
        body.decode()
        return TEXT
    except UnicodeDecodeError:
        return BYTES
