"""How a function calls another one: what is sent, what is answered, what becomes of failures."""

import json
import threading
import time
import unittest

from gateway import Gateway, RawGateway, problem
from handler import HandlerTest, eventually

# Makes the call that the request's body says, and answers what came of it.
CALLER = """import json, tinyfaas
def fn(input):
  try:
    answer = tinyfaas.call(**json.loads(input))
    return {"status": answer.status, "headers": answer.headers, "text": answer.text, "call": answer.call}
  except Exception as error:
    return {"error": str(error), "kind": type(error).__name__, "status": getattr(error, "status", None), "type": getattr(error, "type", None)}
"""
SEEN = """import json, threading, tinyfaas
all = threading.Barrier(8)
def seen(): all.wait(); return json.loads(tinyfaas.call("a").body)
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def headers_as_json(request):
    return 200, {}, json.dumps(request[2]).encode()


class CallsTest(HandlerTest):
    def caller(self, gateway, code=CALLER, **environment):
        return self.start({"fn.py": code}, TINYFAAS_CALLS_SOCKET=gateway.socket, **environment)

    def calls(self, handler, served=(), **options):
        """`served` are headers of the request that the caller is serving."""
        return json.loads(handler.call(body=json.dumps(options).encode(), headers=served)[2])

    def test_should_call_a_function_and_return_what_it_answers(self):
        gateway = Gateway(self, lambda _: (418, {"Content-Type": "text/plain", "X-Tea": "green"}, b"short and stout"))
        answer = self.calls(self.caller(gateway), name="alarm", path="/on?loud=1", method="PUT", headers={"X-Why": "test"}, body={"on": True})
        self.assertEqual((answer["status"], answer["text"], answer["headers"]["X-Tea"], answer["call"]), (418, "short and stout", "green", None))
        method, target, headers, body = gateway.requests[0]
        self.assertEqual((method, target, headers["x-why"], headers["content-type"], body), ("PUT", "/functions/alarm/on?loud=1", "test", "application/json", b'{"on":true}'))

    def test_should_give_bytes_back_as_they_were(self):
        gateway = Gateway(self, lambda request: (200, {}, request[3]))
        handler = self.caller(gateway, "import tinyfaas\ndef fn(input: bytes): return tinyfaas.call('echo', input).body")
        body = bytes(range(256)) * 400
        self.assertEqual(handler.call(body=body)[2], body)
        self.assertEqual(gateway.requests[0][2]["content-type"], "application/octet-stream")
        self.assertEqual(handler.call()[2], b"")
        self.assertNotIn("content-type", gateway.requests[1][2])

    def test_should_read_an_answer_in_chunks_and_one_without_a_body(self):
        said = [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nha\r\n1\r\nt\r\n0\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"]

        def converse(connection, _):
            for answer in said:
                connection.recv(65536)
                connection.sendall(answer)

        handler = self.caller(RawGateway(self, converse))
        self.assertEqual([self.calls(handler, name="a")[part] for part in ("text", "status")], ["hat", 204])

    def test_should_have_a_durable_call_accepted(self):
        gateway = Gateway(self, lambda _: (202, {"Location": "/calls/17ab"}, b""))
        answer = self.calls(self.caller(gateway), name="alarm", durable=True, delay="10s", idempotency_key="k")
        self.assertEqual((answer["status"], answer["call"]), (202, "17ab"))
        headers = gateway.requests[0][2]
        self.assertEqual([headers[name] for name in ("prefer", "x-tinyfaas-delay", "idempotency-key")], ["respond-async", "10s", "k"])

    def test_should_pass_deadline_depth_and_trace_on_each_to_the_calls_of_its_own_invocation(self):
        deadline = int(time.time() * 1000) + 3_600_000
        in_an_event_loop = "import asyncio, json, tinyfaas\nasync def fn(input): await asyncio.sleep(0.01); return json.loads((await tinyfaas.call_async('a')).body)"
        in_its_thread = SEEN + "def fn(input): return seen()"
        in_a_task = "import asyncio, json, tinyfaas\nasync def of(): return json.loads((await tinyfaas.call_async('a')).body)\nasync def fn(input): return await asyncio.create_task(of())"
        for code in (in_its_thread, in_an_event_loop, in_a_task):
            handler = self.caller(Gateway(self, headers_as_json), code)
            wrong = []

            def one(number):
                sent = {"X-tinyFaaS-Deadline": str(deadline + number), "X-tinyFaaS-Depth": str(number), "traceparent": f"00-{number}", "tracestate": f"a={number}"}
                seen = json.loads(handler.call(headers={**sent, "X-tinyFaaS-Device": "lamp"}.items())[2])
                if "x-tinyfaas-device" in seen or any(seen.get(name.lower()) != value for name, value in sent.items()):
                    wrong.append(seen)

            threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wrong, [])

    def test_should_take_a_trace_of_the_functions_own_but_no_depth(self):
        handler = self.caller(Gateway(self, headers_as_json))
        headers = {"traceparent": "00-own", "X-tinyFaaS-Depth": "0", "Connection": "close", "Content-Length": "7", "Host": "there"}
        answer = self.calls(handler, {"X-tinyFaaS-Depth": "3", "traceparent": "00-theirs"}.items(), name="a", headers=headers)
        seen = json.loads(answer["text"])
        self.assertEqual((seen["traceparent"], seen["x-tinyfaas-depth"], seen["content-length"], seen["host"]), ("00-own", "3", "0", "box"))
        self.assertNotIn("connection", seen)

    def test_should_say_what_the_gateway_says_against_a_call(self):
        for status, type in ((403, "not-in-calls"), (404, "unknown-function"), (508, "too-deep"), (504, "timeout")):
            handler = self.caller(Gateway(self, lambda _: problem(status, type, f"Because of {type}.")))
            expected = {"error": f"alarm is not called ({status}): No. Because of {type}.", "kind": "CallError", "status": status, "type": type}
            self.assertEqual(self.calls(handler, name="alarm"), expected)

    def test_should_take_a_problem_of_the_called_function_for_its_answer(self):
        for body in (b'{"type": "urn:of:its:own"}', b"no JSON", b"[]"):
            gateway = Gateway(self, lambda _: (400, {"Content-Type": "application/problem+json"}, body))
            self.assertEqual(self.calls(self.caller(gateway), name="a")["text"], body.decode())

    def test_should_say_that_the_specification_names_no_calls(self):
        answer = self.calls(self.start({"fn.py": CALLER}), name="alarm")
        self.assertEqual(answer["kind"], "CallError")
        self.assertIn('in its specification: "calls": ["alarm"]', answer["error"])

    def test_should_say_that_no_gateway_is_there(self):
        answer = self.calls(self.start({"fn.py": CALLER}, TINYFAAS_CALLS_SOCKET="/run/nowhere/http.sock"), name="alarm")
        self.assertEqual(answer["error"], "alarm is not called: the gateway cannot be reached (No such file or directory). It may be starting anew.")

    def test_should_refuse_what_is_no_call_before_anything_is_sent(self):
        gateway = Gateway(self, headers_as_json)
        handler = self.caller(gateway, TINYFAAS_MAX_BODY="100")
        for options, why in [
            ({"name": ""}, "the name of a function"), ({"name": "a", "loud": 1}, "loud"), ({"name": "a", "path": "x"}, "slash"), ({"name": "a", "path": "/ü"}, "percent"),
            ({"name": "a", "path": "/ HTTP/1.1\r\nX: "}, "slash"), ({"name": "a", "delay": "10s"}, "durable=True"), ({"name": "a", "method": "CONNECT"}, "CONNECT"),
            ({"name": "a", "method": "A B"}, "A B"), ({"name": "a", "timeout": 0}, "timeout"), ({"name": "a", "headers": {"X-A": "a\r\nb: c"}}, "X-A"),
        ]:  # fmt: skip
            self.assertIn(why, self.calls(handler, **options)["error"])
        self.assertIn("its time is over", self.calls(handler, {"X-tinyFaaS-Deadline": "1"}.items(), name="a")["error"])
        large = self.caller(gateway, "import tinyfaas\ndef fn(input): tinyfaas.call('a', 'ü' * 51)", TINYFAAS_MAX_BODY="100")
        self.assertEqual(large.call()[2], b"a is not called: the body has 102 bytes, and may have 100.")
        blocking = self.caller(gateway, "import tinyfaas\nasync def fn(input): tinyfaas.call('a')")
        self.assertIn(b"await tinyfaas.call_async", blocking.call()[2])
        self.assertEqual(gateway.requests, [])

    def test_should_write_the_name_so_that_it_stays_one(self):
        gateway = Gateway(self, headers_as_json)
        self.calls(self.caller(gateway), name="a/../b ü?")
        self.assertEqual(gateway.requests[0][1], "/functions/a%2F..%2Fb%20%C3%BC%3F")

    def test_should_end_at_the_deadline_or_at_its_own_timeout(self):
        gateway = RawGateway(self, lambda connection, _: threading.Event().wait(60))
        handler = self.caller(gateway)
        for headers, options in [({"X-tinyFaaS-Deadline": str(int(time.time() * 1000) + 200)}, {}), ({}, {"timeout": 0.05})]:
            self.assertEqual(self.calls(handler, headers.items(), name="alarm", **options)["error"], "alarm has not answered in time.")

    def test_should_tell_the_called_function_of_its_own_timeout(self):
        handler = self.caller(Gateway(self, headers_as_json))
        before = time.time()
        answer = self.calls(handler, {"X-tinyFaaS-Deadline": str(int(before * 1000) + 9_000_000)}.items(), name="a", timeout=600)
        own = int(json.loads(answer["text"])["x-tinyfaas-deadline"]) / 1000
        self.assertTrue(before + 599 < own <= time.time() + 600)

    def test_should_tell_an_answer_that_is_cut_short_too_large_or_none(self):
        for said, why in [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "The answer of alarm was cut short"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "The answer of alarm was cut short"),
            (b"HTTP/1.1 2", "The answer of alarm was cut short"),
            (b"", "closed the connection before alarm answered, which may have run"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "larger than 100 bytes"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", "larger than 100 bytes"),
            (b"HTTP/1.1 200 OK\r\n\r\nlike 1995", "does not say how long it is"),
            (b"Hello\r\n\r\n", "not an answer of HTTP/1.1"),
            (b"HTTP/1.1 200 OK\r\nX-A: %s\r\n\r\n" % (b"a" * 20_000), "larger than 16384"),
            (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9, "More than 8"),
        ]:

            def converse(connection, _):
                connection.recv(65536)
                connection.sendall(said)

            answer = self.calls(self.caller(RawGateway(self, converse), TINYFAAS_MAX_BODY="100"), name="alarm")
            self.assertIn(why, answer["error"])
            self.assertEqual(answer["kind"], "CallError")

    def test_should_use_at_most_16_connections_again_and_again(self):
        opened = threading.Event()

        def answer(_):
            opened.wait(60)
            return 200, {}, b"done"

        gateway = Gateway(self, answer)
        code = "import threading, tinyfaas\ndef fn(input):\n  got = []\n  all = [threading.Thread(target=lambda: got.append(tinyfaas.call('a').text)) for _ in range(50)]\n"
        handler = self.caller(gateway, code + "  for one in all: one.start()\n  for one in all: one.join()\n  return ''.join(got)")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(handler.call()[2]))
        asking.start()
        eventually(lambda: len(gateway.requests) == 16, handler)
        opened.set()
        asking.join()
        self.assertEqual((answers, gateway.connections), ([b"done" * 50], 16))

    def test_should_repeat_on_another_connection_only_what_nobody_can_have_run(self):
        def converse(connection, number):
            connection.recv(65536)
            connection.sendall(OK)
            connection.recv(65536)
            if number > 0:
                connection.sendall(OK)

        for options, expected in [({"durable": True, "idempotency_key": "k"}, "ok"), ({"durable": True}, None), ({}, None)]:
            gateway = RawGateway(self, converse)
            handler = self.caller(gateway)
            self.calls(handler, name="a")
            second = self.calls(handler, name="a", **options)
            self.assertEqual((second.get("text"), gateway.connections), (expected, 2 if expected else 1))
            if expected is None:
                self.assertIn("closed the connection before a answered, which may have run", second["error"])

    def test_should_go_on_when_the_gateway_has_closed_the_connections_that_were_kept(self):
        gateway = Gateway(self, lambda _: (200, {}, b"ok"))
        handler = self.caller(gateway)
        for _ in range(20):
            self.assertEqual(self.calls(handler, name="a")["text"], "ok")
            gateway.close_all()
        self.assertEqual(gateway.connections, 20)

    def test_should_call_from_processes_that_the_function_starts(self):
        code = """import multiprocessing, tinyfaas
def ask(number): return tinyfaas.call('echo', str(number)).text
def fn(input):
  ask(0)
  with multiprocessing.get_context(input).Pool(2) as pool: return ''.join(pool.map(ask, range(1, 5)))
"""
        gateway = Gateway(self, lambda request: (200, {}, request[3]))
        handler = self.caller(gateway, code)
        for how in (b"fork", b"spawn"):
            self.assertEqual(handler.call(body=how)[2], b"1234", handler.log)


if __name__ == "__main__":
    unittest.main()
