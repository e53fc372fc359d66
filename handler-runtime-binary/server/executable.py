"""The function's executable."""

import os
import sys

SHELL = "/bin/sh"


def find(entry):
    """The words of the command that runs the file `entry` of the working folder. Ends the process where it cannot be run.

    A script may be not executable, as zips made on Windows or by programs have no modes, and may be without a first line
    that names its interpreter: then it is one for the shell, as when a shell is asked to run it.
    """
    path = os.path.join(".", entry)
    try:
        with open(path, "rb") as file:
            start = file.read(256)
    except OSError as error:
        sys.exit(f"The function does not load: {entry} cannot be read ({error.strerror}). Call it fn.sh, or name it as the entry.")
    script = b"\0" not in start
    if os.access(path, os.X_OK) and (start.startswith(b"#!") or not script):
        return [path]
    if not script:
        sys.exit(f"The function does not load: {entry} is not executable. Set its mode before zipping: chmod +x {entry}")
    if not start.startswith(b"#!"):
        return [SHELL, path]
    # As the kernel reads it: the interpreter's path, and all the rest as one argument.
    interpreter = start[2:].split(b"\n")[0].strip().decode("utf-8", "replace").split(None, 1)
    if not interpreter or not os.access(interpreter[0], os.X_OK):
        sys.exit(f"The function does not load: {entry} names an interpreter in its first line that is not in the image.")
    return [*interpreter, path]
