"""Things that go wrong on request: which answers to spoil, how, and how often."""

import json
import re
import threading
from dataclasses import dataclass, field

KINDS = ("429", "500", "502", "503", "404", "slow", "cut", "bot", "changed", "hang")

BOT_CHECK = """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
<meta name="robots" content="noindex,nofollow"></head><body><div id="challenge-error-text">Stand-in bot check</div>
<script src="/cdn-cgi/challenge-platform/stand-in.js"></script></body></html>
"""


@dataclass(slots=True)
class Fault:
    """Spoils answers whose path matches `pattern`. `times` None: until it is cleared.

    `value` is seconds: Retry-After of a 429 or 503, the wait of `slow`.
    """

    pattern: str
    kind: str
    value: float = 0
    times: int | None = 1
    skip: int = 0
    regex: re.Pattern = field(init=False)

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Unknown fault {self.kind!r}; known are {', '.join(KINDS)}.")
        self.regex = re.compile(self.pattern)


class Faults:
    """The faults in force. Requests come in threads, so counting is locked."""

    def __init__(self):
        self.lock = threading.Lock()
        self.active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self.lock:
            self.active.append(fault)

    def clear(self) -> None:
        with self.lock:
            self.active.clear()

    def take(self, path: str) -> Fault | None:
        """The fault for this request, counted down; None when it is to go well."""
        with self.lock:
            for fault in self.active:
                if fault.regex.search(path):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    if fault.times is None:
                        return fault
                    if fault.times > 0:
                        fault.times -= 1
                        return fault
        return None


def read_faults(spec: str) -> list[Fault]:
    """Faults from a command line: JSON, or `kind[:value][xCOUNT|x*]@pattern` joined by `;`.

    '429:5x2@view_event;slow:1.5x*@practice' answers two event pages with 429 and Retry-After 5,
    and every practice page a second and a half late.
    """
    spec = spec.strip()
    if not spec:
        return []
    if spec[0] in "[{":
        told = json.loads(spec)
        return [Fault(**one) for one in (told if isinstance(told, list) else [told])]
    faults = []
    for one in spec.split(";"):
        match = re.fullmatch(r"\s*(\w+?)(?::([\d.]+))?(?:x(\d+|\*))?@(.+?)\s*", one)
        if not match:
            raise ValueError(f"Cannot read the fault {one!r}: kind[:value][xCOUNT]@pattern")
        kind, value, times, pattern = match.groups()
        faults.append(
            Fault(
                pattern=pattern,
                kind=kind,
                value=float(value or 0),
                times=None if times == "*" else int(times or 1),
            )
        )
    return faults


def without_tables(html: str) -> str:
    """The page as after a redesign: tables, lists of laps and the lap script are called something else."""
    html = re.sub(r"<table\b", "<section", html).replace("</table>", "</section>")
    html = html.replace("racerLaps", "lapStore").replace("laps_list", "lapStore")
    return html.replace("lapsObj", "lapStore")
