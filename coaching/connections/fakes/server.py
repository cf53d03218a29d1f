"""One HTTP server for the three stand-ins: /strava, /oura and /intervals, each with its faults."""

import base64
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from coaching.connections.fakes import world
from coaching.connections.fakes.faults import KINDS, Fault
from coaching.connections.fakes.handler import Handler
from racecontrol.shared.faulty_server import FaultyServer

__all__ = ["KINDS", "FakeProviders", "settings_for"]


def settings_for(origin: str) -> dict[str, str]:
    """The settings of a site that talks to stand-ins at this address."""
    told = {
        "STRAVA_URL": f"{origin}/strava",
        "OURA_URL": f"{origin}/oura",
        "OURA_SIGN_IN_URL": f"{origin}/oura/oauth/authorize",
        "INTERVALS_URL": f"{origin}/intervals",
    }
    for name in ("STRAVA", "OURA", "INTERVALS"):
        told[f"{name}_CLIENT_ID"] = f"{name.lower()}-client"
        told[f"{name}_CLIENT_SECRET"] = f"{name.lower()}-client-secret"
    return told


@dataclass
class FakeProviders(FaultyServer):
    """`with FakeProviders() as fake:` then `fake.settings()` are the addresses to set."""

    port: int = 0
    host: str = "127.0.0.1"
    today: date | None = None
    is_asking: bool = False  # show a page to agree on instead of agreeing at once
    page_size: int = 200
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    seen_tokens: list[str] = field(default_factory=list)
    subscriptions: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        today = self.today or datetime.now(UTC).date()
        self.strava = world.House("4242")
        self.oura = world.House("oura-7", lasts_s=86_400)
        self.intervals = world.House("i99", api_keys={"icu-key": "i99"})
        self.rides = world.rides(today)
        self.readiness, self.nights = world.readiness(today), world.nights(today)
        self.beats = world.beats(today)
        self.wellness, self.trainings = world.wellness(today), world.trainings(today)
        self.curves = world.curves()
        self.read_usage = [0, 0]  # of (100, 1000), Strava's quarter hour and day
        self.lock = threading.Lock()
        self.listen(Handler)

    def settings(self) -> dict[str, str]:
        """What the site must be told to talk to us."""
        return settings_for(self.origin)

    def house(self, name: str) -> world.House:
        return {"strava": self.strava, "oura": self.oura, "intervals": self.intervals}[name]

    def fail(self, kind: str, *, times: int = 1, path: str = "", skip: int = 0) -> Fault:
        """Let the next `times` requests whose address contains `path` go wrong, after `skip`."""
        if kind not in KINDS:
            raise ValueError(f"{kind}: one of {', '.join(KINDS)}")
        fault = Fault(kind, times, path, skip)
        self.faults.append(fault)
        return fault

    def fault_for(self, path: str) -> str:
        with self.lock:
            return next((fault.kind for fault in self.faults if fault.hits(path)), "")

    def note(self, method: str, path: str, authorization: str) -> None:
        token = authorization.partition(" ")[2]
        if authorization.startswith("Basic "):
            token = base64.b64decode(token).decode().partition(":")[2]
        with self.lock:
            self.asked.append((method, path))
            if token:
                self.seen_tokens.append(token)

    def calls(self, part: str) -> int:
        return sum(part in path for _method, path in self.asked)
