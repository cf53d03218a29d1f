"""python3 scripts/bootstrap.py VENV FILE…: make the environment, once. Standard library only.

The first file is what the site needs and begins the environment; the others (what tests need) are
added to it. A stamp with the hash of each file and of the Python makes the second call free.
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
RARELY_USED += ("moto", "boto3", "botocore", "s3transfer", "flask", "responses", "jinja2")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python gets this far
        sys.exit(f"Race Control needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    home, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    if all(is_ready(home, file) for file in files):
        return
    lock = home.parent / ".var" / "bootstrap.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("a") as held:  # `make run` and `make test` at once: one of them installs
        fcntl.flock(held, fcntl.LOCK_EX)
        for number, file in enumerate(files):
            if not is_ready(home, file):
                if number == 0:
                    make_environment(home)
                install(home, file)
                stamp(home, file).write_text(fingerprint(file))


def fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes() + sys.version.encode()).hexdigest()


def stamp(home: Path, file: Path) -> Path:
    return home / f".ready-{file.stem}"


def is_ready(home: Path, file: Path) -> bool:
    mark = stamp(home, file)
    return mark.exists() and mark.read_text() == fingerprint(file)


def make_environment(home: Path) -> None:
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        sys.exit(
            "This Python cannot make environments: install the package that holds venv "
            "(python3-venv on Debian and Ubuntu) and run the same command again."
        )
    print(f"making {home} (once, with the packages about half a minute)", flush=True)
    venv.create(home, with_pip=True, clear=True, symlinks=True)


def install(home: Path, requirements: Path) -> None:
    print(f"installing what {requirements} pins", flush=True)
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
