"""What a function can ask of the box: calling another function. `import tinyfaas`; see ../README.md."""

import os
import re
import socket
import sys
import threading
import time

from _tinyfaas_runtime import serving
from _tinyfaas_runtime.http_message import BYTES, TEXT, AnswerReader, Refused, checked_fields
from _tinyfaas_runtime.http_server import max_body

__all__ = ["call", "call_async", "Answer", "CallError"]

MAX_CONNECTIONS = 16
MAX_IDLE_SECONDS = 10  # the gateway keeps connections for longer, so that none is used while it is being closed
DEFAULT_SECONDS = 60  # where nobody says until when he waits
GRACE_SECONDS = 1  # the gateway knows better what took so long, and answers at the deadline: it is given the time to
PROBLEM = "urn:tinyfaas:problem:"
DEADLINE = "x-tinyfaas-deadline"
OF_THE_CONNECTION = frozenset(("host", "expect"))


class CallError(Exception):
    """There is no answer of the function: `status` and `type` are those of the gateway's problem, None where it said nothing."""

    def __init__(self, message, status=None, type=None):
        super().__init__(message)
        self.status = status
        self.type = type


class Answer:
    """`headers` by names like Content-Type, `body` as bytes; `call` is the ID of a durable call that has been accepted, else None."""

    __slots__ = ("status", "headers", "body", "call")

    def __init__(self, status, fields, body):
        self.status = status
        self.headers = {}
        for name, value in fields:
            name = "-".join(part.capitalize() for part in name.split("-"))
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.body = body
        accepted = re.fullmatch("/calls/([^/?]+)", self.headers.get("Location", "")) if status == 202 else None
        self.call = accepted and accepted[1]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        import json

        return json.loads(self.body)


def call(name, body=None, *, path="", method="POST", headers=None, durable=False, delay=None, idempotency_key=None, timeout=None):
    """Calls the function `name` and returns what it answers, whatever its status. Raises CallError where there is no answer of it.

    `body` is text, bytes, nothing, or what is sent as JSON; `timeout` in seconds. A durable call is on disk when the answer (202) comes,
    and runs once at least; `delay` is as "10s".
    """
    if not serving.may_call:
        raise CallError(f'This function may call no others. Name those that it calls in its specification: "calls": ["{name}"].')
    if _runs_in_an_event_loop():
        raise RuntimeError("In an async def, call would hold up all others: await tinyfaas.call_async(…) instead.")
    if not isinstance(name, str) or not name:
        raise ValueError('A call wants the name of a function: tinyfaas.call("alarm").')
    if not re.fullmatch(r"(?:[/?][\x21-\x7e]*)?", path):
        raise ValueError(f"The path {path!r} does not begin with a slash, or is not percent-encoded.")
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", method) or method.upper() == "CONNECT":
        raise ValueError(f"A function cannot be called with the method {method!r}.")
    if not durable and (delay, idempotency_key) != (None, None):
        raise ValueError("delay and idempotency_key are for durable calls: add durable=True.")
    if timeout is not None and not timeout > 0:
        raise ValueError("timeout is a number of seconds above 0.")

    content_type, body = _encoded(body)
    if len(body) > _limit:
        raise CallError(f"{name} is not called: the body has {len(body)} bytes, and may have {_limit}.")
    passed_on = serving.passed_on()
    seconds = _seconds_left(name, passed_on.get(DEADLINE), timeout)
    own_deadline = None if timeout is None else int((time.time() + seconds) * 1000)
    asked = {"Prefer": "respond-async" if durable else None, "X-tinyFaaS-Delay": delay, "Idempotency-Key": idempotency_key, "X-tinyFaaS-Deadline": own_deadline}
    fields = _fields(headers or {}, passed_on, asked)
    lines = [f"{method} /functions/{_percent_encoded(name)}{path} HTTP/1.1", "Host: box", f"Content-Length: {len(body)}"]
    lines += [f"{key}: {value}" for key, value in checked_fields(fields, content_type if body else None)]
    request = "\r\n".join([*lines, "\r\n"]).encode("latin-1") + body
    return _answer(name, *_exchange(name, method, request, seconds, durable and idempotency_key is not None))


async def call_async(name, body=None, **options):
    """The same for an `async def`: others go on while it waits."""
    import asyncio
    import contextvars

    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_threads(), lambda: context.run(call, name, body, **options))


def _threads():
    global _executor
    if _executor is None:
        import concurrent.futures

        _executor = concurrent.futures.ThreadPoolExecutor(MAX_CONNECTIONS, "call")
    return _executor


def _runs_in_an_event_loop():
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def _fields(headers, passed_on, asked):
    """A function may have a trace of its own, but deadline and depth are the gateway's to say."""
    fields = {key.lower(): (key, value) for key, value in headers.items() if key.lower() not in OF_THE_CONNECTION}
    for key, value in passed_on.items():
        if key not in fields or not key.startswith("trace"):
            fields[key] = (key, value)
    for key, value in asked.items():
        if value is not None:
            fields[key.lower()] = (key, value)
    return fields.values()


def _percent_encoded(name):
    return re.sub(rb"[^A-Za-z0-9._~-]", lambda match: b"%%%02X" % match[0][0], name.encode()).decode()


def _encoded(body):
    if body is None:
        return None, b""
    if isinstance(body, str):
        return TEXT, body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return BYTES, bytes(body)
    import json

    return "application/json", json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _seconds_left(name, deadline, timeout):
    try:
        left = DEFAULT_SECONDS if deadline is None else int(deadline) / 1000 - time.time()
    except ValueError:
        left = DEFAULT_SECONDS
    if left <= 0:
        raise CallError(f"{name} is not called: nobody waits for this invocation any more, its time is over.")
    return min(left, left if timeout is None else timeout, threading.TIMEOUT_MAX - GRACE_SECONDS)


class _Connection(AnswerReader):
    def __init__(self, path, limit):
        self.socket = socket.socket(socket.AF_UNIX)
        super().__init__(self.socket, limit)
        self._path = path
        self.idle_since = None
        self.has_received = False

    def connect(self, end):
        self._bound(end)
        self.socket.connect(self._path)

    def is_usable(self):
        """The other side has neither closed it nor said anything."""
        if time.monotonic() - self.idle_since > MAX_IDLE_SECONDS or self.buffer:
            return False
        try:
            self.socket.settimeout(0)
            self.socket.recv(1)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def send(self, request, end):
        self._bound(end)
        self.socket.sendall(request)

    def receive(self, method, end):
        self._end = end
        self.has_received = False
        return self.read_answer(method)

    def _receive(self):
        self._bound(self._end)
        super()._receive()
        self.has_received = True

    def _bound(self, end):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)


class _Connections:
    """Those to the gateway: at most 16, others wait for one of them."""

    def __init__(self):
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._idle = []

    def take(self, seconds):
        """One that was kept, or a new one that is not yet connected."""
        if not self._free.acquire(timeout=seconds):
            raise TimeoutError
        try:
            while self._idle:
                try:
                    connection = self._idle.pop()
                except IndexError:  # another thread was faster
                    break
                if connection.is_usable():
                    return connection
                connection.socket.close()
            return self.new()
        except BaseException:
            self._free.release()
            raise

    @staticmethod
    def new():
        return _Connection(os.environ["TINYFAAS_CALLS_SOCKET"], _limit)

    def give_back(self, connection, is_kept):
        if is_kept:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.socket.close()
        self._free.release()

    def close_idle(self):
        while self._idle:
            self._idle.pop().socket.close()


def _exchange(name, method, request, seconds, is_repeatable):
    """Status, fields and body. The time counts from here on, waiting for a connection included."""
    end = time.monotonic() + seconds + GRACE_SECONDS
    connection = keeps = None
    try:
        connection = _connections.take(end - time.monotonic())
        if connection.idle_since is not None:
            try:
                *answer, keeps = _sent(connection, method, request, end)
                return answer
            except TimeoutError:
                raise
            except (EOFError, OSError) as error:
                if connection.has_received or not (is_repeatable or isinstance(error, _NotSent)):
                    raise
                connection.socket.close()
                connection = _connections.new()
        try:
            connection.connect(end)
        except TimeoutError:
            raise
        except OSError as error:
            raise CallError(f"{name} is not called: the gateway cannot be reached ({error.strerror}). It may be starting anew.") from error
        *answer, keeps = _sent(connection, method, request, end)
        return answer
    except TimeoutError:
        raise CallError(f"{name} has not answered in time.") from None
    except Refused as refused:
        raise CallError(f"The answer of {name} cannot be taken. {refused}") from None
    except (EOFError, OSError) as error:
        if connection.has_received:
            raise CallError(f"The answer of {name} was cut short.") from error
        raise CallError(f"The gateway has closed the connection before {name} answered, which may have run.") from error
    finally:
        if connection is not None:
            _connections.give_back(connection, keeps)


class _NotSent(OSError):
    """The connection did not take the request whole, so that nobody can have run it."""


def _sent(connection, method, request, end):
    connection.has_received = False
    try:
        connection.send(request, end)
    except TimeoutError:
        raise
    except OSError as error:
        raise _NotSent(*error.args) from error
    return connection.receive(method, end)


def _answer(name, status, fields, body):
    """A status of the called function is an answer, a problem of the gateway is none."""
    answer = Answer(status, fields, body)
    if status < 400 or not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return answer
    try:
        problem = answer.json()
        type = str(problem.get("type"))
    except (ValueError, AttributeError):
        return answer
    if not type.startswith(PROBLEM):
        return answer
    said = ". ".join(str(problem[key]) for key in ("title", "detail") if problem.get(key))
    raise CallError(f"{name} is not called ({status}): {said}", status, type.removeprefix(PROBLEM))


def _begin():
    global _connections, _executor
    _connections = _Connections()
    _executor = None


def _forked():
    """In a process that the function has forked: the connections are the other process'."""
    idle = _connections
    _begin()
    idle.close_idle()


_limit = max_body()
_begin()
os.register_at_fork(after_in_child=_forked)
