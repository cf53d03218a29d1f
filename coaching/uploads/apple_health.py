"""Apple Health export -> values per day. One pass, flat memory, nothing trusted.

What is read: HRV (SDNN), resting heart rate, heart rate, VO2max, active energy, steps, sleep,
workouts. `Me` (birth date, sex, blood type) is never looked at. Dates carry the offset of the
phone; the local day is the text's first ten characters. Sleep belongs to the day of waking up.
Values stay apart by source (watch, phone, apps): choosing one is the reader's business, because
adding two sources counts the same walk twice.
"""

import re
import zipfile
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any
from xml.parsers import expat

from coaching.uploads import archive
from coaching.uploads.errors import BadUpload

LONGEST_PROLOGUE = 2 * 1024**2  # the inline DTD has about 10 kB
LONGEST_TAG = 1024**2
DEEPEST = 32
LONGEST_SOURCE = 120
YEARS = range(1990, 2100)  # outside it a clock was wrong, and a history of centuries would follow
CONTROL = bytes(c for c in range(32) if c not in (9, 10, 13))  # 0x0B was seen in real exports

QUANTITY = "HKQuantityTypeIdentifier"
# type -> (metric, how a day is made of its records, unit we keep)
WANTED = {
    f"{QUANTITY}HeartRateVariabilitySDNN": ("hrv_sdnn", "mean", "ms"),
    f"{QUANTITY}RestingHeartRate": ("resting_hr", "mean", "bpm"),
    f"{QUANTITY}HeartRate": ("heart_rate", "mean", "bpm"),
    f"{QUANTITY}VO2Max": ("vo2max", "mean", "ml/min·kg"),
    f"{QUANTITY}ActiveEnergyBurned": ("active_energy", "sum", "kcal"),
    f"{QUANTITY}StepCount": ("steps", "sum", "count"),
}
SLEEP = "HKCategoryTypeIdentifierSleepAnalysis"
ASLEEP = re.compile(r"Asleep")  # Asleep, AsleepUnspecified, AsleepCore, AsleepDeep, AsleepREM
FACTORS = {"kJ": 1 / 4.184, "count/s": 60.0, "s": 1000.0}  # to kcal, bpm, ms
# Per metric: what a living athlete can show. Outside it a record is left out and counted.
PLAUSIBLE = {
    "hrv_sdnn": (1, 500),
    "resting_hr": (20, 150),
    "heart_rate": (20, 260),
    "vo2max": (5, 110),
    "active_energy": (0, 20_000),
    "steps": (0, 200_000),
}
# iOS 16 wrote startDate twice here, which no parser takes. Short tags only: ours is no regex bomb.
STATISTICS = re.compile(rb"<WorkoutStatistics\b[^>]{0,4000}>")
ATTRIBUTE = re.compile(rb'\s+([\w:.-]+)="[^"]*"')


@dataclass(frozen=True, slots=True)
class DayValue:
    """One metric of one local day from one source, with how many records it is made of."""

    metric: str
    on: date
    source: str
    value: float
    unit: str
    records: int


@dataclass(frozen=True, slots=True)
class Workout:
    """One workout as the phone wrote it; its route is not read."""

    kind: str
    starts_at: datetime
    on: date
    seconds: int
    source: str
    energy_kcal: float | None
    distance_m: float | None
    average_bpm: float | None


@dataclass(slots=True)
class Export:
    """What one export says, and what of it could not be used."""

    values: list[DayValue] = field(default_factory=list)
    workouts: list[Workout] = field(default_factory=list)
    records: int = 0
    left_out: int = 0


def read_export(
    file: IO[bytes], *, on_progress: Callable[[int], None] = lambda compressed: None
) -> Export:
    """Read the zip (or a bare export.xml) of "Export all health data". Raises BadUpload.

    A damaged export raises after whatever was good in it: keep nothing of it then.
    """
    if zipfile.is_zipfile(file):
        box = archive.opened(file)
        chunks = archive.stream(box, main_entry(box), on_read=on_progress)
    else:
        file.seek(0)
        chunks = iter(lambda: file.read(archive.CHUNK), b"")
    days = Days()
    parse(clean(chunks), days)
    return days.export()


def main_entry(box: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The export itself: the largest XML near the top that is not the CDA. Its name is localised."""
    found = [
        entry
        for entry in box.infolist()
        if entry.filename.lower().endswith(".xml")
        and entry.filename.count("/") <= 1
        and not entry.filename.lower().endswith("_cda.xml")
    ]
    if not found:
        raise BadUpload("There is no Apple Health export in this zip file.")
    return max(found, key=lambda entry: entry.file_size)


def clean(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole tags only, from `<HealthData` on, without what stops a parser in real exports.

    The DTD goes with the prologue, so no entity can be defined. Raises BadUpload.
    """
    carry, started = b"", False
    for chunk in chunks:
        carry += chunk.translate(None, CONTROL)
        if not started:
            begin = carry.find(b"<HealthData")
            if begin < 0:
                if len(carry) > LONGEST_PROLOGUE:
                    raise BadUpload("This XML is not an Apple Health export.")
                continue
            carry, started = carry[begin:], True
        cut = carry.rfind(b">") + 1
        if not cut:
            if len(carry) > LONGEST_TAG:
                raise BadUpload("The export has a tag too long to be real.")
            continue
        whole, carry = carry[:cut], carry[cut:]
        if b"<WorkoutStatistics" in whole:
            whole = STATISTICS.sub(_single_attributes, whole)
        yield whole
    if not started:
        raise BadUpload("This file is not an Apple Health export.")
    if carry.strip():
        yield carry


def _single_attributes(tag: re.Match[bytes]) -> bytes:
    seen: set[bytes] = set()

    def once(attribute: re.Match[bytes]) -> bytes:
        if attribute[1] in seen:
            return b""
        seen.add(attribute[1])
        return attribute[0]

    return ATTRIBUTE.sub(once, tag[0])


def parse(chunks: Iterable[bytes], days: "Days") -> None:
    """Feed `days` from clean chunks. Raises BadUpload for XML that is broken or cut short."""
    parser = expat.ParserCreate("UTF-8")
    depth, correlation, workout = 0, 0, None
    record, begin_workout = days.record, days.begin_workout

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, correlation, workout
        depth += 1
        if name == "Record":
            if not correlation:  # the same records stand at the top level too
                record(attributes)
        elif name == "Correlation":
            correlation += 1
        elif name == "Workout":
            workout = begin_workout(attributes)
        elif name == "WorkoutStatistics" and workout is not None:
            days.statistics(workout, attributes)
        elif depth > DEEPEST:
            raise BadUpload("The export is nested too deep to be real.")

    def end(name: str) -> None:
        nonlocal depth, correlation, workout
        depth -= 1
        if name == "Correlation":
            correlation -= 1
        elif name == "Workout" and workout is not None:
            days.end_workout(workout)
            workout = None

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise BadUpload(
            f"The export is damaged or incomplete (line {error.lineno}): export it again."
        ) from error


class Days:
    """Collects records into days. Memory grows with days, and 16 bytes a summed record."""

    def __init__(self) -> None:
        # Thousandths, so that the order of records cannot change a sum.
        self.means: dict[tuple[str, str, str], list[int]] = {}
        # Sums meet the same record twice in real exports; a fingerprint each keeps them apart.
        self.sums: dict[tuple[str, str, str], tuple[array, array]] = {}
        self.asleep: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        self.workouts: list[Workout] = []
        self.records = self.left_out = 0

    def record(self, a: dict[str, str]) -> None:
        """One Record element; a value that cannot be is left out and counted."""
        wanted = WANTED.get(a.get("type", ""))
        if wanted is None:
            if a.get("type") == SLEEP and ASLEEP.search(a.get("value", "")):
                self._sleep(a)
            return
        self.records += 1
        metric, how, _ = wanted
        try:
            value = float(a["value"]) * FACTORS.get(a.get("unit", ""), 1.0)
            start = a["startDate"]
            low, high = PLAUSIBLE[metric]
            if not low <= value <= high:
                raise ValueError
        except (KeyError, ValueError):
            self.left_out += 1
            return
        key = (metric, start[:10], a.get("sourceName", "")[:LONGEST_SOURCE])
        if how == "mean":
            seen = self.means.get(key)
            if seen is None:
                self.means[key] = [round(value * 1000), 1]
            else:
                seen[0] += round(value * 1000)
                seen[1] += 1
        else:
            arrays = self.sums.get(key)
            if arrays is None:
                arrays = self.sums[key] = (array("q"), array("d"))
            arrays[0].append(hash((start, a.get("endDate", ""), value)))
            arrays[1].append(value)

    def _sleep(self, a: dict[str, str]) -> None:
        self.records += 1
        try:
            begins, ends = moment(a["startDate"]), moment(a["endDate"])
        except (KeyError, ValueError):
            self.left_out += 1
            return
        seconds = (ends - begins).total_seconds()
        if not 0 < seconds <= 24 * 3600:
            self.left_out += 1
            return
        key = (a["endDate"][:10], a.get("sourceName", "")[:LONGEST_SOURCE])
        self.asleep[key].append((begins.timestamp(), ends.timestamp()))

    def begin_workout(self, a: dict[str, str]) -> dict[str, Any] | None:
        self.records += 1
        try:
            begins, ends = moment(a["startDate"]), moment(a["endDate"])
        except (KeyError, ValueError):
            self.left_out += 1
            return None
        if not 0 < (ends - begins).total_seconds() <= 7 * 24 * 3600:
            self.left_out += 1
            return None
        found: dict[str, Any] = {"a": a, "begins": begins, "ends": ends, "stats": {}}
        for name in ("totalEnergyBurned", "totalDistance"):  # exports before 2022
            if name in a:
                found["stats"][name] = (a[name], a.get(f"{name}Unit", ""))
        return found

    def statistics(self, workout: dict[str, Any], a: dict[str, str]) -> None:
        kind = a.get("type", "").removeprefix(QUANTITY)
        unit = a.get("unit", "")
        if kind == "ActiveEnergyBurned" and "sum" in a:
            workout["stats"]["totalEnergyBurned"] = (a["sum"], unit)
        elif kind.startswith("Distance") and "sum" in a:
            workout["stats"]["totalDistance"] = (a["sum"], unit)
        elif kind == "HeartRate" and "average" in a:
            workout["stats"]["averageBpm"] = (a["average"], unit)

    def end_workout(self, workout: dict[str, Any]) -> None:
        a, stats = workout["a"], workout["stats"]
        length = (workout["ends"] - workout["begins"]).total_seconds()
        self.workouts.append(
            Workout(
                kind=a.get("workoutActivityType", "").removeprefix("HKWorkoutActivityType")[:60],
                starts_at=workout["begins"].astimezone(UTC),
                on=workout["begins"].date(),
                seconds=int(length),
                source=a.get("sourceName", "")[:LONGEST_SOURCE],
                energy_kcal=_number(stats.get("totalEnergyBurned"), {"kJ": 1 / 4.184}),
                distance_m=_number(
                    stats.get("totalDistance"), {"km": 1000, "mi": 1609.344, "yd": 0.9144}
                ),
                average_bpm=_number(stats.get("averageBpm"), {"count/s": 60}),
            )
        )

    def export(self) -> Export:
        """Every day and source, in a fixed order, so that two readings are equal."""
        units = {metric: unit for metric, _, unit in WANTED.values()}
        values = []
        for (metric, day, source), (total, count) in self.means.items():
            mean = total / count / 1000
            values.append(_value(metric, day, source, mean, units[metric], count))
        for (metric, day, source), (prints, amounts) in self.sums.items():
            unique = dict(zip(prints, amounts, strict=True))
            total = sum(sorted(unique.values()))
            values.append(_value(metric, day, source, total, units[metric], len(unique)))
        for (day, source), spans in self.asleep.items():
            minutes = union_seconds(spans) / 60
            values.append(_value("sleep", day, source, minutes, "min", len(spans)))
        kept = [value for value in values if value is not None]
        kept.sort(key=lambda v: (v.on, v.metric, v.source))
        workouts = sorted(set(self.workouts), key=lambda w: (w.starts_at, w.kind, w.source))
        lost = len(values) - len(kept)
        return Export(kept, workouts, self.records, self.left_out + lost)


def union_seconds(spans: list[tuple[float, float]]) -> float:
    """Seconds covered by spans that may overlap (stages inside a night, two writers of one app)."""
    total, reach = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reach))
        reach = max(reach, end)
    return total


def moment(text: str) -> datetime:
    """'2026-03-01 23:10:05 +0100' -> aware datetime. Raises ValueError, also for an absurd year."""
    at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
    if at.year not in YEARS:
        raise ValueError
    return at


def _value(
    metric: str, day: str, source: str, value: float, unit: str, records: int
) -> DayValue | None:
    try:
        on = date.fromisoformat(day)
    except ValueError:
        return None
    if on.year not in YEARS:
        return None
    return DayValue(metric, on, source, round(value, 3), unit, records)


def _number(pair: tuple[str, str] | None, factors: dict[str, float]) -> float | None:
    if pair is None:
        return None
    try:
        value = float(pair[0]) * factors.get(pair[1], 1)
    except ValueError:
        return None
    return round(value, 1) if 0 <= value < 1e7 else None
