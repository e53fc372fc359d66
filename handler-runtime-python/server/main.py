"""Starts one handler: loads the function, then serves it. `main.py [folder]`; see ../README.md."""

import os
import sys

from function import load
from http_server import HandlerServer


def main(folder):
    # A pipe's output would be kept back in blocks of 8 KiB.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    server = HandlerServer()
    server.serve(load(folder, os.environ.get("TINYFAAS_ENTRY")))


main(sys.argv[1] if len(sys.argv) > 1 else "/function")
