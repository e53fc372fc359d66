"""contract/handler-http.md, line by line, and what HTTP/1.1 has to be refused."""

import contextlib
import os
import socket
import stat
import threading
import unittest
import urllib.request
from random import Random

from handler import DEADLINE, LONGER, HandlerTest, eventually, exchange, received

ECHO = {"fn.py": "def fn(input: bytes, headers): return input"}
SLOW = {"fn.py": "import time\ndef fn(input, headers): print('begun'); time.sleep(float(input)); return input"}


def post(body=b"", *fields):
    return b"\r\n".join((b"POST /fn HTTP/1.1", *fields, b"Content-Length: %d" % len(body), b"", body))


class HttpTest(HandlerTest):
    def test_should_answer_404_to_everything_else(self):
        handler = self.start(ECHO)
        for method, target in [("GET", "/fn"), ("PUT", "/fn"), ("POST", "/health"), ("POST", "/"), ("POST", "/fn?a"), ("HEAD", "/health")]:
            self.assertEqual(handler.call(method, target)[0], 404, f"{method} {target}")

    def test_should_pass_bytes_through_however_they_are_sent(self):
        handler = self.start(ECHO)
        with contextlib.closing(handler.connection()) as connection:
            for size in (0, 1, 65536, 524288, 1048576):
                body = os.urandom(size)
                for sent in (body, iter([body[: size // 2], body[size // 2 :]])):
                    status, headers, answer = exchange(connection, body=sent)
                    self.assertEqual((status, headers["content-length"], answer == body), (200, str(size), True))

    def test_should_refuse_bodies_above_the_limit(self):
        handler = self.start(ECHO, TINYFAAS_MAX_BODY="1000")
        self.assertEqual(handler.call(body=bytes(1000))[0], 200)
        for body in (bytes(1001), bytes(3_000_000), iter([bytes(600), bytes(600)])):
            status, headers, answer = handler.call(body=body)
            self.assertEqual((status, headers["connection"]), (413, "close"))
            self.assertIn(b"larger than 1000 bytes", answer)
        self.assertTrue(handler.raw(b"POST /fn HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n").startswith(b"HTTP/1.1 413 "))

    def test_should_not_start_with_a_limit_that_is_no_number(self):
        handler = self.launch(ECHO, TINYFAAS_MAX_BODY="1M")
        self.assertEqual(handler.exit_code(), 1)
        self.assertIn('TINYFAAS_MAX_BODY is "1M": give the number of bytes', handler.log)

    def test_should_refuse_what_is_not_http(self):
        handler = self.start(ECHO)
        head = b"POST /fn HTTP/1.1\r\n"
        for status, request in [
            (400, b"not an HTTP request HTTP/1.1\r\n\r\n"),
            (400, b"POST  /fn HTTP/1.1\r\n\r\n"),
            (400, b"POST /fn HTTP/2.0\r\n\r\n"),
            (400, head + b"A : 1\r\n\r\n"),
            (400, head + b"A: 1\r\n 2\r\n\r\n"),
            (400, head + b"A: 1\nB: 2\r\n\r\n"),
            (400, head + b"A: \0\r\n\r\n"),
            (400, head + b"no colon\r\n\r\n"),
            (400, head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
            (400, head + b"Content-Length: +1\r\n\r\nx"),
            (400, head + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            (501, head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            (400, head + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            (400, head + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n"),
            (400, head + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 3000),
            (413, head + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n"),
            (431, head + b"A: " + b"x" * (16_384 - len(head) - 6) + b"\r\n\r\n"),
            (431, head + b"A: " + b"x" * 16_384),
            (431, head + b"A: 1\r\n" * 101 + b"\r\n"),
            (431, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: 1\r\n" * 101 + b"\r\n"),
        ]:
            self.assertTrue(handler.raw(request).startswith(b"HTTP/1.1 %d " % status), request[:80])
        self.assertEqual(handler.call(body=b"x")[2], b"x")

    def test_should_take_chunks_with_extensions_and_trailers(self):
        handler = self.start(ECHO)
        answer = handler.raw(
            b"\r\nPOST /fn HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n2;a=b\r\nxy\r\n1\r\nz\r\n0\r\nTrailer: 1\r\n\r\n" + post(b"next")
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertEqual([part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200 OK")[1:]], [b"xyz", b"next"])

    def test_should_answer_pipelined_requests_in_order(self):
        handler = self.start(SLOW)
        answer = handler.raw(post(b"0.2") + post(b"0") + b"GET /health HTTP/1.1\r\n\r\n" + post(b"0.1"))
        self.assertEqual([part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200 OK")[1:]], [b"0.2", b"0", b"healthy", b"0.1"])

    def test_should_take_a_request_byte_by_byte(self):
        handler = self.start(ECHO)
        self.assertTrue(handler.raw(*(bytes([byte]) for byte in post(b"abc"))).endswith(b"\r\n\r\nabc"))

    def test_should_live_through_whatever_comes(self):
        handler = self.start(ECHO)
        random = Random(7)
        chunked = b"POST /fn HTTP/1.1\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n"
        for n in range(1000):
            request = bytearray(random.choice((chunked, post(b"abc", b"A: b"))))
            for _ in range(random.randint(1, 3)):
                at = random.randrange(len(request))
                request[at : at + random.randint(0, 2)] = random.choice((b"", b"\0", b"\r", b"\n", b"\xff", b" ", b":", b"9", random.randbytes(3)))
            answer = handler.raw(request)
            self.assertRegex(answer, rb"\A(HTTP/1\.1 (200|400|404|413|431|501) |\Z)", request)
        self.assertEqual(handler.call(body=b"x")[2], b"x")
        self.assertNotIn("Traceback", handler.log)

    def test_should_let_a_client_that_asks_send_its_body(self):
        handler = self.start(ECHO)
        with contextlib.closing(handler.connect()) as connection:
            connection.sendall(b"POST /fn HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
            connection.settimeout(DEADLINE)
            self.assertEqual(connection.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"x")
            connection.shutdown(socket.SHUT_WR)
            self.assertTrue(received(connection).endswith(b"\r\n\r\nx"))

    def test_should_close_when_asked_to(self):
        handler = self.start(ECHO)
        for request in (post(b"x", b"Connection: close"), post(b"x").replace(b"1.1", b"1.0")):
            with contextlib.closing(handler.connect()) as connection:
                connection.sendall(request)
                self.assertTrue(received(connection).endswith(b"\r\n\r\nx"))

    def test_should_serve_any_user_and_replace_a_socket_of_an_earlier_life(self):
        handler = self.start({**ECHO, "http.sock": ""})
        self.assertEqual(stat.S_IMODE(os.stat(handler.socket).st_mode), 0o777)

    def test_should_bound_its_connections_and_serve_the_next_ones_later(self):
        handler = self.start(ECHO)
        connections = [handler.connect() for _ in range(128)]
        for connection in connections:
            connection.sendall(post(b"x"))
            connection.settimeout(DEADLINE)
            connection.recv(1000)
        late = handler.connect()
        late.sendall(post(b"late"))
        late.settimeout(0.3)
        self.assertRaises(TimeoutError, late.recv, 1)
        connections.pop().close()
        late.settimeout(DEADLINE)
        self.assertTrue(late.recv(1000).endswith(b"late"))
        for connection in [*connections, late]:
            connection.close()


class StoppingTest(HandlerTest):
    def test_should_end_at_once_when_idle(self):
        handler = self.start(ECHO)
        with contextlib.closing(handler.connection()) as idle:
            exchange(idle)
            handler.terminate()
            self.assertEqual(handler.exit_code(), 0)  # while the connection is open: it waits for no end of that

    def test_should_finish_what_it_has_read_and_take_no_more(self):
        handler = self.start(SLOW)
        answers = []
        connection = handler.connect()
        connection.sendall(post(b"0.5") + post(b"0"))
        thread = threading.Thread(target=lambda: answers.append(received(connection)))
        thread.start()
        eventually(lambda: "begun" in handler.log, handler)
        handler.terminate()
        handler.terminate()
        eventually(lambda: self._is_refused(handler), handler)
        self.assertEqual(handler.exit_code(), 0)
        thread.join()
        connection.close()
        self.assertEqual(answers[0].count(b"200 OK"), 2)

    @staticmethod
    def _is_refused(handler):
        try:
            handler.connect().close()
            return False
        except ConnectionRefusedError:
            return True

    def test_should_not_wait_for_threads_of_the_function(self):
        handler = self.start({"fn.py": f"import threading, time\nfn = lambda: threading.Thread(target=time.sleep, args=({LONGER},)).start()"})
        handler.call()
        handler.terminate()
        self.assertEqual(handler.exit_code(), 0)


class TcpTest(HandlerTest):
    def test_should_listen_on_port_8000_where_no_socket_is_named(self):
        handler = self.launch(ECHO, TINYFAAS_SOCKET="")

        def answers():
            with urllib.request.urlopen("http://127.0.0.1:8000/fn", b"over TCP", DEADLINE) as answer:
                return answer.read() == b"over TCP"

        eventually(answers, handler)


if __name__ == "__main__":
    unittest.main()
