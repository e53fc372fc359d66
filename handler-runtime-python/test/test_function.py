"""What a function is called with, and what becomes of its result."""

import json
import threading
import unittest

from handler import LONGER, HandlerTest, eventually

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"


WRAPPED = """import functools
def logged(function):
  @functools.wraps(function)
  def wrapper(*args, **named): return function(*args, **named)
  return wrapper
"""
PARTIAL = "import functools\nclass C:\n  def fn(self, lamp, input: bytes, headers): return f'{lamp} {input}'\n"
WITH_A_LAMP = """import functools
def with_a_lamp(function):
  @functools.wraps(function)
  def wrapper(input, headers): return function('l', input, headers)
  return wrapper
"""


class FunctionTest(HandlerTest):
    def fn(self, code, **environment):
        return self.start({"fn.py": code}, **environment)

    def test_should_give_text_none_or_bytes(self):
        handler = self.fn("def fn(input, headers): return repr(input)")
        for body, seen in [(b"", "None"), ("Grüße 🌍".encode(), "'Grüße 🌍'"), (b"\xff\x00", "b'\\xff\\x00'")]:
            self.assertEqual(handler.call(body=body)[2].decode(), seen)

    def test_should_give_bytes_where_they_are_declared(self):
        for code in ("def fn(input: bytes, headers): ", 'def fn(input: "bytes"): '):
            handler = self.fn(code + "return repr(input)")
            self.assertEqual([handler.call(body=body)[2] for body in (b"", b"text")], [b"b''", b"b'text'"])

    def test_should_give_bytes_where_they_are_declared_among_others(self):
        for declared in ("bytes | None", "'bytes | None'", "Optional[bytes]", "'Optional[bytes]'", "bytearray", "memoryview", "Buffer", "bytes | Buffer"):
            handler = self.fn(f"from typing import Optional\nfrom collections.abc import Buffer\ndef fn(input: {declared}, headers): return repr(input)")
            self.assertEqual(handler.call()[2], b"b''", declared)
        for declared in ("str | bytes | None", "list[bytes]", "str", "None", "'bytes of a lamp'"):
            self.assertEqual(self.fn(f"def fn(input: {declared}): return repr(input)").call()[2], b"None", declared)

    def test_should_give_as_much_as_is_taken(self):
        for code, seen in [
            ("fn = lambda: 'nothing'", "nothing"),
            ("fn = lambda input: input", "x"),
            ("fn = lambda *all: str(len(all))", "2"),
            ("class C:\n  def fn(self, input): return input\nfn = C().fn", "x"),
            ("class C:\n  def __call__(self, input, headers): return input\nfn = C()", "x"),
            ("class C:\n  def __call__(self): return 'nothing'\nfn = C()", "nothing"),
            ("fn = lambda input, headers, lamp='on', *, more=1: lamp", "on"),
            (f"{WRAPPED}@logged\ndef fn(input): return input", "x"),
            (f"{WRAPPED}@logged\ndef fn(input: bytes, headers): return input", "x"),
            ("import functools\n@functools.cache\ndef fn(input): return input", "x"),
            (f"{WITH_A_LAMP}@with_a_lamp\ndef fn(lamp, input, headers): return lamp + input", "lx"),
            ("import functools\ndef lit(lamp, input): return lamp + input\nfn = functools.partial(lit, 'l')", "lx"),
            ("import functools\ndef lit(input, headers, lamp): return input + lamp\nfn = functools.partial(lit, lamp='l')", "xl"),
            (f"{WRAPPED}@logged\ndef lit(lamp, input): return lamp + input\nfn = functools.partial(lit, 'l')", "lx"),
            (f"{WITH_A_LAMP}fn = functools.partial(with_a_lamp(lambda lamp, input, headers: lamp + input))", "lx"),
            (f"{PARTIAL}fn = functools.partial(C().fn, 'l')", "l b'x'"),
            (f"{PARTIAL}fn = functools.partial(functools.partial(C().fn), 'l')", "l b'x'"),
            ("import functools\nasync def lit(lamp, input): return lamp + input\nfn = functools.partial(lit, 'l')", "lx"),
            ("fn = str.upper", "X"),
            ("class fn(dict):\n  def __init__(self, input): self['lamp'] = input", '{"lamp":"x"}'),
            ("class C:\n  async def __call__(self, input): return input\nfn = C()", "x"),
        ]:
            self.assertEqual(self.fn(code).call(body=b"x")[2].decode(), seen, code)

    def test_should_capitalise_header_names(self):
        handler = self.fn("def fn(input, headers): return dict(headers)")
        sent = {"user-agent": "curl", "X-tinyFaaS-Method": "GET", "ETAG": "1", "x": "1"}
        seen = json.loads(handler.call(headers=sent)[2])
        self.assertLessEqual({"User-Agent": "curl", "X-Tinyfaas-Method": "GET", "Etag": "1", "X": "1"}.items(), seen.items())

    def test_should_join_headers_that_come_twice(self):
        handler = self.fn("def fn(input, headers): return headers['A']")
        self.assertTrue(handler.raw(b"POST /fn HTTP/1.1\r\nA: 1\r\na: 2\r\n\r\n").endswith(b"1, 2"))

    def test_should_answer_what_is_returned(self):
        handler = self.fn("def fn(input, headers): return eval(input)")
        for code, status, type_, body in [
            ("None", 200, None, b""),
            ("'ü'", 200, TEXT, "ü".encode()),
            ("b'\\xff'", 200, BYTES, b"\xff"),
            ("bytearray(2)", 200, BYTES, b"\0\0"),
            ("{'a': ['ü', None]}", 200, "application/json", '{"a":["ü",null]}'.encode()),
            ("[1, 2]", 200, "application/json", b"[1,2]"),
            ("True", 200, "application/json", b"true"),
            ("('made', 201)", 201, TEXT, b"made"),
            ("('<p>', 200, {'content-type': 'text/html'})", 200, "text/html", b"<p>"),
            ("(None, 204)", 204, None, b""),
            ("({'n': 1}, 404, [('X-A', '1')])", 404, "application/json", b'{"n":1}'),
        ]:
            answer = handler.call(body=code.encode())
            self.assertEqual((answer[0], answer[1].get("content-type"), answer[2]), (status, type_, body), code)

    def test_should_fail_and_say_what_to_return_where_json_has_no_such_value(self):
        handler = self.fn("nan, inf = float('nan'), float('inf')\ndef fn(input, headers): return eval(input)")
        for code in ("nan", "[1, inf]", "{'a': -inf}", "{nan: 1}", "({'a': nan}, 201)", "object()", "{'a': {1}}"):
            status, headers, body = handler.call(body=code.encode())
            self.assertEqual((status, headers["content-type"]), (500, TEXT), code)
            self.assertIn(b"cannot be written as JSON", body, code)
            self.assertIn(b"Return str, bytes, None, or what JSON has", body, code)

    def test_should_fail_for_what_is_no_answer(self):
        handler = self.fn("def fn(input, headers): return eval(input)")
        for code in ("('x', 99)", "('x',)", "('x', True)", "object()", "('x', 200, {'a b': '1'})", "('x', 200, {'A': '1\\n2'})", "'\\ud800'"):
            self.assertEqual(handler.call(body=code.encode())[0], 500, code)

    def test_should_drop_headers_that_belong_to_the_connection(self):
        handler = self.fn("fn = lambda: ('x', 200, {'Content-Length': '7', 'Connection': 'close', 'A': '1'})")
        _, headers, body = handler.call()
        self.assertEqual((headers, body), ({"content-type": TEXT, "a": "1", "content-length": "1"}, b"x"))

    def test_should_answer_500_with_one_line_and_log_the_trace(self):
        handler = self.fn("def fn(input, headers): raise KeyError('no\\nlamp')\n")
        status, headers, body = handler.call()
        self.assertEqual((status, headers["content-type"], body), (500, TEXT, b"'no\\nlamp'"))
        self.assertIn('fn.py", line 1, in fn', handler.log)
        self.assertNotIn("http_server.py", handler.log)

    def test_should_live_on_when_a_function_ends_itself(self):
        handler = self.fn("import sys\ndef fn(input, headers): sys.exit('enough')")
        for _ in range(2):
            self.assertEqual(handler.call()[::2], (500, b"enough"))

    def test_should_run_many_at_once(self):
        for code in (
            "import threading\nall = threading.Barrier(60)\ndef fn(input, headers): all.wait(); return input",
            "import asyncio\nall = asyncio.Barrier(60)\nasync def fn(input, headers): await all.wait(); return input",
        ):
            handler = self.fn(code)
            answers = []
            threads = [threading.Thread(target=lambda n=n: answers.append(handler.call(body=b"%d" % n)[2] == b"%d" % n)) for n in range(60)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(answers, [True] * 60)

    def test_should_fail_an_async_function_alone(self):
        handler = self.fn("async def fn(input, headers):\n  if input: raise ValueError(input)\n  return 'well'")
        self.assertEqual([handler.call(body=body)[::2] for body in (b"bad", b"")], [(500, b"bad"), (200, b"well")])

    def test_should_log_each_line_at_once(self):
        handler = self.fn(f"import time\ndef fn(input, headers): print('begun'); time.sleep({LONGER})")
        threading.Thread(target=handler.call, daemon=True).start()
        eventually(lambda: "begun\n" in handler.log, handler)


class LoadingTest(HandlerTest):
    def test_should_find_the_file(self):
        for files, entry in [
            ({"fn.py": "fn = lambda: 'here'", "other.py": ""}, None),
            ({"light.py": "fn = lambda: 'here'", "sub/more.py": ""}, None),
            ({"fn.py": "", "src/light.py": "from near import text\nfrom far.away import x\nfn = lambda: text", "src/near.py": "text = 'here'", "far/away.py": "x = 1"}, "src/light.py"),
        ]:
            handler = self.start(files, **({"TINYFAAS_ENTRY": entry} if entry else {}))
            self.assertEqual(handler.call()[2], b"here")

    def test_should_find_modules_that_are_called_like_the_runtimes(self):
        own = {f"{name}.py": f"text = '{name}'" for name in ("http_server", "http_message", "main", "process")}
        for files in ({"function.py": "text = 'function'"}, {"function/__init__.py": "text = 'function'"}):
            handler = self.start({"fn.py": "import function, http_server, http_message, main, process\nfn = lambda: function.text + http_server.text + main.text", **files, **own})
            self.assertEqual((handler.call()[2], handler.log), (b"functionhttp_servermain", ""))

    def test_should_keep_what_it_needs_where_modules_are_called_like_pythons(self):
        for name in ("json", "traceback", "asyncio", "signal", "types", "tokenize", "linecache", "concurrent/__init__", "encodings/__init__"):
            handler = self.start({"fn.py": "async def fn(input, headers): return 1 / len(input or ''), input", f"{name}.py": "raise ValueError('it is not to be loaded')"})
            self.assertEqual(handler.call(body=b"x")[::2], (500, b"The status 'x' is not a whole number from 200 to 599."), name)
            self.assertEqual(handler.call()[::2], (500, b"division by zero"))
            self.assertIn('fn.py", line 1, in fn', handler.log)
            said = f"{name.removesuffix('/__init__')}{'' if '/' in name else '.py'} has the name of a module of Python"
            self.assertEqual(handler.log.count(said), 1, handler.log)

    def test_should_find_modules_whose_names_are_free(self):
        files = {"csv.py": "text = 'own'", "logging/__init__.py": "text = 'too'", "light.py": "text = ' here'", "sub/json.py": "raise ValueError"}
        handler = self.start({"fn.py": "import csv, logging, light\nfn = lambda: [csv.text, logging.text + light.text]", **files})
        self.assertEqual((handler.call()[2], handler.log), (b'["own","too here"]', ""))

    def test_should_not_take_the_entry_for_a_module_of_python(self):
        for name in ("json", "signal", "calendar", "_tinyfaas_runtime", "__main__"):
            handler = self.start({f"{name}.py": "import multiprocessing.pool\nfn = lambda: {'in': __name__}"}, TINYFAAS_ENTRY=f"{name}.py")
            self.assertEqual((handler.call()[2], handler.log), (b'{"in":"fn"}', ""))

    def test_should_load_what_was_installed(self):
        handler = self.start({"fn.py": "import lamp\nfn = lambda: lamp.state", ".packages/lamp.py": "state = 'on'"})
        self.assertEqual(handler.call()[2], b"on")

    def test_should_end_with_1_and_say_why_it_does_not_load(self):
        for files, said in [
            ({"fn.py": "import nothing_like_that"}, "ModuleNotFoundError: No module named 'nothing_like_that'"),
            ({"fn.py": "import nothing.like_that"}, "Name what brings nothing in requirements.txt"),
            ({"fn.py": "def fn(:"}, "SyntaxError"),
            ({"fn.py": "x = 1"}, "no function fn"),
            ({"fn.py": "def fn(event, context, callback): pass"}, "fn needs 3 arguments (event, context, callback), of which it gets 2 at most"),
            ({"fn.py": "def fn(a, b, c, *more, d=1): pass"}, "fn needs 3 arguments (a, b, c)"),
            ({"fn.py": "def fn(input, *, headers): pass"}, "fn needs headers by name"),
            ({"fn.py": "async def fn(a, b, c): pass"}, "Write: def fn(input, headers)"),
            ({"fn.py": "class C:\n  def fn(self, a, b, c): pass\nfn = C().fn"}, "fn needs 3 arguments (a, b, c)"),
            ({"fn.py": "class C:\n  def __call__(self, a, b, c): pass\nfn = C()"}, "fn needs 3 arguments (a, b, c)"),
            ({"fn.py": "import functools\n@functools.lru_cache\ndef fn(input, headers): pass"}, "lru_cache, which cannot keep results by headers"),
            ({"fn.py": f"{WRAPPED}@logged\n@functools.cache\ndef fn(input, headers): pass"}, "Cache a function of the input that fn calls"),
            ({"fn.py": WRAPPED.replace("*args, ", "") + "@logged\ndef fn(input): pass"}, "what wraps fn takes arguments by name only"),
            ({"fn.py": "import functools\nfn = functools.partial(lambda a, b, c, d: 0, 1)"}, "fn needs 3 arguments (b, c, d)"),
            ({"fn.py": "class fn:\n  def __init__(self, a, b, c): pass"}, "fn needs 3 arguments (a, b, c)"),
            ({"fn.py": "import sys; sys.exit(0)"}, "ended the process (0)"),
            ({"a.py": "", "b.py": ""}, "there is no fn.py, and 2 other"),
            ({"fn.txt": ""}, "there is no fn.py, and 0 other"),
        ]:
            handler = self.launch(files)
            self.assertEqual(handler.exit_code(), 1)
            self.assertIn("The function does not load", handler.log)
            self.assertIn(said, handler.log)
        for entry, said in (("gone.py", "no Python file gone.py"), ("gone/fn.py", "no Python file gone/fn.py"), ("fn.txt", "fn.txt is no Python file")):
            handler = self.launch({"fn.py": "", "json.py": "", "fn.txt": ""}, TINYFAAS_ENTRY=entry)
            self.assertEqual(handler.exit_code(), 1)
            self.assertIn(said, handler.log)

    def test_should_stop_while_it_loads(self):
        handler = self.launch({"fn.py": f"import time\nprint('loading')\ntime.sleep({LONGER})"})
        eventually(lambda: "loading" in handler.log, handler)
        handler.terminate()
        self.assertEqual(handler.exit_code(), 0)


POOL = "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\ndef double(n): return 2 * n\n"
FORKS = f"""import os, signal, time
def fn(input, headers):
  ready, child_is_ready = os.pipe()
  child = os.fork()
  if child == 0:
    os.write(child_is_ready, b'x')
    time.sleep({LONGER})
  os.read(ready, 1)
  if input == 'leave it': return 'left'
  os.kill(child, signal.SIGTERM)
  return str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
FORKS_FOR_NOTHING = f"""import os, signal, time
def code():
  child = os.fork()
  if child == 0: time.sleep({LONGER})
  os.kill(child, signal.SIGTERM)
  return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def fn(input, headers): return list(set(code() for _ in range(300)))
"""


class ForkingTest(HandlerTest):
    def test_should_outlive_processes_of_the_function(self):
        for code in (
            "def fn(input, headers):\n  with multiprocessing.Pool(2) as pool: return pool.map(double, [1, 2])",
            "pool = multiprocessing.Pool(2)\nfn = lambda: pool.map(double, [1, 2])",
            "def fn(input, headers):\n  with ProcessPoolExecutor(2) as pool: return list(pool.map(double, [1, 2]))",
        ):
            handler = self.start({"fn.py": POOL + code})
            for _ in range(50):
                self.assertEqual(handler.call()[::2], (200, b"[2,4]"), handler.log)

    def test_should_let_a_function_start_processes_anew(self):
        for files, environment in (
            ({"fn.py": POOL + "def fn(input, headers):\n  with multiprocessing.get_context('spawn').Pool(2) as pool: return pool.map(double, [1, 2])"}, {}),
            ({"src/light.py": POOL + "def fn(input, headers):\n  with multiprocessing.get_context('forkserver').Pool(1) as pool: return pool.map(double, [1, 2])"}, {"TINYFAAS_ENTRY": "src/light.py"}),
        ):
            handler = self.start(files, **environment)
            for _ in range(3):
                self.assertEqual(handler.call()[::2], (200, b"[2,4]"), handler.log)

    def test_should_end_a_forked_process_alone(self):
        handler = self.start({"fn.py": FORKS})
        for _ in range(3):
            self.assertEqual(handler.call()[2], b"-15")

    def test_should_end_a_forked_process_however_early(self):
        handler = self.start({"fn.py": FORKS_FOR_NOTHING})
        self.assertEqual(handler.call()[2], b"[-15]")

    def test_should_have_no_socket_in_a_forked_process(self):
        handler = self.start({"fn.py": FORKS})
        answer = handler.raw(b"POST /fn HTTP/1.1\r\nConnection: close\r\nContent-Length: 8\r\n\r\nleave it")
        self.assertTrue(answer.endswith(b"\r\n\r\nleft"), answer)
        handler.terminate()
        self.assertEqual(handler.exit_code(), 0)
        self.assertRaises(ConnectionRefusedError, handler.connect)


if __name__ == "__main__":
    unittest.main()
