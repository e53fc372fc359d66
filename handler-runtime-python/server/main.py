"""Starts one handler: loads the function, then serves it. `main.py [folder]`; see ../README.md."""

import os
import sys


def main(folder):
    # Here and not above: a process that multiprocessing starts anew runs this file, too, and has the function's path.
    from _tinyfaas_runtime.function import load
    from _tinyfaas_runtime.http_server import HandlerServer

    # A pipe's output would be kept back in blocks of 8 KiB.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    server = HandlerServer()
    server.serve(load(folder, os.environ.get("TINYFAAS_ENTRY")))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "/function")
