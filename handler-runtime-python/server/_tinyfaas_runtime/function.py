"""The function: which file it is in, what it is called with, and what becomes of its result."""

import functools
import importlib.util
import os
import re
import site
import sys
import threading

from . import serving
from .http_message import BYTES, TEXT, Answer, checked_fields, checked_status

JSON = "application/json"
ANY_NUMBER, ANY_NAMES, ASYNC = 0x04, 0x08, 0x80  # of a code's flags: *args, **named, async def
OF_BYTES = {"bytes", "bytearray", "memoryview", "Buffer"}
PACKAGES = ".packages"


def load(folder, entry):
    """The function of an archive as what HandlerServer.serve wants. Ends the process where there is none that can be loaded.

    `entry` is the path of its file in the archive, or None: `fn.py`, or else the only Python file at the top.
    """
    path = os.path.join(folder, entry or _only_file(folder))
    if not os.path.isfile(path):
        sys.exit(f"The function does not load: the archive has no Python file {entry}.")
    _keep_what_the_runtime_needs(path, folder)
    # In an order that people know: the file's folder, the archive, Python's own, what was installed; last the module tinyfaas.
    own = sys.path[0]
    sys.path[0] = os.path.dirname(path)
    if sys.path[0] != folder:
        sys.path.insert(1, folder)
    site.addsitedir(os.path.join(folder, PACKAGES))
    sys.path.append(own)
    name = os.path.basename(path).removesuffix(".py")
    if name in sys.modules or name in sys.stdlib_module_names:
        name = "fn"  # others would take the function's file for Python's module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        sys.exit(f"The function does not load: {entry} is no Python file, whose name ends with .py.")
    try:
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


def _keep_what_the_runtime_needs(path, folder):
    """Loads what the runtime would need later, where a module of the archive could be taken for it, and says which are not found."""
    folders = (folder, os.path.dirname(path))
    own = {name: file for one in folders for name, file in _modules(one) if name in sys.stdlib_module_names}
    if not own:
        return  # most have none, and what follows costs memory
    import json  # noqa: F401
    import traceback  # noqa: F401

    with open(path, "rb") as file:
        if b"async " in file.read():
            _asyncio()
    for file in sorted(file for name, file in own.items() if name in sys.modules and file != path):
        name = os.path.basename(file).removesuffix(".py")
        print(f"{os.path.relpath(file, folder)} has the name of a module of Python, which `import {name}` gives. Call it something else.", file=sys.stderr)


def _modules(folder):
    """Name and path of the modules and packages in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py") or os.path.isfile(os.path.join(entry.path, "__init__.py")):
                yield entry.name.removesuffix(".py"), entry.path


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
        if serving.may_call:
            serving.begin(request.fields)
        body = request.body if of_bytes else _text(request.body)
        result = function(*(body, _headers(request.fields))[:takes])
        if hasattr(result, "__await__"):
            result = _await(result)
        return _answer(result)

    return invoke


def _parameters(function):
    """How many parameters to give, 0 to 2; whether the first is declared to be bytes; whether it is an `async def`."""
    described, is_cached = _described(function)
    try:
        parameters = _of_code(described) if hasattr(described, "__code__") else _of_signature(described)
    except ValueError:
        return 2, False, False  # written in C, and says nothing of itself
    names, needed, by_name, any_number, declared = parameters
    takes = 2 if any_number else min(2, len(names))
    if not hasattr(function, "__wrapped__"):  # a decorator may give some itself
        wrong = _what_fails(needed, by_name)
    elif not names and not any_number and _flags(described) & ANY_NAMES:
        wrong = "what wraps fn takes arguments by name only, but gets the body and the headers by their place"
    else:
        wrong = None
    if is_cached and takes == 2:
        wrong = "fn is behind functools.lru_cache, which cannot keep results by headers, a dict. Cache a function of the input that fn calls"
    if wrong is not None:
        sys.exit(f"The function does not load: {wrong}. Write: def fn(input, headers): …")
    return takes, _is_of_bytes(declared), bool(_flags(described) & ASYNC)


def _described(function):
    """What has the parameters, behind decorators that pass on whatever they are given; and whether one of them is lru_cache.

    It may be the `__call__` of an object, and has what `functools.partial` gives already.
    """
    is_cached = False
    while hasattr(function, "__wrapped__") and not isinstance(function, functools.partial) and _flags(function, ANY_NUMBER) & ANY_NUMBER:
        is_cached = is_cached or hasattr(function, "cache_info")
        function = function.__wrapped__
    if isinstance(function, functools.partial):
        inner, is_inner_cached = _described(function.func)
        return functools.partial(inner, *function.args, **function.keywords), is_cached or is_inner_cached
    if not hasattr(function, "__code__") and hasattr(getattr(type(function), "__call__", None), "__code__"):
        function = function.__call__
    return function, is_cached


def _flags(function, otherwise=0):
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(getattr(function, "__code__", None), "co_flags", otherwise)


def _of_code(function):
    """The names of the parameters by place, those needed, those needed by name, whether any number is taken, what the first is declared as."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount][hasattr(function, "__self__") :]
    needed = names[: len(names) - len(function.__defaults__ or ())]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    by_name = [name for name in by_name if name not in (function.__kwdefaults__ or {})]
    declared = getattr(function, "__annotations__", {}).get(names[0]) if names else None
    return names, needed, by_name, bool(code.co_flags & ANY_NUMBER), declared


def _of_signature(function):
    """The same of what is no plain function: what has arguments already, classes, what is written in C."""
    import inspect  # costs memory, and most functions are plain

    parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    by_place = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    needed = [one.name for one in by_place if one.default is one.empty]
    by_name = [one.name for one in parameters if one.kind == one.KEYWORD_ONLY and one.default is one.empty]
    any_number = any(one.kind == one.VAR_POSITIONAL for one in parameters)
    return [one.name for one in by_place], needed, by_name, any_number, by_place[0].annotation if by_place else None


def _what_fails(needed, by_name):
    """Why each call would fail; None if it would not."""
    if len(needed) > 2:
        return f"fn needs {len(needed)} arguments ({', '.join(needed)}), of which it gets 2 at most: the body and the headers"
    if by_name:
        return f"fn needs {', '.join(by_name)} by name, but gets the body and the headers by their place"
    return None


def _is_of_bytes(declared):
    """Whether it is bytes or what bytes can pass for, perhaps or None: as it was written, where annotations are not evaluated."""
    text = declared if isinstance(declared, str) else declared.__qualname__ if isinstance(declared, type) else str(declared)
    words = {word.rpartition(".")[2] for word in re.findall(r"[\w.]+", text)} - {"None", "Optional", "Union"}
    return bool(words) and words <= OF_BYTES


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
    """The one event loop of all async invocations, in a thread of its own."""
    loop = _asyncio().new_event_loop()
    threading.Thread(target=loop.run_forever, name="event-loop", daemon=True).start()
    return loop


# A process that the function has forked has no such thread.
os.register_at_fork(after_in_child=_event_loop.cache_clear)


def _asyncio():
    """It costs a handler 7 MB, so only if needed."""
    import asyncio

    return asyncio


def _await(awaitable):
    async def whole():
        return await awaitable

    return _asyncio().run_coroutine_threadsafe(whole(), _event_loop()).result()


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
