"""What calls that a function makes say again of the request that it is serving: until when somebody waits, how deep it is, the trace."""

import os

PASSED_ON = frozenset(("x-tinyfaas-deadline", "x-tinyfaas-depth", "traceparent", "tracestate"))

# A function that may call no others pays for none of this.
may_call = bool(os.environ.get("TINYFAAS_CALLS_SOCKET"))
if may_call:
    import contextvars

    _passed_on = contextvars.ContextVar("passed_on", default={})


def begin(fields):
    """Of this thread, and of the tasks that it has done by an event loop."""
    _passed_on.set({name.lower(): value for name, value in fields if name.lower() in PASSED_ON})


def passed_on():
    """By names in lower case; empty outside of an invocation."""
    return _passed_on.get()
