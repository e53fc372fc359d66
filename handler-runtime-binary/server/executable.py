"""The function's executable."""

import codecs
import os
import struct
import sys

SHELL = "/bin/sh"

ELF = b"\x7fELF"
SMALLER = {b"\x3e\0": b"\x03\0", b"\xb7\0": b"\x28\0"}  # what processors run, too: x86-64 i386, arm64 arm
INTERPRETER = 3  # PT_INTERP: the loader of a program that is linked dynamically


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
        _refuse(f"{entry} cannot be read ({error.strerror}). Call it fn.sh, or name it as the entry.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _refuse(f"{entry} is in UTF-16. Save it in UTF-8 and zip it again.")
    if start.startswith(codecs.BOM_UTF8):
        _refuse(f"{entry} begins with a byte order mark. Save it in UTF-8 without one and zip it again.")
    executable = os.access(path, os.X_OK)
    if b"\0" in start:
        _check_program(entry, path)
        if not executable:
            _refuse(f"{entry} is not executable. Set its mode before zipping: chmod +x {entry}")
        return [path]
    first_line = start.split(b"\n")[0]
    if first_line.endswith(b"\r"):
        _refuse(f"{entry} has Windows line ends, which no interpreter here takes. Save it with Unix ones (LF) and zip it again.")
    if not first_line.startswith(b"#!"):
        return [SHELL, path]
    # As the kernel reads it: the interpreter's path, and all the rest as one argument.
    interpreter = first_line[2:].strip().decode("utf-8", "replace").split(None, 1)
    missing = _missing(interpreter)
    if missing is not None:
        _refuse(f"{entry} names in its first line {missing}, which is not in the image. There are /bin/sh, /bin/bash and /usr/bin/python3.")
    return [path] if executable else [*interpreter, path]


def _missing(interpreter):
    """What of a script's first line is not there: the interpreter, or what env is to look for (`/usr/bin/env -S A=1 bash -e`)."""
    if not interpreter or not os.access(interpreter[0], os.X_OK):
        return interpreter[0] if interpreter else "no interpreter"
    if os.path.basename(interpreter[0]) == "env":
        words = [word for word in " ".join(interpreter[1:]).split() if word != "-S" and "=" not in word]
        if words and not words[0].startswith("-"):  # its other options may have arguments
            import shutil  # costs memory, and most handlers do not need it

            return None if shutil.which(words[0]) else words[0]
    return None


def _check_program(entry, path):
    """The kernel says only "Exec format error" or "No such file or directory", and only when the program is called."""
    with open(path, "rb") as file:
        header = file.read(64)
        with open("/proc/self/exe", "rb") as own:
            own_header = own.read(64)
        if not header.startswith(ELF):
            _refuse(f"{entry} is no program for Linux. Build it for Linux on {os.uname().machine}.")
        machine, own_machine = header[18:20], own_header[18:20]
        if machine not in (own_machine, SMALLER.get(own_machine)):
            _refuse(f"{entry} is for another processor than this box has. Build it for Linux on {os.uname().machine}.")
        loader = _loader(file, header)
    if loader is not None and not os.access(loader, os.X_OK):
        _refuse(f"{entry} needs {os.fsdecode(loader)}, which is not in the image. Link it statically.")


def _loader(file, header):
    """What the program names as its loader; None if it needs none, or is not as a 64-bit program is."""
    if len(header) < 64 or header[4] != 2:
        return None
    order = "<" if header[5] == 1 else ">"
    (table,) = struct.unpack_from(order + "Q", header, 32)
    size, count = struct.unpack_from(order + "HH", header, 54)
    for i in range(count):
        file.seek(table + i * size)
        entry = file.read(56)
        if len(entry) == 56 and struct.unpack_from(order + "I", entry)[0] == INTERPRETER:
            offset, length = struct.unpack_from(order + "Q", entry, 8)[0], struct.unpack_from(order + "Q", entry, 32)[0]
            file.seek(offset)
            return file.read(min(length, 4096)).rstrip(b"\0")
    return None


def _refuse(why):
    sys.exit(f"The function does not load: {why}")
