"""Optimal Race Pace, version 2: how evenly somebody drives one run, what fading and incidents cost, and how sure that is.

A run is one heat, its laps in driven order. Heats are never joined: `session_score` weighs them instead.
Trend: Theil (1950) and Sen (1968), the interval from Kendall's variance of the rank statistic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, sqrt
from statistics import mean
from typing import Any, NamedTuple

import numpy as np

VERSION = "v2"
FEWEST_LAPS = 5
Z90 = 1.645  # two-sided 90 % of a normal distribution
MAD_TO_SD = 1.4826  # median absolute deviation to standard deviation, normal laps
SPREAD_SCALE = 12.0  # base = 100·exp(−spread/12): spread 1 % is 92, 2 % is 85, 4 % is 72
SHORT_BELOW = (
    0.80  # of the median: nobody drives a fifth faster, a loop misread or a cut track does
)
MISSED_WITHIN = 0.05  # of two or three medians: the transponder was not read
FADE_FROM_PCT = 0.5
MOST_PENALTY = 20.0
# Points per percent. A fade of 1 % costs half a percent of the race, lost time of 1 % a whole one: hence twice as much.
FADE_POINTS, INCIDENT_POINTS = 2.0, 4.0
# Beyond this many clean laps the trend is read off an even sample of them (pairs grow with the square).
TREND_SAMPLE = 3000

TOO_FEW_USABLE = "fewer than 5 usable laps"
TOO_FEW_CLEAN = "fewer than 5 clean laps"


@dataclass(frozen=True, slots=True)
class Trend:
    """Seconds per lap with a 90 % interval, and the pace at the first clean lap."""

    slope: float
    low: float
    high: float
    at_first: float
    first: int
    last: int

    @property
    def span(self) -> int:
        return self.last - self.first

    def percent(self, slope: float) -> float:
        """A slope over the whole run in percent of the pace it started with."""
        return 100 * slope * self.span / self.at_first if self.at_first else 0.0

    def at(self, number: int) -> float:
        return self.at_first + self.slope * (number - self.first)


@dataclass(frozen=True, slots=True)
class Sorted:
    """The laps of a run by what they count for. Numbers are driven lap numbers, times seconds."""

    clean: list[tuple[int, float]]
    slow: list[tuple[int, float]]
    excluded: dict[int, str]  # number -> reason, slow laps among them
    usable: int  # left after flags and the start lap


NOT_SCORED: Any = None  # what a figure is without a score; the types below are those of a valid run


@dataclass(frozen=True, slots=True)
class OrpV2:
    """One run's score. Where too little was driven (`is_valid` is false) every figure of it is None."""

    status: str
    laps: int
    clean: int
    excluded: dict[int, str]
    score: float | None = None
    low: float | None = None
    high: float | None = None
    strategy: str = NOT_SCORED
    quality: str = NOT_SCORED
    spread_pct: float = NOT_SCORED
    base: float = NOT_SCORED
    fade_pct: float = NOT_SCORED
    fade_label: str = NOT_SCORED
    slope_s_per_lap: float = NOT_SCORED
    fade_penalty: float = NOT_SCORED
    incident_laps: int = NOT_SCORED
    time_lost_s: float = NOT_SCORED
    loss_pct: float = NOT_SCORED
    incident_penalty: float = NOT_SCORED
    race_pace_s: float = NOT_SCORED
    potential_s: float = NOT_SCORED
    best_s: float | None = None
    gate: str = "open"
    notes: list[str] = field(default_factory=list)
    trend: Trend | None = None

    @property
    def is_valid(self) -> bool:
        return self.status == "valid"

    def as_dict(self) -> dict:
        """Plain data under the published field names; the trend with its interval as an object of its own."""
        answer = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("trend", "excluded")
        }
        answer["excluded"] = {str(number): why for number, why in self.excluded.items()}
        answer["trend"] = self.trend and {
            "slope_s_per_lap": round(self.trend.slope, 4),
            "low_s_per_lap": round(self.trend.low, 4),
            "high_s_per_lap": round(self.trend.high, 4),
            "at_first_s": round(self.trend.at_first, 3),
            "first_lap": self.trend.first,
            "last_lap": self.trend.last,
        }
        return answer


def orp_v2(
    laps_s: Sequence[float],
    *,
    kind: str = "practice",
    flags: Mapping[int, str] | None = None,
    confidence: int | None = None,
) -> OrpV2:
    """Score one run.

    `laps_s`: lap times in seconds in driven order. `kind`: "race" leaves out lap 1 (the grid lap), anything else keeps it.
    `flags`: driven lap number (from 1) -> one of `laps.FLAGS`; flagged laps leave every figure.
    `confidence` (1 to 5, or None) never touches the score: below 3 it closes the gate for setup changes.
    """
    gate = "closed" if confidence is not None and confidence < 3 else "open"
    laps = sort_laps(laps_s, kind=kind, flags=flags or {})
    if len(laps.clean) < FEWEST_LAPS:
        return _not_scored(laps, driven=len(laps_s), gate=gate)
    numbers = np.array([number for number, _ in laps.clean])
    times = np.array([time for _, time in laps.clean])
    count, pace = len(times), float(np.median(times))
    trend = theil_sen(numbers, times)
    fade = _fade_of(trend)
    incidents = _incidents_of(laps.slow, times, pace)
    spread = _spread_pct(numbers, times, trend, pace)
    score, low, high = _band(spread, fade.penalty + incidents.penalty, laps=count)
    return OrpV2(
        status="valid",
        laps=len(laps_s),
        clean=count,
        excluded=laps.excluded,
        score=score,
        low=low,
        high=high,
        strategy=strategy_of(score=score, low=low, clean=count, fade_label=fade.label),
        quality="A" if count >= 20 else "B" if count >= 10 else "C",
        spread_pct=round(spread, 2),
        base=round(base_of(spread), 1),
        fade_pct=_unsigned_zero(round(fade.percent, 2)),
        fade_label=fade.label,
        slope_s_per_lap=_unsigned_zero(round(trend.slope, 4)),
        fade_penalty=round(fade.penalty, 1),
        incident_laps=len(laps.slow),
        time_lost_s=round(incidents.lost_s, 2),
        loss_pct=round(incidents.percent, 2),
        incident_penalty=round(incidents.penalty, 1),
        race_pace_s=round(pace, 3),
        potential_s=round(mean(sorted(time for _, time in laps.clean)[:FEWEST_LAPS]), 3),
        best_s=round(float(times.min()), 3),
        gate=gate,
        trend=trend,
    )


def _not_scored(laps: Sorted, *, driven: int, gate: str) -> OrpV2:
    return OrpV2(
        status="insufficient_data",
        laps=driven,
        clean=len(laps.clean),
        excluded=laps.excluded,
        best_s=round(min(time for _, time in laps.clean), 3) if laps.clean else None,
        gate=gate,
        notes=[TOO_FEW_USABLE if laps.usable < FEWEST_LAPS else TOO_FEW_CLEAN],
    )


class _Fade(NamedTuple):
    percent: float
    label: str
    penalty: float


def _fade_of(trend: Trend) -> _Fade:
    """A trend counts once its whole interval lies on one side; only getting slower costs points."""
    percent = trend.percent(trend.slope)
    if trend.low > 0 and percent > FADE_FROM_PCT:
        return _Fade(percent, "degrading", min(MOST_PENALTY, FADE_POINTS * percent))
    is_improving = trend.high < 0 and percent < -FADE_FROM_PCT
    return _Fade(percent, "improving" if is_improving else "steady", 0.0)


class _Incidents(NamedTuple):
    lost_s: float
    percent: float
    penalty: float


def _incidents_of(slow: list[tuple[int, float]], times: np.ndarray, pace: float) -> _Incidents:
    """Time the slow laps lost against the pace, and its share of the time driven."""
    lost = sum(time - pace for _, time in slow)
    running = float(times.sum()) + sum(time for _, time in slow)
    percent = 100 * lost / running
    return _Incidents(lost, percent, min(MOST_PENALTY, INCIDENT_POINTS * percent))


def _spread_pct(numbers: np.ndarray, times: np.ndarray, trend: Trend, pace: float) -> float:
    """Standard deviation of the clean laps around their trend, in percent of the pace."""
    around = times - trend.slope * numbers
    around -= around.mean()
    return 100 * sqrt(float(around @ around) / (len(times) - 2)) / pace


def _band(spread: float, penalties: float, *, laps: int) -> tuple[float, float, float]:
    """The score and the ends of its 90 % interval: of few laps the spread is not known well."""
    unsure = Z90 / sqrt(2 * (laps - 2))

    def score_at(spread_pct: float) -> float:
        return round(max(0.0, base_of(spread_pct) - penalties), 1)

    return (
        score_at(spread),
        score_at(spread * (1 + unsure)),
        score_at(max(0.0, spread * (1 - unsure))),
    )


def base_of(spread_pct: float) -> float:
    """100 for laps on a straight line; the same step in spread costs the same share anywhere on the scale."""
    return 100 * exp(-spread_pct / SPREAD_SCALE)


def strategy_of(*, score: float, low: float, clean: int, fade_label: str) -> str:
    """Bold only where the score is high, surely so, from enough laps, and the run does not fade."""
    if score >= 85 and low >= 70 and clean >= 8 and fade_label != "degrading":
        return "avant_garde"
    return "balanced" if score >= 70 else "stability"


def sort_laps(laps_s: Sequence[float], *, kind: str, flags: Mapping[int, str]) -> Sorted:
    """Which laps are clean, which slow (they cost), which leave every figure, and why.

    The spread that decides what is slow is that of the fast half: crashes cannot inflate it.
    """
    excluded: dict[int, str] = {}
    left: list[tuple[int, float]] = []
    for number, time in enumerate(laps_s, start=1):
        if flags.get(number):
            excluded[number] = flags[number]
        elif number == 1 and kind == "race":
            excluded[number] = "start"
        else:
            left.append((number, time))
    if len(left) < FEWEST_LAPS:
        return Sorted(clean=left, slow=[], excluded=excluded, usable=len(left))

    median = float(np.median([time for _, time in left]))
    spread = MAD_TO_SD * float(np.median([median - t for _, t in left if t <= median]))
    slow_above = median + min(max(3 * spread, 0.02 * median), 0.15 * median)
    clean, slow = [], []
    for number, time in left:
        if time < SHORT_BELOW * median:
            excluded[number] = "short"
        elif any(abs(time - n * median) <= MISSED_WITHIN * n * median for n in (2, 3)):
            excluded[number] = "missed_loop"
        elif time > slow_above:
            excluded[number] = "slow"
            slow.append((number, time))
        else:
            clean.append((number, time))
    return Sorted(clean=clean, slow=slow, excluded=dict(sorted(excluded.items())), usable=len(left))


def theil_sen(numbers: np.ndarray, times: np.ndarray) -> Trend:
    """The median of all pairwise slopes, and the slopes between which the true one lies in 90 of 100 runs."""
    first, last = int(numbers[0]), int(numbers[-1])
    if len(numbers) > TREND_SAMPLE:
        even = np.linspace(0, len(numbers) - 1, TREND_SAMPLE).round().astype(int)
        numbers, times = numbers[even], times[even]
    count = len(numbers)
    slopes = np.concatenate(
        [(times[i + 1 :] - times[i]) / (numbers[i + 1 :] - numbers[i]) for i in range(count - 1)]
    )
    pairs = len(slopes)
    half_width = Z90 * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    # Sen's ranks counted from 0: as many slopes lie below the interval as above it.
    low = max(0, round((pairs - half_width) / 2) - 1)
    high = pairs - 1 - low
    slopes.partition(
        sorted({low, (pairs - 1) // 2, pairs // 2, high})
    )  # only these must stand right
    slope = float(slopes[(pairs - 1) // 2] + slopes[pairs // 2]) / 2
    at_first = float(np.median(times - slope * (numbers - first)))
    return Trend(slope, float(slopes[low]), float(slopes[high]), at_first, first, last)


def pace_score(*, race_pace_s: float, field_paces_s: Sequence[float]) -> float | None:
    """100·exp(−gap/12), the gap in percent to the median of the five quickest race paces of the heat; None without five."""
    if len(field_paces_s) < FEWEST_LAPS:
        return None
    reference = float(np.median(sorted(field_paces_s)[:FEWEST_LAPS]))
    gap_pct = max(0.0, 100 * (race_pace_s / reference - 1))
    return round(base_of(gap_pct), 1)


def orp_blend(*, score: float, pace: float, weights: tuple[float, float]) -> float:
    """Consistency and pace by the driver's level. A figure beside the score, never in its place."""
    consistency_weight, speed_weight = weights
    return round(consistency_weight * score + speed_weight * pace, 1)


def projection_s(result: OrpV2, *, laps: int, slow_excess_s: float | None = None) -> float | None:
    """Seconds the next `laps` laps would take at this pace: the fitted line, plus incidents as often as before."""
    if not result.is_valid or result.trend is None or laps < 1:
        return None
    line = sum(result.trend.at(result.trend.last + n) for n in range(1, laps + 1))
    driven = result.clean + result.incident_laps
    excess = result.time_lost_s if slow_excess_s is None else slow_excess_s
    return round(line + laps * excess / driven, 2)


def _unsigned_zero(value: float) -> float:
    return value + 0.0 if value else 0.0
