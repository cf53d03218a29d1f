"""What is done after a supervisor was killed: the embedded database must not stay behind.

The web server turns into this program when its leash is cut: in the old process the connections
of its threads would keep the database busy for ever.
"""

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from racecontrol.devdb import Cluster
from racecontrol.supervisor import AlreadyRunning, RunLock

PATIENCE = 15.0  # seconds for the other children, which finish or cut off their jobs


def put_away(data: Path) -> None:
    """Stop the server once the other children have left, unless a new set has begun."""
    lock = RunLock(data.parent / "up.lock")
    try:
        lock.take()
    except AlreadyRunning:
        return
    cluster = Cluster(data)
    deadline = time.monotonic() + PATIENCE
    while not cluster.stop_if_unused() and time.monotonic() < deadline:
        time.sleep(0.1)
    lock.free()


def become_this(cluster: Cluster) -> NoReturn:
    os.chdir(Path(__file__).parent.parent)
    os.execv(sys.executable, [sys.executable, "-m", "racecontrol.aftermath", str(cluster.data)])


if __name__ == "__main__":
    put_away(Path(sys.argv[1]))
