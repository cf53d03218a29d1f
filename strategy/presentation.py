"""A plan as people look at it: rows, charts, and the files it is exported as."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from icalendar import Calendar
from icalendar import Event as CalendarEvent

from racecontrol.shared.charts.chart import Chart
from racecontrol.shared.charts.lines import Series, line_chart
from racecontrol.shared.charts.stint_bars import Bar, Row, stint_bars
from strategy.models import PlanVersion, RaceStrategy, StintPlan

COLUMNS = ("number", "driver", "first_lap", "last_lap", "laps", "start", "start_utc", "drive_ms",
           "stop_ms", "fuel_in_ml", "fuel_out_ml", "add_ml", "tyres", "compound")  # fmt: skip


def start_of(row: RaceStrategy, stint: StintPlan) -> datetime | None:
    if row.instance is None:
        return None
    return row.instance.starts_at + timedelta(milliseconds=stint.planned_start_ms)


def clock(ms: int) -> str:
    """Race time as h:mm:ss."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def rows_of(row: RaceStrategy, stints: Sequence[StintPlan]) -> list[dict[str, Any]]:
    """One dictionary a stint, for tables, CSV and print."""
    return [
        {
            "stint": s, "number": s.number, "driver": row.drivers[s.seat]["name"], "seat": s.seat,
            "look": row.look_of(s.seat),
            "first_lap": s.start_lap + 1, "last_lap": s.start_lap + s.laps, "laps": s.laps,
            "start": clock(s.planned_start_ms), "start_at": start_of(row, s),
            "start_utc": at.isoformat() if (at := start_of(row, s)) else "",
            "end": clock(s.planned_start_ms + s.planned_ms), "drive_ms": s.planned_ms,
            "stop_ms": s.stop_ms, "fuel_in_ml": s.fuel_in_ml, "fuel_out_ml": s.fuel_out_ml,
            "add_ml": s.pit_instructions.get("add_ml", 0), "tyres": s.tyres,
            "compound": "wet" if s.compound else "dry", "is_locked": s.is_locked,
            "pinned": "" if s.is_locked else _pinned(s),
            "backup": "".join(who["name"] for n, who in enumerate(row.drivers) if n == s.backup_seat),
        }
        for s in stints
    ]  # fmt: skip


def _pinned(stint: StintPlan) -> str:
    """What is pinned of a stint that is not held as a whole."""
    if stint.pinned_lap is not None:
        return f"stops after lap {stint.pinned_lap}"
    return "driver pinned" if stint.is_driver_pinned else ""


def stint_chart(row: RaceStrategy, stints: Sequence[StintPlan], title: str, slug: str) -> Chart:
    """Stints by driver over the race clock."""
    bars: dict[int, list[Bar]] = {n: [] for n in range(len(row.drivers))}
    for s in stints:
        end = s.planned_start_ms + s.planned_ms
        detail = f"laps {s.start_lap + 1}–{s.start_lap + s.laps}, {s.fuel_in_ml / 1000:.1f} L"
        bars[s.seat].append(
            Bar(
                s.planned_start_ms,
                end,
                str(s.number),
                detail,
                kind="planned",
                look=row.look_of(s.seat),
            )
        )
    rows = [Row(who["name"], bars[n]) for n, who in enumerate(row.drivers)]
    return stint_bars(rows, title=title, end=row.event.duration_ms, slug=slug)


def fuel_chart(stints: Sequence[StintPlan]) -> Chart:
    """Fuel on board lap by lap, and how old the tyres are."""
    fuel: list[tuple[float, float | None]] = []
    wear: list[tuple[float, float | None]] = []
    age = 0
    for s in stints:
        age = age if s.tyres == "keep" else 0
        used = s.fuel_in_ml - s.fuel_out_ml
        fuel += [
            (s.start_lap, s.fuel_in_ml / 1000),
            (s.start_lap + s.laps, (s.fuel_in_ml - used) / 1000),
        ]
        wear += [(s.start_lap, age), (s.start_lap + s.laps, age + s.laps)]
        age += s.laps
    return line_chart(
        [Series("fuel, L", fuel), Series("tyre age, laps", wear)],
        title="Fuel on board and tyre age", x_label="Lap", y_format=lambda v: f"{v:.0f}",
        slug="fuel",
    )  # fmt: skip


def side_by_side(left: Sequence[dict], right: Sequence[dict]) -> list[dict]:
    """Rows of two plans, equal stints on one line even where a stint more or less is before them."""
    names = ("driver", "first_lap", "laps", "tyres", "compound")
    keys = [[tuple(line[name] for name in names) for line in plan] for plan in (left, right)]
    pairs = []
    for what, a, b, c, d in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        for mine, theirs in zip_longest(left[a:b], right[c:d]):
            begins = min(line["first_lap"] for line in (mine, theirs) if line)
            pairs.append(
                {"lap": begins, "mine": mine, "theirs": theirs, "differs": what != "equal"}
            )
    return pairs


def csv_rows(row: RaceStrategy, stints: Sequence[StintPlan]) -> list[list[Any]]:
    """The plan for a spreadsheet, in the order of COLUMNS."""
    return [[line[name] for name in COLUMNS] for line in rows_of(row, stints)]


def as_json(row: RaceStrategy, version: PlanVersion, stints: Sequence[StintPlan]) -> dict:
    """`stintopt-plan/1`: reads back in through the API and the board."""
    return {
        "schema": "stintopt-plan/1",
        "strategy": row.name,
        "event": row.event.name,
        "version": version.number,
        "z1_ms": version.z1_ms,
        "z1_lower_bound_ms": version.bound_ms,
        "proven_optimal": version.is_proven,
        "plan": [
            {"driver": s.seat, "laps": s.laps, "tyres": s.tyres, "compound": s.compound}
            for s in stints
        ],
        "instance": version.problem,
    }


def as_calendar(stints: Sequence[StintPlan], turns: Mapping[int, int]) -> bytes:
    """Stints as calendar entries; a driver's n-th stint keeps its UID from version to version.

    `turns`: stint id -> which of its driver's stints it is (queries.turn_numbers). A UID never passes
    to another driver, whatever is split, joined or given away.
    `sequence` counts the strategy's changes, so a calendar knows which of two files is the newer.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Race Control//strategy//EN")
    calendar.add("version", "2.0")
    for s in stints:
        row = s.strategy
        start = start_of(row, s)
        if start is None:
            continue
        entry = CalendarEvent()
        who = f"driver-{s.driver_id}" if s.driver_id else f"seat-{s.seat}"
        entry.add("uid", f"strategy-{row.pk}-{who}-stint-{turns[s.pk]}@race-control")
        entry.add("dtstamp", s.plan.created_at)
        entry.add("sequence", row.version)
        entry.add("dtstart", start)
        entry.add("dtend", start + timedelta(milliseconds=s.planned_ms))
        entry.add("summary", f"{row.event}: stint {s.number}, {row.drivers[s.seat]['name']}")
        entry.add("description", f"{row.team}, laps {s.start_lap + 1} to {s.start_lap + s.laps}.")
        calendar.add_component(entry)
    return calendar.to_ical()
