"""The runtime's own modules, in a package whose name no archive has: a function's `function.py` is not taken for one of them."""
