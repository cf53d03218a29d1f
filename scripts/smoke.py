"""`make run` as a newcomer has it: clean clone, start, sign in, import done, Ctrl-C, nothing left.

Run with the project's Python; the clone in a temporary folder makes its own environment.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
FIRST_START = 300  # seconds; a warm package cache and an idle machine need a tenth of it
NEXT_START = 30
IMPORT = 180


class Site:
    """A clone of the project and what runs in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.log = folder.parent / "run.log"
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self.browser = urllib.request.build_opener(cookies)
        self.url = ""

    def start(self, within: float) -> float:
        began = time.monotonic()
        ours = ("VIRTUAL_ENV", "DATABASE_URL", "RACECONTROL_SHARED", "CI", "MAKEFLAGS", "MAKELEVEL")
        environment = {key: value for key, value in os.environ.items() if key not in ours}
        with self.log.open("w") as log:
            self.make = subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # as a terminal has it: Ctrl-C reaches make and us
            )
        while not (found := re.search(r"ready: (http://\S+)   login: demo / demo", self.said())):
            assert self.make.poll() is None, f"make run ended ({self.make.returncode})"
            assert time.monotonic() - began < within, f"not ready in {within} s"
            time.sleep(0.1)
        self.url = found[1]
        return time.monotonic() - began

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def get(self, path: str) -> str:
        with self.browser.open(self.url + path, timeout=30) as answer:
            return answer.read().decode()

    def sign_in(self) -> None:
        form = self.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token, "the sign-in page has no form"
        fields = {"login": "demo", "password": "demo", "csrfmiddlewaretoken": token[1]}
        request = urllib.request.Request(
            f"{self.url}/accounts/login/",
            urllib.parse.urlencode(fields).encode(),
            {"Referer": f"{self.url}/accounts/login/"},
        )
        self.browser.open(request, timeout=30).close()
        assert json.loads(self.get("/api/v1/me"))["username"] == "demo", "the demo login fails"

    def finish_jobs(self) -> int:
        """Wait until the demo's jobs have ended; how many there were."""
        deadline = time.monotonic() + IMPORT
        while True:
            jobs = json.loads(self.get("/api/v1/jobs?limit=100"))["items"]
            broken = [job for job in jobs if job["state"] in ("failed", "dead", "cancelled")]
            assert not broken, f"jobs went wrong: {broken}"
            if jobs and all(job["state"] == "done" for job in jobs):
                return len(jobs)
            states = [(job["title"], job["state"], job["message"]) for job in jobs]
            assert time.monotonic() < deadline, f"the demo is not imported: {states}"
            time.sleep(0.5)

    def stop(self) -> None:
        os.killpg(self.make.pid, signal.SIGINT)
        self.make.wait(40)
        assert "stopped, the database too" in self.said(), "it did not stop in order"
        deadline = time.monotonic() + 5
        while left := self.processes():
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(0.1)

    def processes(self) -> list[str]:
        """Whatever runs in the clone or was started from it."""
        found = []
        for process in psutil.process_iter():
            try:
                line, place = " ".join(process.cmdline()), process.cwd()
            except (psutil.Error, OSError):
                continue
            if str(self.folder) in line or place.startswith(str(self.folder)):
                found.append(line)
        return found


def copy(to: Path) -> None:
    """What is committed, as a newcomer would have it."""
    if subprocess.run(["git", "clone", "-q", str(ROOT), str(to)], check=False).returncode == 0:
        return
    shutil.rmtree(to, ignore_errors=True)  # the folder belongs to another user, or is no clone
    ignored = shutil.ignore_patterns(".git", ".venv", ".var", ".env", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, to, ignore=ignored)


def main() -> int:
    place = Path(tempfile.mkdtemp(prefix="smoke test "))
    site = Site(place / "race control")
    try:
        copy(site.folder)
        first = site.start(FIRST_START)
        site.sign_in()
        jobs = site.finish_jobs()
        for path in ("/", "/ops/", "/api/", "/metrics"):
            site.get(path)
        site.stop()
        second = site.start(NEXT_START)
        assert site.finish_jobs() == jobs, "the second start queued the demo again"
        site.stop()
    except BaseException as fault:
        print(site.said(), file=sys.stderr)
        if hasattr(site, "make") and site.make.poll() is None:
            os.killpg(site.make.pid, signal.SIGKILL)  # the children and the database follow
            time.sleep(15)
        if isinstance(fault, AssertionError):
            print(f"smoke: {fault}", file=sys.stderr)
            return 1
        raise
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(
        f"ready in {first:.1f} s from nothing, {second:.1f} s the second time; {jobs} demo jobs done"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
