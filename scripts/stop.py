"""make stop: end what `make run` started in this folder, and a database that a command left running."""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / ".var" / "up.lock"


def is_held() -> bool:
    with LOCK.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def stop_database() -> None:
    """Every manage.py command starts the embedded server; only `make run` stops it by itself."""
    sys.path.insert(0, str(ROOT))
    from racecontrol.devdb import Cluster

    cluster = Cluster(ROOT / ".var" / "pg")
    if cluster.running() and cluster.stop_if_unused():
        print("The database was still running; stopped.")


def main() -> None:
    if not LOCK.exists() or not is_held():
        stop_database()
        print("Nothing runs here.")
        return
    try:
        pid = int(json.loads(LOCK.read_text())["pid"])
    except (ValueError, KeyError):
        sys.exit("It is just starting or ending; try again.")
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        pass  # killed; its children are putting things away
    except PermissionError:
        sys.exit(f"Process {pid} belongs to another user.")
    deadline = time.monotonic() + 30
    while is_held():
        if time.monotonic() > deadline:
            sys.exit(f"Process {pid} has not ended in 30 s.")
        time.sleep(0.1)
    print("Stopped.")


main()
