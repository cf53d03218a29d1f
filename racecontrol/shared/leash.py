"""A child process ends when its supervisor is gone, however that died.

The supervisor holds the other end of the child's stdin. A pipe works on every system; signals
for a parent's death do not. Nothing happens where stdin is no pipe (a terminal, systemd).
"""

import os
import signal
import stat
import threading
from typing import Final

GRACE_SECONDS: Final = 10.0


class Leash:
    """`is_cut` once the supervisor is gone."""

    def __init__(self) -> None:
        self.is_cut = False

    def hold(self, grace: float = GRACE_SECONDS) -> None:
        """Watch stdin from now on: when it closes ask this process to end, then insist.

        Insisting takes the whole process group, which must be ours alone.
        """
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            threading.Thread(target=self._watch, args=(grace,), name="leash", daemon=True).start()

    def _watch(self, grace: float) -> None:
        while os.read(0, 1):
            pass
        self.is_cut = True
        os.kill(os.getpid(), signal.SIGTERM)
        if os.getpgrp() == os.getpid():
            threading.Event().wait(grace)
            os.killpg(os.getpid(), signal.SIGKILL)
