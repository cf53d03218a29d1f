"""The timing feed: laps, ways in and out of the pits, flags and weather, one by one or many at once.

Any bridge may send any event again, late, or out of order: its key makes it one event, and the
stints are rebuilt from the log in the order of its moments. A feed changes nothing people decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared.errors import InvalidInput, RaceError
from strategy.domain.live.log import Race
from strategy.domain.live.transitions import WrongMove
from strategy.models import LapEvent, LiveRun
from strategy.queries.live import MILLISECOND, now_ms, race_of
from strategy.services.live.changes import request_ways
from strategy.services.live.frame import (
    Done,
    Order,
    check_moment,
    keep,
    locked_run,
    publish,
    sync,
)
from strategy.services.live.notes import turn_weather
from strategy.services.live.race import CHEAP_STOPS, wave
from strategy.services.live.tell import tell_next
from strategy.services.live.unplanned import ensure_next

MOST_EVENTS = 1_000
MARKS = ("pit_in", "pit_out", "abort")


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a bridge. `at_ms` since green, or `at`; `lap`: laps completed."""

    key: str
    kind: Literal["lap", "pit_in", "pit_out", "abort", "flag", "weather"]
    at_ms: int | None = None
    at: datetime | None = None
    lap: int | None = None
    lap_ms: int | None = None
    fuel_ml: int | None = None
    is_drive_through: bool = False
    value: str = ""  # of a flag: fcy, sc, red, green; of weather: wet, dry


@dataclass(slots=True)
class Heard:
    """What became of the events: new, known already, or refused (place in the list, why)."""

    new: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    version: int = 0
    laps: int = 0
    now_ms: int = 0
    is_other_race: bool = False  # a flag or the weather: ways on are looked for


@transaction.atomic
def tell(*, strategy_id: int, source: str, events: Sequence[Told], by: Any) -> Heard:
    """Take events in; a bad one is named and does not hold up the others.

    Raises NoRace before the race is open, WrongMove before the green flag and after the finish.
    """
    source = source.strip()
    if not 1 <= len(source) <= 40 or source == "wall":
        raise InvalidInput("Name the source in 1 to 40 characters.",
                           fields={"source": ["1 to 40 characters, not “wall”."]})  # fmt: skip
    if not 1 <= len(events) <= MOST_EVENTS:
        raise InvalidInput(f"Send 1 to {MOST_EVENTS} events.",
                           fields={"events": [f"1 to {MOST_EVENTS}."]})  # fmt: skip
    run = locked_run(strategy_id, by)
    if run.state in (LiveRun.State.SCHEDULED, LiveRun.State.GRID):
        raise WrongMove("The race has not begun: give it the green flag first.")
    heard = Heard()
    rows = _read(run, source, events, heard)
    _keep(run, rows, heard)
    race = _after(run, rows, by) if heard.new else race_of(run)
    heard.version, heard.laps, heard.now_ms = run.version, race.laps_done, race.now_ms
    if heard.new:
        publish(run, laps=race.laps_done)
    if heard.is_other_race and run.state == LiveRun.State.RACING:
        request_ways(strategy_id=strategy_id, by=by)
    return heard


def _read(
    run: LiveRun, source: str, events: Sequence[Told], heard: Heard
) -> dict[int, LapEvent | None]:
    """Each usable event by its place; flags and weather have no row of their own."""
    rows: dict[int, LapEvent | None] = {}
    ceiling = now_ms(run, now())
    for place, event in enumerate(events):
        try:
            at_ms = _moment(run, event, ceiling)
            if event.kind in ("flag", "weather"):
                rows[place] = None
                _wave_or_rain(run, event, at_ms, heard)
                continue
            if event.kind == "lap" and not event.lap:
                raise InvalidInput("A completed lap has a number.")
            rows[place] = LapEvent(
                run=run, source=source, key=event.key, kind=event.kind, at_ms=at_ms,
                lap=event.lap, lap_ms=event.lap_ms, fuel_ml=event.fuel_ml,
                is_drive_through=event.is_drive_through,
            )  # fmt: skip
        except RaceError as refusal:
            heard.refused.append((place, str(refusal)))
    return rows


def _moment(run: LiveRun, event: Told, ceiling: int) -> int:
    at_ms = event.at_ms
    if at_ms is None and event.at is not None and run.green_at is not None:
        at_ms = round((event.at - run.green_at) / MILLISECOND)
    if at_ms is None:
        at_ms = ceiling
    check_moment(run, at_ms, ceiling)
    return at_ms


def _wave_or_rain(run: LiveRun, event: Told, at_ms: int, heard: Heard) -> None:
    if event.kind == "weather":
        if event.value not in ("wet", "dry"):
            raise InvalidInput("Weather is wet or dry.")
        is_new = turn_weather(run, event.value == "wet", at_ms)
    else:
        if event.value not in ("fcy", "sc", "red", "green"):
            raise InvalidInput("Flags are fcy, sc, red and green.")
        is_new = wave(run, event.value, at_ms)
    heard.is_other_race |= is_new and event.value in (*CHEAP_STOPS, "wet", "dry")
    heard.new += is_new
    heard.known += not is_new
    run.heard_ms = max(run.heard_ms, at_ms)


def _keep(run: LiveRun, rows: dict[int, LapEvent | None], heard: Heard) -> None:
    """Save what is new; a key told before with other numbers is refused, not overwritten."""
    wanted = {place: row for place, row in rows.items() if row is not None}
    if not wanted:
        return
    source = next(iter(wanted.values())).source
    keys = [row.key for row in wanted.values()]
    known = {row.key: row for row in run.laps.filter(source=source, key__in=keys)}
    new = []
    for place, row in wanted.items():
        before = known.get(row.key)
        if before is None:
            known[row.key] = row
            new.append(row)
        elif (before.kind, before.lap) == (row.kind, row.lap):
            heard.known += 1
            rows[place] = None
        else:
            rows[place] = None
            heard.refused.append((place, "This key was told before as something else."))
    LapEvent.objects.bulk_create(new)
    heard.new += len(new)


def _after(run: LiveRun, rows: dict[int, LapEvent | None], by: Any) -> Race:
    """Bring run and stints in line with what is new; the race as it is then."""
    told = [row for row in rows.values() if row is not None]
    first = min((row.at_ms for row in told), default=run.heard_ms)
    is_late = run.state == LiveRun.State.FINISHED or (
        run.laps.filter(kind__in=MARKS, at_ms__gt=first).exists()
    )
    run.heard_ms = max([run.heard_ms, *(row.at_ms for row in told)])
    run.heard_at = now()
    run.save(update_fields=["heard_ms", "heard_at"])
    if not is_late and not any(row.kind in MARKS for row in told):
        return race_of(run)
    race = sync(run)
    more = ensure_next(run, race, by=by)
    if more is not None:
        words = "A stop nobody planned: the same driver goes on with what is left."
        done = Done(words, {"plan"}, {}, {"plan": more.number})
        keep(run, Order(run.strategy_id, by), "unplanned_stop", {}, run.heard_ms, done)
        race = race_of(run)
    if any(row.kind == "pit_in" and not row.is_drive_through for row in told):
        tell_next(run, race)
    return race
