"""Keeps a set of processes running: started, restarted with back-off, ended together.

No process outlives the set: children hold a pipe to us (`shared.leash`), and each has its own
process group, which is ended as a whole. Used by `manage.py up`.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

Say = Callable[[str], None]

FIRST_PAUSE: Final = 0.5  # seconds before the first restart; doubled for each quick death
LONGEST_PAUSE: Final = 20.0
STEADY_SECONDS: Final = 30.0  # a child that lived this long starts counting anew


class AlreadyRunning(Exception):
    """Somebody else holds the folder. `pid` and `url` as far as they are known."""

    def __init__(self, pid: int | None, url: str):
        super().__init__(f"process {pid}, {url or 'still starting'}")
        self.pid = pid
        self.url = url


class RunLock:
    """One set of processes per folder. The system frees the lock when its holder dies."""

    def __init__(self, path: Path):
        self.path = path
        self.file: TextIO | None = None

    def take(self, *, wait: float = 0.0) -> None:
        """Take the lock. A holder whose process is gone is a set on its way out: waited for.

        Raises AlreadyRunning.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + wait
        self.file = self.path.open("a+")
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid, url = self.holder()
                if (pid and _is_alive(pid)) or time.monotonic() > deadline:
                    self.file.close()
                    self.file = None
                    raise AlreadyRunning(pid, url) from None
                time.sleep(0.1)
            else:
                self.note("")
                return

    def note(self, url: str) -> None:
        """Write down who holds the lock and where the site answers."""
        assert self.file is not None
        self.file.truncate(0)
        self.file.write(json.dumps({"pid": os.getpid(), "url": url}))
        self.file.flush()

    def holder(self) -> tuple[int | None, str]:
        try:
            told = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return None, ""
        return told.get("pid"), told.get("url", "")

    def free(self) -> None:
        if self.file is not None:
            self.file.truncate(0)
            self.file.close()
            self.file = None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def free_port(wanted: int) -> int:
    """`wanted`, or the next port of this machine that nobody listens on."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise OSError(f"No free port from {wanted} to {wanted + 49}.")


class Child:
    """One process of the set, on a leash, its output prefixed with its name."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]):
        self.name = name
        self.command = command
        self.environment = environment
        self.process: subprocess.Popen | None = None
        self.quick_deaths = 0
        self.started_at = 0.0
        self.back_at: float | None = None  # when it died: the moment of the next start

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.PIPE,  # never written to: its end is how the child learns of ours
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.started_at, self.back_at = time.monotonic(), None
        threading.Thread(target=self._echo, args=(self.process.stdout,), daemon=True).start()

    def _echo(self, output: TextIO) -> None:
        for line in output:
            sys.stdout.write(f"{self.name:>11} | {line}")
            sys.stdout.flush()
        output.close()

    def look_after(self, say: Say) -> None:
        """Notice a death, start again when its pause is over."""
        moment = time.monotonic()
        if self.back_at is not None:
            if moment >= self.back_at:
                self.start()
        elif self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            self.bury()
            is_quick = moment - self.started_at < STEADY_SECONDS
            self.quick_deaths = self.quick_deaths + 1 if is_quick else 0
            pause = min(FIRST_PAUSE * 2 ** max(self.quick_deaths - 1, 0), LONGEST_PAUSE)
            self.back_at = moment + pause
            say(f"{self.name} ended ({code}); back in {pause:.1f} s")

    def restart(self) -> None:
        self.bury()
        self.start()

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(max(seconds, 0.0))

    def bury(self) -> None:
        """End whatever is left of the process and its own children."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


class Supervisor:
    """Starts children, looks after them until told to stop, ends them."""

    def __init__(self, say: Say):
        self.say = say
        self.children: list[Child] = []
        self.stopping = threading.Event()
        self.is_hurried = False

    def heed_signals(self) -> None:
        """Ctrl-C, a closed terminal or `kill` stop the set; a second Ctrl-C does not wait."""

        def stop(number: int, frame: object) -> None:
            self.is_hurried = self.stopping.is_set()
            self.stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)

    def add(self, child: Child) -> Child:
        self.children.append(child)
        child.start()
        return child

    def look_after(self) -> None:
        for child in self.children:
            child.look_after(self.say)

    def end(self, *, patience: float = 15.0) -> None:
        """Ask all children to end, wait, then insist. Jobs that are cut off are run again."""
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + patience
        for child in self.children:
            while time.monotonic() < deadline and not self.is_hurried:
                child.wait(0.1)
                if child.process is None or child.process.poll() is not None:
                    break
            child.bury()
