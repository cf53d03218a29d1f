"""Laps as people write them, and the figures LiveRC publishes for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

from racecontrol.shared.errors import InvalidInput

MOST_MS = 3_600_000  # a lap of an hour is a typing mistake
MOST_LAPS = 100_000  # of one heat
FLAGS = ("out", "in", "pit", "yellow", "invalid")

_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,5})(?:[.,](\d{1,6}))?")
_LEADING_NUMBER = re.compile(r"^(?:lap\s*)?\d{1,5}\s*[:.)]?\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawLap:
    """A lap as it was sent: seconds or text, nothing of it checked yet."""

    lap_time: float | int | str
    number: int | None = None
    confidence: int | None = None
    flag: str = ""


@dataclass(frozen=True, slots=True)
class NewLap:
    """A lap to be stored; without a number it follows the last one of its heat."""

    ms: int
    number: int | None = None
    confidence: int | None = None
    flag: str = ""
    source_ref: str = ""


@dataclass(frozen=True, slots=True)
class TypedLap:
    """One lap somebody typed: where it stood, its time, and why it does not count (or '')."""

    line: int
    ms: int
    flag: str = ""


@dataclass(frozen=True, slots=True)
class LiveRcFigures:
    """What LiveRC prints for these laps, its definitions: σ is that of the population. Times in ms, None where too few laps."""

    laps: int
    fastest_ms: int
    average_ms: float
    top_5_ms: float | None
    top_10_ms: float | None
    top_15_ms: float | None
    top_2_consecutive_ms: int | None
    top_3_consecutive_ms: int | None
    deviation_ms: float
    consistency_pct: float


def read_lap_ms(text: str) -> int:
    """'58.123', '58,1', '1:02.345' -> whole milliseconds; raises InvalidInput with the reason."""
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        raise InvalidInput(f"“{text.strip()[:20]}” is not a lap time: write 58.123 or 1:02.345.")
    minutes, seconds, fraction = found.groups()
    if minutes is not None and int(seconds) > 59:
        raise InvalidInput(f"“{text.strip()}”: seconds after the minutes go to 59.")
    return check_lap_ms(
        int(minutes or 0) * 60_000
        + int(seconds) * 1000
        + int((fraction or "0").ljust(6, "0")[:6]) // 1000
        + (int((fraction or "0").ljust(6, "0")) % 1000 >= 500)
    )


def check_lap_ms(ms: int) -> int:
    """The same number, or InvalidInput: a lap lasts longer than nothing and less than an hour."""
    if ms <= 0:
        raise InvalidInput("A lap time is above zero.")
    if ms >= MOST_MS:
        raise InvalidInput("A lap time is below one hour.")
    return ms


def lap_ms_of(value: float | str) -> int:
    """Whole milliseconds of seconds as a number, or of text as `read_lap_ms` takes it."""
    if isinstance(value, str):
        return read_lap_ms(value)
    if not isfinite(value):
        raise InvalidInput("A lap time is a number of seconds.")
    return check_lap_ms(round(value * 1000) if abs(value) < MOST_MS else MOST_MS)


def read_laps(laps: Sequence[RawLap], *, name: str = "laps") -> list[NewLap]:
    """All of them, or InvalidInput naming every wrong one by its index: fields {"laps.3": ["…"]}."""
    good: list[NewLap] = []
    wrong: dict[str, list[str]] = {}
    numbers: dict[int, int] = {}
    for index, lap in enumerate(laps):
        faults = []
        ms = 0
        try:
            ms = lap_ms_of(lap.lap_time)
        except InvalidInput as refusal:
            faults.append(str(refusal))
        if lap.confidence is not None and not 1 <= lap.confidence <= 5:
            faults.append("Confidence goes from 1 to 5.")
        if lap.flag and lap.flag not in FLAGS:
            faults.append(f"A flag is one of {', '.join(FLAGS)}.")
        if lap.number is not None:
            if not 1 <= lap.number <= MOST_LAPS:
                faults.append(f"Lap numbers go from 1 to {MOST_LAPS}.")
            elif numbers.setdefault(lap.number, index) != index:
                faults.append(f"Lap {lap.number} stands here twice.")
        if faults:
            wrong[f"{name}.{index}"] = faults
        else:
            good.append(NewLap(ms, lap.number, lap.confidence, lap.flag))
    if wrong:
        first = next(iter(wrong))
        index = int(first.rpartition(".")[2])
        raise InvalidInput(
            f"Lap {index + 1} of {len(laps)}: {wrong[first][0]} Nothing was stored.", fields=wrong
        )
    return good


def read_paste(text: str) -> list[TypedLap]:
    """A pasted column (or row) of times, in the order given.

    Each line may start with a lap number ("3  58.123", "Lap 3: 58.123") and may end with a flag or with LiveRC's
    asterisk for an invalid lap. Raises InvalidInput naming the first bad line.
    """
    laps: list[TypedLap] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = _LEADING_NUMBER.sub("", line.strip()).replace(";", " ").replace(", ", " ").split()
        words = [part for word in words for part in _parts(word)]
        for word in words:
            flag = "invalid" if word == "*" else word.lower()
            try:
                if flag in FLAGS:
                    if not laps or laps[-1].line != number:
                        raise InvalidInput(f"“{word}” stands before any time.")
                    laps[-1] = TypedLap(number, laps[-1].ms, flag)
                elif word.endswith("*"):
                    laps.append(TypedLap(number, read_lap_ms(word[:-1]), "invalid"))
                else:
                    laps.append(TypedLap(number, read_lap_ms(word)))
            except InvalidInput as refusal:
                raise InvalidInput(f"Line {number}: {refusal}") from refusal
    return laps


def _parts(word: str) -> list[str]:
    """'58.1,58.2' is two times, '58,1' is one with a decimal comma."""
    return [part for part in word.split(",") if part] if "." in word or ":" in word else [word]


def liverc_figures(laps_ms: Sequence[int], *, basis: str = "all") -> LiveRcFigures | None:
    """LiveRC's figures; None without laps.

    `basis` "from_lap_2" leaves the first lap out of every figure, as LiveRC does in races with a grid start.
    Consistency = 100·(1 − σ/mean) with the population σ: ours, so that the number on its page is found again.
    """
    counted = list(laps_ms[1:] if basis == "from_lap_2" else laps_ms)
    if not counted:
        return None
    average = sum(counted) / len(counted)
    deviation = sqrt(sum((lap - average) ** 2 for lap in counted) / len(counted))
    quickest = sorted(counted)

    def top(n: int) -> float | None:
        return sum(quickest[:n]) / n if len(counted) >= n else None

    def in_a_row(n: int) -> int | None:
        runs = [sum(counted[i : i + n]) for i in range(len(counted) - n + 1)]
        return min(runs) if runs else None

    return LiveRcFigures(
        laps=len(counted),
        fastest_ms=quickest[0],
        average_ms=average,
        top_5_ms=top(5),
        top_10_ms=top(10),
        top_15_ms=top(15),
        top_2_consecutive_ms=in_a_row(2),
        top_3_consecutive_ms=in_a_row(3),
        deviation_ms=deviation,
        consistency_pct=100 * (1 - deviation / average),
    )
