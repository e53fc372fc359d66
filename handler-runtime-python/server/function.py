"""The function: which file it is in, what it is called with, and what becomes of its result."""

import functools
import importlib.util
import os
import site
import sys
import threading

from http_message import BYTES, TEXT, Answer, checked_fields, checked_status

JSON = "application/json"
ANY_NUMBER, ASYNC = 0x04, 0x80  # of a code's flags: *args, async def
PACKAGES = ".packages"


def load(folder, entry):
    """The function of an archive as what HandlerServer.serve wants. Ends the process where there is none that can be loaded.

    `entry` is the path of its file in the archive, or None: `fn.py`, or else the only Python file at the top.
    """
    path = os.path.join(folder, entry or _only_file(folder))
    # In an order that people know: the file's folder, the archive, Python's own, what was installed.
    sys.path[0] = os.path.dirname(path)
    if sys.path[0] != folder:
        sys.path.insert(1, folder)
    site.addsitedir(os.path.join(folder, PACKAGES))
    name = os.path.basename(path).removesuffix(".py")
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or not os.path.isfile(path):
            sys.exit(f"The function does not load: the archive has no Python file {entry}.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except SystemExit as error:
        sys.exit(f"The function does not load: {path} ended the process ({error.code}).")
    except BaseException as error:
        print(f"The function does not load: {path} fails.", file=sys.stderr)
        if not isinstance(error, ModuleNotFoundError) or error.name is None:
            raise
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(f"Name what brings {error.name.partition('.')[0]} in requirements.txt, or put it into the archive.")
    function = getattr(module, "fn", None)
    if not callable(function):
        sys.exit(f"The function does not load: {path} has no function fn. Write: def fn(input, headers): …")
    return _invocation(function)


def _only_file(folder):
    files = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    if "fn.py" in files:
        return "fn.py"
    if len(files) != 1:
        sys.exit(
            f"The function does not load: there is no fn.py, and {len(files)} other Python files at the top of the archive."
            " Call the function's file fn.py, or name it as the entry."
        )
    return files[0]


def _invocation(function):
    takes, of_bytes, is_async = _parameters(function)
    if is_async:
        _event_loop()  # before the handler is healthy, not with the first request

    def invoke(request):
        body = request.body if of_bytes else _text(request.body)
        result = function(*(body, _headers(request.fields))[:takes])
        if hasattr(result, "__await__"):
            result = _await(result)
        return _answer(result)

    return invoke


def _parameters(function):
    """How many parameters to give, 0 to 2; whether the first is declared to be bytes; whether it is an `async def`."""
    described = _described(function)
    code = getattr(described, "__code__", None)
    if code is None:
        return 2, False, False
    names = code.co_varnames[: code.co_argcount][hasattr(described, "__self__") :]
    if not hasattr(function, "__wrapped__"):  # a decorator may give some itself
        _check_parameters(described, names, code)
    first = getattr(described, "__annotations__", {}).get(names[0]) if names else None
    takes = 2 if code.co_flags & ANY_NUMBER else min(2, len(names))
    return takes, first in (bytes, "bytes"), bool(code.co_flags & ASYNC)


def _described(function):
    """What has the parameters: what a decorator wraps that passes on whatever it is given, or the `__call__` of an object."""
    while hasattr(function, "__wrapped__") and getattr(getattr(function, "__code__", None), "co_flags", ANY_NUMBER) & ANY_NUMBER:
        function = function.__wrapped__
    return function if hasattr(function, "__code__") or isinstance(function, type) else function.__call__


def _check_parameters(function, names, code):
    """Ends the process where each call would fail."""
    needed = names[: len(names) - len(function.__defaults__ or ())]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    by_name = [name for name in by_name if name not in (function.__kwdefaults__ or {})]
    if len(needed) > 2:
        wrong = f"fn needs {len(needed)} arguments ({', '.join(needed)}), of which it gets 2 at most: the body and the headers"
    elif by_name:
        wrong = f"fn needs {', '.join(by_name)} by name, but gets the body and the headers by their place"
    else:
        return
    sys.exit(f"The function does not load: {wrong}. Write: def fn(input, headers): …")


def _text(body):
    if not body:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _headers(fields):
    headers = {}
    for name, value in fields:
        name = _capitalised(name)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


@functools.lru_cache(256)
def _capitalised(name):
    """As functions of the existing tinyFaaS get them from Go's HTTP client: `User-Agent`, `X-Tinyfaas-Method`."""
    return "-".join(part.capitalize() for part in name.split("-"))


@functools.cache
def _event_loop():
    """The one event loop of all async invocations, in a thread of its own; asyncio costs a handler 7 MB, so only if needed."""
    import asyncio

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="event-loop", daemon=True).start()
    return loop


def _await(awaitable):
    import asyncio

    async def whole():
        return await awaitable

    return asyncio.run_coroutine_threadsafe(whole(), _event_loop()).result()


def _answer(result):
    if not isinstance(result, tuple):
        return _of(200, [], result)
    if not 2 <= len(result) <= 3:
        raise TypeError("A tuple is an answer of body, status and perhaps headers: (body, 201, {'Location': '/things/7'}).")
    body, status, *headers = result
    fields = headers[0] if headers else {}
    return _of(checked_status(status), fields.items() if hasattr(fields, "items") else fields, body)


def _of(status, fields, body):
    if body is None:
        return Answer(status, checked_fields(fields, None), b"")
    if isinstance(body, str):
        return Answer(status, checked_fields(fields, TEXT), body.encode())
    if isinstance(body, (bytes, bytearray, memoryview)):
        return Answer(status, checked_fields(fields, BYTES), bytes(body))
    import json

    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"The result cannot be written as JSON: {error}. Return str, bytes, None, or what JSON has.") from None
    return Answer(status, checked_fields(fields, JSON), text.encode())
