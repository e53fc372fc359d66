"""tinyfaas-call, by which a program calls another function."""

import threading
import unittest

from gateway import Gateway, RawGateway, problem
from handler import HandlerTest


class CommandTest(HandlerTest):
    def fn(self, gateway, script, **environment):
        return self.start({"fn.sh": "#!/bin/bash\n" + script}, TINYFAAS_CALLS_SOCKET=gateway.socket, **environment)

    def test_should_send_what_is_read_and_write_what_is_answered(self):
        gateway = Gateway(self, lambda request: (200, {}, request[3][::-1]))
        body = bytes(range(256)) * 100
        handler = self.fn(gateway, "tinyfaas-call alarm --path '/on?loud=1' --method PUT --header 'X-Why: test'")
        self.assertEqual(handler.call(body=body, headers={"X-tinyFaaS-Depth": "3", "X-tinyFaaS-Deadline": "9" * 13, "traceparent": "00-1"})[2], body[::-1])
        method, target, headers, sent = gateway.requests[0]
        self.assertEqual((method, target, sent), ("PUT", "/functions/alarm/on?loud=1", body))
        expected = {"content-type": "application/octet-stream", "x-why": "test", "x-tinyfaas-depth": "3", "x-tinyfaas-deadline": "9" * 13, "traceparent": "00-1"}
        self.assertLessEqual(expected.items(), headers.items())

    def test_should_print_the_id_of_a_durable_call(self):
        gateway = Gateway(self, lambda _: (202, {"Location": "/calls/17ab"}, b""))
        handler = self.fn(gateway, "tinyfaas-call alarm --durable --delay 10s --idempotency-key k </dev/null")
        self.assertEqual(handler.call()[2], b"17ab\n")
        headers = gateway.requests[0][2]
        self.assertEqual([headers[name] for name in ("prefer", "x-tinyfaas-delay", "idempotency-key")], ["respond-async", "10s", "k"])

    def test_should_end_with_22_where_the_function_answers_an_error(self):
        gateway = Gateway(self, lambda _: (404, {}, b"no such lamp"))
        self.assertEqual(self.fn(gateway, "tinyfaas-call lamp; echo \" $?\"").call(body=b"on")[2], b"no such lamp 22\n")
        self.assertEqual(gateway.requests[0][2]["content-type"], "text/plain; charset=utf-8")

    def test_should_say_why_there_is_no_answer(self):
        forbidden = Gateway(self, lambda _: problem(403, "not-in-calls", "Name it in calls."))
        silent = RawGateway(self, lambda connection, _: threading.Event().wait(60))
        for gateway, script, why in [
            (forbidden, "tinyfaas-call a", b"a is not called (403): No. Name it in calls."), (silent, "tinyfaas-call a --timeout 0.05", b"a has not answered in time."),
            (forbidden, "tinyfaas-call a --header x", b"is not written as Name: value"), (forbidden, "tinyfaas-call a --dura", b"unrecognized arguments: --dura"),
        ]:  # fmt: skip
            status, _, said = self.fn(gateway, script).call()
            self.assertEqual((status, why in said), (500, True), said)
        status, _, said = self.start({"fn.sh": "#!/bin/sh\ntinyfaas-call a"}).call()
        self.assertEqual((status, b'"calls": ["a"]' in said), (500, True), said)


if __name__ == "__main__":
    unittest.main()
