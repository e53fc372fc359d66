"""The function's executable."""

import codecs
import os
import re
import struct
import sys

SHELL = "/bin/sh"

ELF = b"\x7fELF"
SMALLER = {b"\x3e\0": b"\x03\0", b"\xb7\0": b"\x28\0"}  # what processors run, too: x86-64 i386, arm64 arm
INTERPRETER = 3  # PT_INTERP: the loader of a program that is linked dynamically
# Of programs of 32 and of 64 bits: how numbers are written; where the table of segments, the size and the number of its entries
# are; an entry's size, and where in it a segment's offset and length are.
LAYOUTS = {b"\1": ("I", 28, 42, 32, 4, 16), b"\2": ("Q", 32, 54, 56, 8, 32)}
MAX_SAID = 64 * 1024


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
    if not interpreter or not os.path.isfile(interpreter[0]) or not os.access(interpreter[0], os.X_OK):
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
        if not _has_segments(header):
            _refuse(f"{entry} is no program but a part of one, or damaged. Link it, and zip the result.")
        loader = _loader(file, header)
    if loader is None:
        return
    if not os.access(loader, os.X_OK):
        _refuse(f"{entry} needs {os.fsdecode(loader)}, which is not in the image. Link it statically.")
    missing = _not_found(loader, path)
    if missing:
        _refuse(f"{entry} needs {', '.join(missing)}, which the image does not have. Link it statically, or build it on Debian 13.")


def _has_segments(header):
    """Whether there is anything to be run in it: an object file has none (ET_REL), and no table of them."""
    _, _, at_size, *_ = LAYOUTS.get(header[4:5], LAYOUTS[b"\2"])
    if len(header) < at_size + 4:
        return False
    order = "<" if header[5] == 1 else ">"
    kind, count = (struct.unpack_from(order + "H", header, at)[0] for at in (16, at_size + 2))
    return kind in (2, 3) and count > 0  # ET_EXEC, ET_DYN


def _loader(file, header):
    """What the program names as its loader; None if it needs none."""
    number, at_table, at_size, its_size, at_offset, at_length = LAYOUTS.get(header[4:5], LAYOUTS[b"\2"])
    order = "<" if header[5] == 1 else ">"
    (table,) = struct.unpack_from(order + number, header, at_table)
    size, count = struct.unpack_from(order + "HH", header, at_size)
    for i in range(count):
        file.seek(table + i * size)
        entry = file.read(its_size)
        if len(entry) == its_size and struct.unpack_from(order + "I", entry)[0] == INTERPRETER:
            (offset,), (length,) = (struct.unpack_from(order + number, entry, at) for at in (at_offset, at_length))
            file.seek(offset)
            return file.read(min(length, 4096)).rstrip(b"\0")
    return None


def _not_found(loader, path):
    """The libraries, and the versions of them, that the loader does not find; it only looks, and starts nothing of the program."""
    if not os.path.basename(loader).startswith(b"ld-linux"):
        return []  # whatever it is, it might run the program
    reading, writing = os.pipe()
    its_output = [(os.POSIX_SPAWN_DUP2, writing, number) for number in (1, 2)]
    as_ldd_does = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "yes"}
    child = os.posix_spawn(loader, [loader, path], as_ldd_does, file_actions=its_output)
    os.close(writing)
    with open(reading, errors="replace") as output:
        said = output.read(MAX_SAID)
    os.waitpid(child, 0)
    found = re.findall(r"^\s*(\S+) => not found|version `([^']+)' not found", said, re.MULTILINE)
    return list(dict.fromkeys(library or version for library, version in found))


def _refuse(why):
    sys.exit(f"The function does not load: {why}")
