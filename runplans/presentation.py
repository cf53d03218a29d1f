"""A plan as people read it: figures, stints, sentences and the fuel over the laps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from racecontrol.shared.charts.chart import Chart
from racecontrol.shared.charts.lines import Mark, Reference, Series, line_chart
from racecontrol.shared.units import format_ms

LAPS_DRAWN_ONE_BY_ONE = 300
OBJECTIVES = ("baseline", "practice_run", "qualy_long_run", "tyre_life_test")


@dataclass(frozen=True, slots=True)
class Note:
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class StintRow:
    """A stint in words; `clock` is when it ends, stops included where their cost is known."""

    number: int
    laps: int
    first_lap: int
    last_lap: int
    fuel_start: str
    refuel: str
    fuel_end: str
    time: str
    is_garage_fill: bool


class Shown:
    """One plan, stored or just computed, from its inputs and result as JSON says them."""

    def __init__(self, inputs: dict[str, Any], result: dict[str, Any]):
        self.inputs = inputs
        self.result = result

    @cached_property
    def in_ml(self) -> bool:
        """Small cars think in millilitres."""
        return float(self.inputs["fuel_burn_l_per_lap"]) < 0.1

    def volume(self, litres: Any) -> str:
        """0.125 -> '125 ml' for a small car, 67.5 -> '67.5 L'."""
        if litres is None:
            return "–"
        if self.in_ml:
            return f"{plain(float(litres) * 1000, 3)} ml"
        return f"{plain(float(litres), 6)} L"

    @property
    def laps(self) -> int:
        return self.result["estimated_laps"]

    @property
    def stops(self) -> int:
        return self.result["pit_stops_required"]

    @property
    def laps_possible(self) -> int:
        return self.result["laps_possible"]

    @property
    def total_fuel(self) -> str:
        return self.volume(self.result["total_fuel_required_l"])

    @property
    def burn(self) -> str:
        return self.volume(self.inputs["fuel_burn_l_per_lap"])

    @property
    def tank(self) -> str:
        return self.volume(self._tank)

    @property
    def _tank(self) -> Any:
        car = self.inputs.get("car") or {}
        nested = car.get("tank_capacity_l")
        return nested if nested is not None else self.inputs.get("tank_capacity_l")

    @property
    def time(self) -> str:
        return clock(self.result["estimated_total_time_s"]).removesuffix(".000")

    @property
    def pace(self) -> str:
        return clock(self.inputs.get("target_pace_s"))

    @property
    def target(self) -> str:
        """What was asked for: '25 laps', '30 min'."""
        laps, minutes = self.inputs.get("required_laps"), self.inputs.get("run_duration_min")
        asked = []
        if laps is not None:
            asked.append("1 lap" if laps == 1 else f"{plain(float(laps), 0)} laps")
        if minutes is not None:
            asked.append(f"{plain(float(minutes), 3)} min")
        return " in ".join(asked)

    @property
    def asked(self) -> str:
        """The duration a run was asked to last, beside the laps that came of it."""
        minutes = self.inputs.get("run_duration_min")
        return "" if minutes is None else f"in {plain(float(minutes), 3)} min"

    @property
    def pace_note(self) -> str:
        return "" if self.inputs.get("target_pace_s") is None else f"{self.pace} a lap"

    def named(self, holder: str) -> str:
        """The name of the driver, car or track, if it has one."""
        value = (self.inputs.get(holder) or {}).get("name")
        return value if isinstance(value, str) else ""

    @property
    def driver(self) -> str:
        return self.named("driver")

    @property
    def track(self) -> str:
        return self.named("track")

    @property
    def car(self) -> str:
        return self.named("car")

    @property
    def pace_from(self) -> str:
        """The session the pace was taken from, in words."""
        source = (self.inputs.get("driver") or {}).get("pace_from")
        return str(source.get("session", "")) if isinstance(source, dict) else ""

    @property
    def notes(self) -> list[Note]:
        notes = []
        for text in self.result["notes"]:
            code, _, sentence = text.partition(": ")
            notes.append(Note(code, sentence[:1].upper() + sentence[1:]))
        return notes

    @property
    def stints(self) -> list[StintRow]:
        rows, done = [], 0
        pace = self.inputs.get("target_pace_s")
        for stint in self.result["stints"]:
            laps = stint["laps"]
            is_first = stint["stint_no"] == 1
            rows.append(
                StintRow(
                    number=stint["stint_no"],
                    laps=laps,
                    first_lap=done + 1,
                    last_lap=done + laps,
                    fuel_start=self.volume(stint["fuel_start_l"]),
                    refuel="" if is_first and not stint["refuel_l"] else self._added(stint),
                    fuel_end=self.volume(stint["fuel_end_l"]),
                    time=clock(None if pace is None else laps * float(pace)),
                    is_garage_fill=is_first and bool(stint["refuel_l"]),
                )
            )
            done += laps
        return rows

    def _added(self, stint: dict[str, Any]) -> str:
        return f"+{self.volume(stint['refuel_l'])}"

    @property
    def windows(self) -> list[dict[str, int]]:
        return (self.result.get("saving") or {}).get("pit_windows", [])

    @property
    def saving(self) -> str:
        """What burn saves a stop, as a sentence; empty when nobody asked or nothing can be saved."""
        told = self.result.get("saving")
        if told is None:
            return ""
        burn = told["burn_to_save_one_stop_l_per_lap"]
        if self.stops == 0:
            return "There is no stop to save."
        if burn is None:
            return "No burn is low enough to save a stop."
        less = 100 * (1 - float(burn) / float(self.inputs["fuel_burn_l_per_lap"]))
        left = "no stop" if self.stops == 1 else f"{self.stops - 1} stops"
        if self.stops == 2:
            left = "1 stop"
        return f"{self.volume(burn)} a lap or less ({less:.1f} % less) needs {left}."

    @property
    def chart(self) -> Chart:
        return fuel_chart([("Fuel", self)])


def fuel_chart(plans: Sequence[tuple[str, Shown]], *, title: str = "Fuel over laps") -> Chart:
    """Litres in the tank after each lap; a stop goes straight up at the lap it follows."""
    in_ml = all(plan.in_ml for _, plan in plans)
    factor, unit = (1000, "ml") if in_ml else (1, "L")
    tanks = {float(plan._tank) for _, plan in plans if plan._tank is not None}
    fullest = max(s["fuel_start_l"] for _, plan in plans for s in plan.result["stints"])
    references = [
        Reference(tank * factor, f"full tank {plain(tank * factor, 3)} {unit}")
        for tank in sorted(tanks)
        if fullest < tank < 2 * fullest  # else the line shows it, or is squeezed by it
    ]
    return line_chart(
        [_fuel_line(label, plan, factor, unit) for label, plan in plans],
        title=title,
        x_label="Laps driven",
        y_format=lambda y: f"{plain(y, 3)} {unit}",
        references=references,
        clip=False,
        from_zero=True,
        slug="fuel-over-laps",
    )


def _fuel_line(label: str, plan: Shown, factor: int, unit: str) -> Series:
    points: list[tuple[float, float | None]] = []
    marks, done = [], 0
    one_by_one = plan.laps <= LAPS_DRAWN_ONE_BY_ONE
    for stint in plan.result["stints"]:
        start, end = stint["fuel_start_l"] * factor, stint["fuel_end_l"] * factor
        points.append((done, start))
        if stint["stint_no"] > 1:
            added = plain(stint["refuel_l"] * factor, 3)
            marks.append(Mark(done, "pit", f"stop after lap {done}: +{added} {unit}"))
        laps = stint["laps"]
        steps = range(1, laps) if one_by_one else ()
        points += [(done + lap, start + (end - start) * lap / laps) for lap in steps]
        done += laps
        points.append((done, end))
    return Series(label, points, marks=marks)


def clock(seconds: Any) -> str:
    """Seconds as people write times; None is a dash."""
    return format_ms(None if seconds is None else round(float(seconds) * 1000))


def plain(number: float, decimals: int) -> str:
    """At most so many decimals and no idle zeros: 60.0 -> '60'."""
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
