"""The build step of a function: installs what its requirements.txt asks for into `.packages`. Run as root in the function's folder.

Wheels in the archive's folder `wheels/` are all that is looked at if there is one, so that a box without internet can build.
"""

import glob
import os
import subprocess
import sys

PIP = glob.glob("/usr/share/python-wheels/pip-*.whl")[0]  # runs as it is, packed
OPTIONS = [
    "--target=.packages", "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore",
    "--no-warn-script-location", "--progress-bar=off", "--quiet", "--cert=/etc/ssl/certs/ca-certificates.crt",
    # An unreachable index is told in seconds.
    "--retries=1", "--timeout=15",
]  # fmt: skip

with open("requirements.txt", encoding="utf-8", errors="replace") as file:
    wanted = [line for line in map(str.strip, file) if line and not line.startswith("#")]
if not wanted:
    sys.exit(print("requirements.txt asks for nothing."))
offline = os.path.isdir("wheels")
print(f"pip install --requirement=requirements.txt{' from wheels/' if offline else ''}", flush=True)
os.umask(0o022)  # the function runs as another user, which must be able to read what is installed
source = ["--no-index", "--find-links=wheels"] if offline else []
command = [sys.executable, "-m", "pip", "install", *OPTIONS, *source, "--requirement=requirements.txt"]
if subprocess.run(command, env={**os.environ, "PYTHONPATH": PIP}, stdin=subprocess.DEVNULL).returncode != 0:
    sys.exit(
        "pip install failed. Check requirements.txt, and that the package index can be reached or wheels/ has all that is asked for,"
        " dependencies included; a package that compiles native code needs a wheel."
    )
