"""What is known of a race under way, and the stints as driven, folded from it.

The log may be told late and out of order: every reader sorts by the moment (`at_ms`, ms since the
green flag, red flags included), so a correction is just another log. Laps count completed laps.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.pins import NO_MARK, StintMark

Status = Literal["planned", "ready", "in_progress", "completed", "skipped", "aborted"]
State = Literal["scheduled", "grid", "racing", "finished"]
# Two people, or a person and the feed, who tell the same within this time tell one thing.
SAME_MOMENT_MS = 15_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A stint of the plan that counts. `start_lap` counts laps before it."""

    number: int
    seat: int
    laps: int
    start_lap: int = 0
    start_ms: int = 0
    drive_ms: int = 0
    stop_ms: int = 0
    fuel_in_ml: int = 0
    fuel_out_ml: int = 0
    tyres: Literal["new", "keep"] = "new"
    compound: Literal[0, 1] = 0
    is_skipped: bool = False
    is_ready: bool = False
    mark: StintMark = NO_MARK

    @property
    def end_lap(self) -> int:
        return self.start_lap + self.laps

    def begun_at(self, lap: int) -> "Planned":
        """The stint as it goes when it begins after `lap` laps: a pinned stop stays where it is."""
        stop = self.mark.pinned_lap
        return self if stop is None or stop <= lap else replace(self, laps=stop - lap)


@dataclass(frozen=True, slots=True)
class Mark:
    """Into the pits, out of them, stopped on track. `lap`: laps completed, where it was told."""

    kind: Literal["pit_in", "pit_out", "abort"]
    at_ms: int
    lap: int | None = None


@dataclass(frozen=True, slots=True)
class LapDone:
    lap: int
    at_ms: int
    lap_ms: int | None = None
    fuel_ml: int | None = None


@dataclass(frozen=True, slots=True)
class Neutral:
    """A stretch under a flag; `to_ms` None while it is out."""

    kind: Literal["fcy", "sc", "red"]
    from_ms: int
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    lap: int
    at_ms: int
    fuel_ml: int


@dataclass(frozen=True, slots=True)
class Fill:
    """What a stop put in and on, where somebody noted it."""

    in_ms: int
    fuel_added_ml: int | None = None
    compound: int | None = None
    tyres: str = ""


@dataclass(frozen=True, slots=True)
class Punished:
    """A penalty not served yet. `amount`: ms the car stands, ms added to the result, or laps."""

    kind: Literal["drive_through", "stop_go", "time", "laps"]
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Driven:
    """A stint as it went so far. Laps and end grow while it runs."""

    plan: Planned
    status: Status
    start_ms: int | None = None
    end_ms: int | None = None
    start_lap: int | None = None
    laps: int = 0

    @property
    def number(self) -> int:
        return self.plan.number

    @property
    def seat(self) -> int:
        return self.plan.seat

    @property
    def is_closed(self) -> bool:
        return self.status in ("completed", "aborted", "skipped")


@dataclass(frozen=True)
class Race:
    """Everything the wall is computed from."""

    instance: Instance
    duration_ms: int
    stints: tuple[Planned, ...]
    state: State
    now_ms: int
    marks: tuple[Mark, ...] = ()
    laps: tuple[LapDone, ...] = ()
    neutrals: tuple[Neutral, ...] = ()
    weather: tuple[tuple[int, bool], ...] = ()
    readings: tuple[Reading, ...] = ()
    fills: tuple[Fill, ...] = ()
    penalties: tuple[Punished, ...] = ()
    finished_ms: int | None = None
    red_stops_clock: bool = False
    names: tuple[str, ...] = field(default=())

    @cached_property
    def crossings(self) -> dict[int, LapDone]:
        """The first crossing of the line that completed each lap."""
        found: dict[int, LapDone] = {}
        for lap in sorted(self.laps, key=lambda lap: lap.at_ms):
            found.setdefault(lap.lap, lap)
        return found

    @cached_property
    def laps_done(self) -> int:
        return max(self.crossings, default=0)

    @cached_property
    def driven(self) -> tuple[Driven, ...]:
        return fold(self)

    @cached_property
    def running(self) -> Driven | None:
        return next((s for s in self.driven if s.status == "in_progress"), None)

    @cached_property
    def coming(self) -> tuple[Driven, ...]:
        return tuple(s for s in self.driven if s.status in ("planned", "ready"))

    @property
    def in_pits_since_ms(self) -> int | None:
        """When the car came in, while it has not gone out again."""
        if self.state != "racing" or self.running is not None:
            return None
        return max((s.end_ms for s in self.driven if s.end_ms is not None), default=None)

    @property
    def owed_ms(self) -> int:
        """What the penalties to be served in the pits will cost: the lane, and standing there."""
        lane = self.instance.pit.lane_ms
        owed = {"drive_through": lambda p: lane, "stop_go": lambda p: lane + p.amount}
        return sum(owed[p.kind](p) for p in self.penalties if p.kind in owed)

    def laps_at(self, at_ms: int) -> int:
        """Laps completed by a moment."""
        order = sorted((lap.at_ms, lap.lap) for lap in self.crossings.values())
        upto = bisect_right(order, (at_ms, 1 << 60))
        return max((lap for _, lap in order[:upto]), default=0)

    # -- the clock

    def stopped_ms(self, at_ms: int) -> int:
        """How long the race clock stood still before a moment: red flags, where they stop it."""
        if not self.red_stops_clock:
            return 0
        return self.red_ms(0, at_ms)

    def red_ms(self, from_ms: int, to_ms: int) -> int:
        return sum(
            max(0, min(to_ms, to_ms if n.to_ms is None else n.to_ms) - max(from_ms, n.from_ms))
            for n in self.neutrals
            if n.kind == "red"
        )

    def clock_ms(self, at_ms: int) -> int:
        """The race clock at a moment."""
        return at_ms - self.stopped_ms(at_ms)

    def neutral_at(self, at_ms: int) -> Neutral | None:
        return next(
            (
                n
                for n in self.neutrals
                if n.from_ms <= at_ms and (n.to_ms is None or at_ms < n.to_ms)
            ),
            None,
        )

    def touches_neutral(self, from_ms: int, to_ms: int) -> bool:
        return any(
            n.from_ms < to_ms and (n.to_ms is None or n.to_ms > from_ms) for n in self.neutrals
        )

    # -- the track

    def letter(self, lap: int) -> str:
        """Day or night, dry or wet in lap `lap` (from 0): as told, else as planned."""
        letters = self.instance.conditions.by_lap
        planned = letters[min(lap, len(letters) - 1)]
        told = None
        if lap >= self.laps_done:  # to come: as it is now
            told = self.weather[-1][1] if self.weather else None
        else:
            began = self.crossings[lap].at_ms if lap in self.crossings else 0
            for at_ms, is_wet in self.weather:
                told = is_wet if at_ms <= began else told
        if told is None:
            return planned
        return ("X" if told else "N") if planned in "NX" else ("W" if told else "D")

    def is_wet_now(self) -> bool:
        return self.letter(self.laps_done) in "WX"


def fold(race: Race) -> tuple[Driven, ...]:
    """The stints as the log tells them, in the order of the plan.

    The green flag starts the first stint, each way into the pits completes the running one, each way
    out starts the next that is not skipped. What cannot follow (in twice, out twice) is ignored.
    """
    stints = [
        Driven(plan, "skipped" if plan.is_skipped else "ready" if plan.is_ready else "planned")
        for plan in race.stints
    ]
    queue = [n for n, stint in enumerate(stints) if not stint.plan.is_skipped]
    if race.state in ("scheduled", "grid"):
        return tuple(_ready_first(stints, queue) if race.state == "grid" else stints)
    at, lap_before, is_running = 0, 0, False

    def start(at_ms: int, lap: int) -> None:
        plan = stints[queue[at]].plan
        if at < len(queue) - 1:  # the last one goes to the flag
            plan = plan.begun_at(lap)
        stints[queue[at]] = Driven(plan, "in_progress", start_ms=at_ms, start_lap=lap)

    def close(status: Status, at_ms: int, lap: int) -> None:
        here = stints[queue[at]]
        laps = max(lap - (here.start_lap or 0), 0)
        stints[queue[at]] = replace(here, status=status, end_ms=at_ms, laps=laps)

    if queue:
        start(0, 0)
        is_running = True
    marks = sorted(race.marks, key=lambda mark: mark.at_ms)
    for place, mark in enumerate(marks):
        if mark.kind == "pit_out" and not is_running and at < len(queue):
            start(mark.at_ms, lap_before)
            is_running = True
        elif mark.kind != "pit_out" and is_running and not _is_echo(mark, stints[queue[at]]):
            lap_before = max(_lap_of(race, mark, marks[place + 1 :]), lap_before)
            close("aborted" if mark.kind == "abort" else "completed", mark.at_ms, lap_before)
            at, is_running = at + 1, False
    if is_running:
        if race.state == "finished" and race.finished_ms is not None:
            close("completed", race.finished_ms, race.laps_done)
        else:
            laps = max(race.laps_done - (stints[queue[at]].start_lap or 0), 0)
            stints[queue[at]] = replace(stints[queue[at]], laps=laps)
    elif race.state == "racing":
        return tuple(_ready_first(stints, queue[at:]))
    return tuple(stints)


def _is_echo(mark: Mark, stint: Driven) -> bool:
    """Nobody comes in right after going out: a way in told twice, by a clock that differs."""
    return mark.kind == "pit_in" and 0 < mark.at_ms - (stint.start_ms or 0) < SAME_MOMENT_MS


def _ready_first(stints: list[Driven], queue: Sequence[int]) -> list[Driven]:
    """The next stint is ready; nobody else is."""
    told = [replace(s, status="planned") if s.status == "ready" else s for s in stints]
    if queue:
        told[queue[0]] = replace(told[queue[0]], status="ready")
    return told


def _lap_of(race: Race, mark: Mark, later: Iterable[Mark]) -> int:
    """Laps completed by the stint that this mark ends: the line may lie behind the pit entry."""
    if mark.lap is not None:
        return mark.lap
    out = next((m.at_ms for m in later if m.kind == "pit_out"), None)
    return race.laps_done if out is None else race.laps_at(out)


def plan_of(stints: Iterable[Planned]) -> list[Stint]:
    return [
        Stint(driver=s.seat, laps=s.laps, tyres=s.tyres, compound=s.compound)
        for s in stints
        if not s.is_skipped
    ]
