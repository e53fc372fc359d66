"""Starts real handlers for the tests: the server in a process of its own, on a Unix socket, with a function written here."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

DEADLINE = 60  # seconds, for what comes at once on a quiet machine
LONGER = 10 * DEADLINE  # for what a test does not wait for
MAIN = pathlib.Path(__file__).resolve().parent.parent / "server" / "main.py"


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("handler", timeout=DEADLINE)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self._path)


class Handler:
    """A process that runs the function in `files` (path to text); its output is in `log`."""

    def __init__(self, test, files, **environment):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for path, text in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.socket = str(self.folder / "http.sock")
        self._log = self.folder / "log"
        self._environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TINYFAAS_SOCKET": self.socket, **environment}
        self.again()
        test.addCleanup(self._kill)

    def again(self):
        """Starts the process anew."""
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(MAIN), str(self.folder)],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def _kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # with what the function has forked
        self.process.wait()

    @property
    def log(self):
        return self._log.read_text()

    def healthy(self):
        eventually(lambda: self.call("GET", "/health")[0] == 200, self)
        return self

    def exit_code(self):
        return self.process.wait(DEADLINE)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def connection(self):
        return Connection(self.socket)

    def call(self, method="POST", target="/fn", body=b"", headers=()):
        with contextlib.closing(self.connection()) as connection:
            return exchange(connection, method, target, body, dict(headers))

    def raw(self, *pieces):
        """Sends these bytes and no more; all that is answered."""
        with contextlib.closing(self.connect()) as connection:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            return received(connection)

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.socket)
        return connection


def exchange(connection, method="POST", target="/fn", body=b"", headers=None):
    connection.request(method, target, body, headers or {})
    response = connection.getresponse()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def received(connection):
    """All that comes until the handler closes the connection."""
    connection.settimeout(DEADLINE)
    answer = b""
    while some := connection.recv(65536):
        answer += some
    return answer


def eventually(condition, handler):
    end = time.monotonic() + DEADLINE
    while True:
        with contextlib.suppress(OSError):
            if condition():
                return
        if time.monotonic() > end or handler.process.poll() is not None:
            raise AssertionError(f"It did not come about. The handler's log:\n{handler.log}")
        time.sleep(0.005)


class HandlerTest(unittest.TestCase):
    def launch(self, files, **environment):
        return Handler(self, files, **environment)

    def start(self, files, **environment):
        return self.launch(files, **environment).healthy()
