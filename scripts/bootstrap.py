"""python3 scripts/bootstrap.py VENV REQUIREMENTS: make the environment, once. Standard library only.

A stamp with the hash of the requirements and of the Python makes the second call free.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

# Only tests and tools import these; their code is compiled when it is first used.
RARELY_USED = ("tests?", "testing", "pip", "setuptools", "mypy", "mypyc", "playwright", "pygments")
RARELY_USED += ("hypothesis", "schemathesis", "werkzeug", "rich", "graphql", "harfile")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python gets this far
        sys.exit(f"Race Control needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    home, requirements = Path(sys.argv[1]), Path(sys.argv[2])
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = home / ".ready"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    lock = home.parent / ".var" / "bootstrap.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("a") as file:  # `make run` and `make test` at once: one of them installs
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            install(home, requirements)
            stamp.write_text(wanted)


def install(home: Path, requirements: Path) -> None:
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        sys.exit(
            "This Python cannot make environments: install the package that holds venv "
            "(python3-venv on Debian and Ubuntu) and run the same command again."
        )
    print(
        f"making {home} and installing the pinned packages (once, about half a minute)", flush=True
    )
    venv.create(home, with_pip=True, clear=True, symlinks=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    flags = ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    flags += ["--no-compile"]
    # As root pip warns about permissions; inside our own environment there is nothing to warn of.
    environment = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    result = subprocess.run([*pip, *flags, "-r", str(requirements)], env=environment, check=False)
    if result.returncode:
        sys.exit(
            "The packages could not be installed; pip says why above. Run the same command again."
        )
    # pip would compile everything on one core: the site's own packages are enough, on all cores.
    code = [str(home / "bin" / "python"), "-m", "compileall", "-q", "-j", "0"]
    subprocess.run([*code, "-x", f"/({'|'.join(RARELY_USED)})/", str(home / "lib")], check=False)


main()
