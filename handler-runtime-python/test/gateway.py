"""The gateway's side of a function's calls, as the tests need it: HTTP on a Unix socket, answered as each test says."""

import contextlib
import http.server
import json
import os
import socket
import socketserver
import tempfile
import threading


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a handler that has ended


class RawGateway:
    """`converse(connection, number)` has each connection, and the number of those before it; `socket` is for TINYFAAS_CALLS_SOCKET."""

    def __init__(self, test, converse):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.socket = os.path.join(folder.name, "http.sock")
        self.connections = 0
        self._open = []
        gateway = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self):
                number = gateway.connections
                gateway.connections += 1
                gateway._open.append(self.request)
                with contextlib.suppress(OSError):
                    converse(self.request, number)

        server = _Server(self.socket, Connection)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(self.close_all)
        test.addCleanup(server.shutdown)

    def close_all(self):
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)


class Gateway(RawGateway):
    """`answer(request)` gives (status, headers, body); `requests` has what came: (method, target, headers, body), names in lower case."""

    def __init__(self, test, answer):
        self.requests = []
        gateway = self

        class Exchanges(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def parse_request(self):
                valid = super().parse_request()
                if valid:
                    setattr(self, f"do_{self.command}", self.exchange)
                return valid

            def exchange(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = (self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                gateway.requests.append(request)
                status, headers, sent = answer(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_):
                pass

        super().__init__(test, lambda connection, _: Exchanges(connection, ("gateway", 0), None))


def problem(status, type, detail):
    body = {"type": f"urn:tinyfaas:problem:{type}", "title": "No", "status": status, "detail": detail}
    return status, {"Content-Type": "application/problem+json"}, json.dumps(body).encode()
