"""One process for each invocation: what it gets, what becomes of its output and its end, and when it is killed."""

import contextlib
import os
import re
import struct
import threading
import time
import unittest

from handler import LONGER, HandlerTest, eventually

TEXT = "text/plain; charset=utf-8"


def processes(word):
    """How many processes have `word` in their command."""
    found = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as file:
            found += word.encode() in file.read()
    return found


class ProcessTest(HandlerTest):
    def fn(self, script, **environment):
        return self.start({"fn.sh": "#!/bin/bash\n" + script}, **environment)

    def test_should_answer_what_is_written(self):
        handler = self.fn("cat")
        for body, type_ in [(b"", None), (b"x", TEXT), ("ü🌍".encode(), TEXT), (b"\xff", "application/octet-stream"), (os.urandom(1 << 20), "application/octet-stream")]:
            status, headers, answer = handler.call(body=body)
            self.assertEqual((status, headers.get("content-type"), answer == body), (200, type_, True))

    def test_should_tell_what_was_asked_as_cgi_does(self):
        handler = self.fn("env", OWN="mine", HTTP_OWN="mine")
        sent = {
            "X-tinyFaaS-Method": "FETCH", "X-tinyFaaS-Path": "/a%20b", "X-tinyFaaS-Query": "x=1&y", "X-tinyFaaS-Peer": "[::1]:7",
            "Content-Type": "a/b", "User-Agent": "curl", "Own": "theirs", "Proxy": "http://evil", "X_tinyFaaS_Method": "EVIL",
        }  # fmt: skip
        seen = dict(line.split("=", 1) for line in handler.call(body=b"abc", headers=sent)[2].decode().splitlines())
        self.assertLessEqual(
            {
                "REQUEST_METHOD": "FETCH", "PATH_INFO": "/a%20b", "QUERY_STRING": "x=1&y", "REMOTE_ADDR": "::1", "CONTENT_TYPE": "a/b",
                "CONTENT_LENGTH": "3", "HTTP_USER_AGENT": "curl", "HTTP_X_TINYFAAS_METHOD": "FETCH", "OWN": "mine", "HTTP_OWN": "mine",
            }.items(),
            seen.items(),
        )  # fmt: skip
        self.assertNotIn("HTTP_PROXY", seen)

    def test_should_answer_the_status_and_headers_of_descriptor_3(self):
        handler = self.fn("cat >&3; printf made")
        status, headers, body = handler.call(body=b"Status: 201\nLocation: /a\nconnection: close\n")
        self.assertEqual((status, headers.get("location"), headers.get("connection"), body), (201, "/a", None, b"made"))
        for head in (b"Status: ok", b"Status: 99", b"no header", b"A b: 1", b"A: \x01", b"A: 1\n" * 4000):
            status, _, body = handler.call(body=head)
            self.assertEqual(status, 500, head[:20])
            eventually(lambda: body.decode() + "\n" in handler.log, handler)

    def test_should_answer_500_with_the_last_line_of_standard_error(self):
        for script, message, logged in [
            ("echo so far; echo one >&2; echo >&2; printf '  no lamp  ' >&2; echo >&2; exit 3", "no lamp", "one\n"),
            ("printf 'no line end' >&2; exit 1", "no line end", "no line end\n"),
            ("exit 7", "The function ended with exit code 7.", "The function ended with exit code 7.\n"),
            ("kill -9 $$", "The function was ended by SIGKILL.", "The function was ended by SIGKILL.\n"),
            ("echo '%s' >&2; exit 1" % ("x" * 9000), "x" * 200, "xxx"),
        ]:
            handler = self.fn(script)
            status, headers, body = handler.call()
            self.assertEqual((status, headers["content-type"], body.decode()), (500, TEXT, message))
            self.assertIn(logged, handler.log)

    def test_should_log_standard_error_while_it_runs(self):
        handler = self.fn(f"echo begun >&2; exec sleep {LONGER}")
        threading.Thread(target=handler.call, daemon=True).start()
        eventually(lambda: "begun\n" in handler.log, handler)

    def test_should_not_mind_whether_the_input_is_read(self):
        handler = self.fn("exec <&-; echo done")
        self.assertEqual(handler.call(body=bytes(1 << 20))[::2], (200, b"done\n"))

    def test_should_not_be_blocked_by_full_pipes(self):
        handler = self.fn("head -c 500000 /dev/zero | tr '\\0' x >&2; head -c 500000 /dev/zero; cat >/dev/null")
        self.assertEqual(len(handler.call(body=bytes(1 << 20))[2]), 500000)

    def test_should_end_broken_pipes_as_usual(self):
        handler = self.fn("yes 2>&1 | head -n 1")
        self.assertEqual(handler.call()[2], b"y\n")

    def test_should_bound_the_answer_and_kill_whoever_writes_more(self):
        handler = self.fn("exec -a endless-writer yes", TINYFAAS_MAX_BODY="100000")
        self.assertEqual(handler.call()[::2], (500, b"The answer is larger than 100000 bytes."))
        eventually(lambda: processes("endless-writer") == 0, handler)

    def test_should_kill_the_whole_group_when_nobody_waits_any_more(self):
        handler = self.fn(f"echo begun >&2; (exec -a left-alone sleep {LONGER}) & exec -a left-alone sleep {LONGER}")
        connection = handler.connect()
        connection.sendall(b"POST /fn HTTP/1.1\r\n\r\n")
        eventually(lambda: processes("left-alone") == 2, handler)
        connection.close()
        eventually(lambda: processes("left-alone") == 0, handler)
        self.assertIn("Killed: nobody waits for the answer", handler.log)

    def test_should_leave_nothing_in_the_background(self):
        handler = self.fn(f"(exec -a left-behind sleep {LONGER}) & echo done")
        self.assertEqual(handler.call()[2], b"done\n")
        eventually(lambda: processes("left-behind") == 0, handler)

    def test_should_bound_how_many_run_at_once(self):
        handler = self.fn("echo begun >&2; sleep 0.3", CONCURRENCY="2")
        began, answers = time.monotonic(), []
        threads = [threading.Thread(target=lambda: answers.append(handler.call()[0])) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 6)
        self.assertGreater(time.monotonic() - began, 0.9)

    def test_should_say_when_it_is_busy_for_long(self):
        handler = self.fn(f"echo begun >&2; exec sleep {LONGER}", CONCURRENCY="1")
        threading.Thread(target=handler.call, daemon=True).start()
        eventually(lambda: "begun" in handler.log, handler)
        status, headers, _ = handler.call()
        self.assertEqual((status, headers["retry-after"]), (503, "1"))
        self.assertEqual(handler.call("GET", "/health")[0], 200)

    def test_should_leave_no_descriptors_and_no_zombies(self):
        handler = self.fn("cat")
        pid = handler.process.pid
        handler.call(body=b"x")
        before = len(os.listdir(f"/proc/{pid}/fd"))
        for _ in range(20):
            handler.call(body=b"x")
        eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before, handler)
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            self.assertEqual(children.read(), "")

    def test_should_finish_when_it_is_stopped(self):
        handler = self.fn("echo begun >&2; sleep 0.3; echo done")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(handler.call()[2]))
        thread.start()
        eventually(lambda: "begun" in handler.log, handler)
        handler.terminate()
        thread.join()
        self.assertEqual((answers, handler.exit_code()), ([b"done\n"], 0))


class ExecutableTest(HandlerTest):
    def test_should_run_scripts_that_are_not_executable(self):
        for script in ("#!/bin/bash\n[[ a ]] && echo here", "#! /usr/bin/env -S bash -e\necho here", "#!/usr/bin/env -S -u HOME bash\necho here", "echo here"):
            self.assertEqual(self.start({"fn.sh": script}).call()[2], b"here\n")

    def test_should_run_what_is_named_as_the_entry(self):
        handler = self.start({"fn.sh": "echo fn", "bin/hello": "echo hello"}, TINYFAAS_ENTRY="bin/hello")
        self.assertEqual(handler.call()[2], b"hello\n")

    def test_should_run_programs(self):
        with open("/bin/cat", "rb") as file:
            program = file.read()
        handler = self.launch({"cat": program}, TINYFAAS_ENTRY="cat")
        self.assertEqual(handler.exit_code(), 1)
        self.assertIn("cat is not executable. Set its mode before zipping: chmod +x cat", handler.log)
        (handler.folder / "cat").chmod(0o755)
        self.assertEqual(handler.again().healthy().call(body=b"x")[2], b"x")

    def test_should_refuse_programs_that_are_not_for_this_box(self):
        with open("/bin/cat", "rb") as file:
            program = file.read()
        other_processor = program[:18] + b"\xf3\xf0" + program[20:]
        no_loader = program.replace(b"/ld-linux-", b"/no-loader", 1)
        interpreter = b"/lib/ld-of-32-bits.so.2\0"
        machine = {"x86_64": 3, "aarch64": 40}[os.uname().machine]
        smaller = b"".join((
            b"\x7fELF\1\1\1".ljust(16, b"\0"),
            struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0),
            struct.pack("<IIIIIIII", 3, 84, 0, 0, len(interpreter), len(interpreter), 4, 1),
            interpreter,
        ))  # fmt: skip
        for program, said in [
            (b"MZ\0\0", "is no program for Linux"),
            (b"\xcf\xfa\xed\xfe\x07\0\0\0", "is no program for Linux"),
            (other_processor, "is for another processor than this box has"),
            (program[:16] + b"\1\0" + program[18:], "is no program but a part of one, or damaged"),
            (program[:56] + b"\0\0" + program[58:], "is no program but a part of one, or damaged"),
            (program[:50], "is no program but a part of one, or damaged"),
            (no_loader, "which is not in the image. Link it statically"),
            (smaller, "fn needs /lib/ld-of-32-bits.so.2, which is not in the image. Link it statically"),
            (program.replace(b"libc.so.6", b"libc.so.9"), "fn needs libc.so.9, which the image does not have. Link it statically, or build it on Debian 13"),
            (re.sub(rb"GLIBC_2\.(\d\d)", rb"GLIBC_9.\1", program), "fn needs GLIBC_9."),
        ]:
            handler = self.launch({"fn": program}, TINYFAAS_ENTRY="fn")
            handler.exit_code()
            (handler.folder / "fn").chmod(0o755)
            self.assertEqual(handler.again().exit_code(), 1)
            self.assertIn(said, handler.log)

    def test_should_refuse_an_executable_script_that_the_kernel_would_not_run(self):
        for script, said in [
            ("#!/bin/sh\r\ncat\r\n", "fn.sh has Windows line ends"),
            ("#!/usr/bin/cobol\n", "/usr/bin/cobol, which is not in the image"),
            ("#!/tmp\n", "/tmp, which is not in the image"),
        ]:
            handler = self.launch({"fn.sh": script})
            handler.exit_code()
            (handler.folder / "fn.sh").chmod(0o755)
            self.assertEqual(handler.again().exit_code(), 1)
            self.assertIn(said, handler.log)

    def test_should_end_with_1_and_say_why_it_cannot_run(self):
        for files, environment, said in [
            ({"fn.sh": "#!/bin/sh\r\ncat\r\n"}, {}, "fn.sh has Windows line ends"),
            ({"fn.sh": "cat\r\n"}, {}, "fn.sh has Windows line ends"),
            ({"other.sh": ""}, {}, "fn.sh cannot be read (No such file or directory). Call it fn.sh"),
            ({"fn.sh": "#!/usr/bin/cobol\n"}, {}, "/usr/bin/cobol, which is not in the image"),
            ({"fn.sh": "#!/usr/bin/env cobol\n"}, {}, "names in its first line cobol, which is not in the image"),
            ({"fn.sh": "#!/usr/bin/env -S A=1 cobol -x\n"}, {}, "names in its first line cobol, which is not in the image"),
            ({"fn.sh": "\ufeff#!/bin/bash\ncat"}, {}, "fn.sh begins with a byte order mark. Save it in UTF-8 without one"),
            ({"fn.sh": "#!/bin/bash\ncat".encode("utf-16")}, {}, "fn.sh is in UTF-16. Save it in UTF-8"),
            ({"fn.sh": b"\xfe\xff" + "#!/bin/bash\ncat".encode("utf-16-be")}, {}, "fn.sh is in UTF-16. Save it in UTF-8"),
            ({"fn.sh": b"MZ\0\0"}, {}, "is no program for Linux"),
            ({"fn.sh": "echo"}, {"CONCURRENCY": "0"}, 'CONCURRENCY is "0": give how many processes may run at once, 1 to 64'),
        ]:
            handler = self.launch(files, **environment)
            self.assertEqual(handler.exit_code(), 1)
            self.assertIn(said, handler.log)


if __name__ == "__main__":
    unittest.main()
