"""The stand-in's front door: real HTTP on the loopback, one address per track, faults and changes by request.

`/` is the catalogue, `/{track}/…` what the track's own host would serve. `/_hits`, `/_faults` and
`/_change` steer it: GET reads, POST takes JSON, DELETE forgets.
"""

import json
import sys
import threading
import time
from collections import Counter
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from ingestion.fake_liverc.faults import BOT_CHECK, Fault, Faults, without_tables
from ingestion.fake_liverc.site import Site
from ingestion.fake_liverc.world import World


class FakeLiveRC:
    """A running stand-in. In a test: `with FakeLiveRC() as site: site.fail("view_event", "429")`."""

    def __init__(
        self, *, seed: int = 1, today: date | None = None, port: int = 0, host: str = "127.0.0.1"
    ):
        self.world = World(seed=seed, today=today)
        self.site = Site(self.world)
        self.faults = Faults()
        self.requests: list[str] = []
        self.agents: set[str] = set()
        self.lock = threading.Lock()
        site = self

        class Handler(_Handler):
            fake = site

        self.server = _Server((host, port), Handler)
        self.thread: threading.Thread | None = None

    # -- addresses

    @property
    def url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host}:{port}"

    @property
    def url_template(self) -> str:
        """For settings.LIVERC_URL_TEMPLATE."""
        return self.url + "/{track}"

    @property
    def catalogue_url(self) -> str:
        """For settings.LIVERC_CATALOGUE_URL."""
        return self.url + "/"

    # -- running

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self.server.shutdown()
        self.server.server_close()
        if self.thread:
            self.thread.join(timeout=5)

    def serve(self) -> None:
        self.server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Ask a serving loop in another thread to end."""
        threading.Thread(target=self.server.shutdown, daemon=True).start()

    # -- steering

    @property
    def hits(self) -> Counter:
        """How often each path with its query was asked for."""
        with self.lock:
            return Counter(self.requests)

    def forget(self) -> None:
        with self.lock:
            self.requests.clear()
            self.agents.clear()

    def fail(
        self, pattern: str, kind: str, *, value: float = 0, times: int | None = 1, skip: int = 0
    ) -> None:
        """Spoil the next `times` answers whose path matches (None: all until cleared), after `skip` good ones."""
        self.faults.add(Fault(pattern=pattern, kind=kind, value=value, times=times, skip=skip))

    def change(self, **how) -> None:
        """Mend what was posted: see `World.change`."""
        with self.lock:
            self.world.change(**how)

    def body_of(self, path: str) -> str | None:
        """The page at `path`, or None where there is none. The world is made as it is asked for, by one at a time."""
        with self.lock:
            return self.site.body_of(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A caller who hangs up in the middle is no news; everything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "StandIn/1"
    fake: FakeLiveRC

    def do_GET(self):
        if self.path.startswith("/_"):
            return self.steer("GET")
        fake = self.fake
        with fake.lock:
            fake.requests.append(self.path)
            fake.agents.add(self.headers.get("User-Agent", ""))
        fault = fake.faults.take(self.path)
        if fault is None:
            return self.give(fake.body_of(self.path))
        return self.spoil(fault)

    def do_POST(self):
        self.steer("POST")

    def do_DELETE(self):
        self.steer("DELETE")

    def give(self, body: str | None, status: int = 200, headers: dict | None = None) -> None:
        if body is None:
            body, status = "<!DOCTYPE html><html><title>Not here</title></html>", 404
        self.send(body.encode(), status=status, headers=headers)

    def send(self, data: bytes, *, status=200, headers=None, kind="text/html; charset=UTF-8"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def spoil(self, fault: Fault) -> None:
        fake = self.fake
        if fault.kind in ("slow", "hang"):
            time.sleep(fault.value or 1)
            return self.give(fake.body_of(self.path))
        if fault.kind == "bot":
            return self.give(BOT_CHECK, 403)
        if fault.kind == "changed":
            body = fake.body_of(self.path)
            return self.give(body and without_tables(body))
        if fault.kind == "cut":
            data = (fake.body_of(self.path) or "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            return None
        headers = {"Retry-After": f"{fault.value:g}"} if fault.value else {}
        return self.give("<!DOCTYPE html><title>Trouble</title>", int(fault.kind), headers)

    # -- steering

    def steer(self, method: str) -> None:
        """Read, set or forget hits, faults and changes. Bad JSON or an unknown fault is a 400 that says why."""
        fake = self.fake
        what = urlsplit(self.path).path
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        try:
            told = json.loads(raw) if raw else {}
            if what == "/_hits":
                if method == "DELETE":
                    fake.forget()
                hits = fake.hits
                return self.say(
                    {"total": sum(hits.values()), "paths": hits, "agents": sorted(fake.agents)}
                )
            if what == "/_faults":
                if method == "DELETE":
                    fake.faults.clear()
                for one in told if isinstance(told, list) else [told] if told else []:
                    fake.fail(one.pop("pattern"), str(one.pop("kind")), **one)
                return self.say(
                    [
                        {"pattern": f.pattern, "kind": f.kind, "value": f.value, "times": f.times}
                        for f in fake.faults.active
                    ]
                )
            if what == "/_change" and method == "POST":
                fake.change(**told)
                return self.say({"changed": told})
        except (ValueError, KeyError, TypeError) as error:
            return self.say({"error": str(error)}, status=400)
        return self.say({"error": "No such control."}, status=404)

    def say(self, value, *, status: int = 200) -> None:
        self.send(json.dumps(value).encode(), status=status, kind="application/json")

    def log_message(self, format, *args):
        """Quiet: `/_hits` counts."""
