"""Drives a whole race through the live API, as a timing bridge would: for demo, training and tests.

It follows the wall: whoever the plan has in the car drives, and comes in when the plan says so (or
when the tank does), so that strategists can practise on it. Lap times come from the model the plan
was made with, and luck from a seed: the same seed is the same race.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from strategy.domain.simulation import Luck
from strategy.domain.stints.instance import Instance
from strategy.domain.stints.scoring import lap_ms, stop_ms

SOURCE = "simulator"
MOST_AT_ONCE = 12  # laps in one message where nobody waits
NOISE_MS = 400.0
BURN_BIAS = 1.01  # the car takes a little more than planned: readings have something to tell


class Caller(Protocol):
    """One call of the API below /api/v1/strategies/<id>/live; the answer's JSON."""

    def __call__(self, method: str, path: str, body: dict | None = None) -> dict: ...


@dataclass(frozen=True, slots=True)
class Spell:
    """Rain ("wet") or a flag ("sc", "fcy") from one moment of the race to another, in ms."""

    kind: str
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Tally:
    """What really happened, kept apart from the site to compare with what the site made of it."""

    laps: int = 0
    stops: int = 0
    finish_ms: int = 0
    drive_ms: dict[int, int] = field(default_factory=dict)
    laps_of: dict[int, int] = field(default_factory=dict)
    stints: list[tuple[int, int]] = field(default_factory=list)  # (seat, laps)
    messages: int = 0


class RaceSimulator:
    """`wait(at_ms)` holds the race back to its pace; `at_lap[n]` is called once lap n is told."""

    def __init__(
        self,
        call: Caller,
        instance: Instance,
        duration_ms: int,
        *,
        seed: int = 1,
        spells: Sequence[Spell] = (),
        wait: Callable[[int], None] = lambda at_ms: None,
        at_lap: dict[int, Callable[[], Any]] | None = None,
        say: Callable[[str], None] = lambda words: None,
        laps_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self.call, self.instance, self.duration_ms = call, instance, duration_ms
        self.random, self.luck = random.Random(seed), Luck()
        self.changes = sorted(
            [(s.from_ms, s.kind) for s in spells]
            + [(s.to_ms, "dry" if s.kind == "wet" else "green") for s in spells]
        )
        self.wait, self.at_lap, self.say = wait, dict(at_lap or {}), say
        self.at_once = laps_at_once
        self.at_ms = self.lap = self.age = 0
        self.fuel_ml, self.is_wet, self.flag = 0, False, "green"
        self.pending: list[dict] = []
        self.tally = Tally()
        self.wall: dict = {}

    def run(self, *, speed: int = 10_000) -> Tally:
        """From opening the race to the flag."""
        self.call("POST", "", {"is_training": True, "speed": speed})
        self.call("POST", "/state", {"state": "grid"})
        self.call("POST", "/state", {"state": "racing"})
        self._look()
        self.fuel_ml = self._line()["planned_fuel_ml"]
        while True:
            self._drive_stint()
            if self.at_ms >= self.duration_ms:
                break
            self._stop()
        self.tally.finish_ms = self.at_ms
        self.call("POST", "/state", {"state": "finished", "at_ms": self.at_ms})
        self.say(f"Chequered flag after {self.lap} laps.")
        return self.tally

    # -- driving

    def _look(self) -> None:
        self.wall = self.call("GET", "")

    def _line(self) -> dict:
        number = self.wall["in_car"]["number"]
        return next(line for line in self.wall["stints"] if line["number"] == number)

    def _drive_stint(self) -> None:
        seat, first, began = self._line()["seat"], self.lap, self.at_ms
        self.say(f"Lap {self.lap}: {self.wall['in_car']['name']} is in.")
        while True:
            end = first + max(self._line()["laps"] or 1, 1)
            self._drive_lap(seat)
            is_over = self.at_ms >= self.duration_ms
            has_to_stop = self.lap >= end or self.fuel_ml < self._reserve()
            if (
                is_over
                or has_to_stop
                or self.lap in self.at_lap
                or len(self.pending) >= self.at_once
            ):
                is_changed = self._flush() != self.wall["version"]
                if self.lap in self.at_lap:
                    self.at_lap.pop(self.lap)()
                    is_changed = True
                if is_changed:
                    self._look()
                    end = first + max(self._line()["laps"] or 1, 1)
                    has_to_stop = self.lap >= end or self.fuel_ml < self._reserve()
            if is_over or has_to_stop:
                break
        self.tally.stints.append((seat, self.lap - first))
        driven = self.tally.drive_ms
        driven[seat] = driven.get(seat, 0) + self.at_ms - began
        self.tally.laps_of[seat] = self.tally.laps_of.get(seat, 0) + self.lap - first

    def _letter(self) -> str:
        letters = self.instance.conditions.by_lap
        night = letters[min(self.lap, len(letters) - 1)] in "NX"
        return ("X" if night else "W") if self.is_wet else ("N" if night else "D")

    def _burn(self) -> int:
        slow = {"sc": 0.4, "fcy": 0.5}.get(self.flag, 1.0)
        return round(getattr(self.instance.car.burn_ml, self._letter()) * BURN_BIAS * slow)

    def _reserve(self) -> int:
        return self.instance.car.reserve_ml + self._burn()

    def _drive_lap(self, seat: int) -> None:
        self._change()
        letter = self._letter()
        conditions = self.instance.conditions.model_copy(update={"by_lap": letter})
        now = self.instance.model_copy(update={"conditions": conditions})
        ms = lap_ms(now, lap=0, driver=seat, age=self.age, fuel_ml=self.fuel_ml,
                    compound=int(self._line()["compound"]))  # fmt: skip
        pace = {"sc": self.luck.safety_car_pace, "fcy": self.luck.yellow_pace}.get(self.flag, 1.0)
        self.at_ms += max(round(ms * pace + self.random.gauss(0, NOISE_MS)), 1)
        self.fuel_ml = max(self.fuel_ml - self._burn(), 0)
        self.lap, self.age = self.lap + 1, self.age + 1
        self.tally.laps = self.lap
        self._tell(f"lap-{self.lap}", "lap", lap=self.lap, fuel_ml=self.fuel_ml)

    def _change(self) -> None:
        """Weather and flags that came up to the start of this lap."""
        while self.changes and self.changes[0][0] <= self.at_ms:
            _, kind = self.changes.pop(0)
            if kind in ("wet", "dry"):
                self.is_wet = kind == "wet"
                self._tell(f"weather-{self.at_ms}", "weather", value=kind)
            else:
                self.flag = kind
                self._tell(f"flag-{self.at_ms}", "flag", value=kind)
            self.say(f"Lap {self.lap}: {kind}.")

    def _stop(self) -> None:
        self._tell(f"in-{self.lap}", "pit_in", lap=self.lap)
        self._flush()
        self._look()
        following = self.wall["next_up"]
        line = next(s for s in self.wall["stints"] if s["number"] == following["number"])
        burn = max(getattr(self.instance.car.burn_ml, self._letter()) * BURN_BIAS, 1)
        car = self.instance.car
        wanted = min(car.reserve_ml + round((max(line["laps"] or 1, 1) + 1) * burn), car.tank_ml)
        added = max(wanted - self.fuel_ml, 0)
        is_change = bool(self.wall["in_pits"]["is_driver_change"])
        ms = stop_ms(self.instance, fuel_ml=added, new_tyres=line["tyres"] == "new", swap=is_change)
        ms += round(abs(self.random.gauss(0, 1_500)))
        stop = max(self.wall["stops"], key=lambda s: s["in_ms"])
        self.call("PATCH", f"/stops/{stop['id']}", {"fuel_added_ml": added, "tyres": line["tyres"]})
        self.fuel_ml += added
        self.age = 0 if line["tyres"] == "new" else self.age
        self.at_ms += ms
        self.tally.stops += 1
        self._tell(f"out-{self.lap}", "pit_out")
        self._flush()
        self._look()

    # -- telling

    def _tell(self, key: str, kind: str, **more: Any) -> None:
        self.pending.append({"key": key, "kind": kind, "at_ms": self.at_ms} | more)
        self.wait(self.at_ms)

    def _flush(self) -> int:
        """Send what is pending; the version of the wall afterwards."""
        if not self.pending:
            return self.wall["version"]
        heard = self.call("POST", "/feed/batch", {"source": SOURCE, "events": self.pending})
        if heard["refused"]:
            raise RuntimeError(f"The site refused what it was told: {heard['refused'][0]['why']}")
        self.pending = []
        self.tally.messages += 1
        return heard["version"]
