"""Starts one handler: finds the function's executable, then runs it once for each invocation. `main.py [folder]`; see ../README.md."""

import os
import sys

from _tinyfaas_runtime.http_server import HandlerServer, max_body
from executable import find
from process import Processes


def main(folder):
    server = HandlerServer()
    os.chdir(folder)
    command = find(os.environ.get("TINYFAAS_ENTRY") or "fn.sh")
    server.serve(Processes(command, max_body()).invoke)


main(sys.argv[1] if len(sys.argv) > 1 else "/function")
