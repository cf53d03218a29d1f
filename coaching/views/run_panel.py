"""One run as a page shows it: chart, score with its parts, v1 beside v2, LiveRC's own number."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coaching.domain.advice import STRATEGY_NAMES, advice_for
from coaching.domain.laps import LiveRcFigures, liverc_figures
from coaching.domain.orp_v1 import BIAS, orp_v1
from coaching.domain.orp_v2 import OrpV2, orp_blend, orp_v2, pace_score
from coaching.domain.scenario import Scenario
from racecontrol.shared.charts import Chart, Mark, Series, line_chart

REASONS = {
    "slow": "slow: costs as an incident",
    "short": "too short: not counted",
    "missed_loop": "loop missed: not counted",
    "start": "grid lap: not counted",
    "out": "out-lap: not counted",
    "in": "in-lap: not counted",
    "pit": "pit stop: not counted",
    "yellow": "yellow flag: not counted",
    "invalid": "invalid: not counted",
}
SIGNS = {"slow": "slow", "pit": "pit"}
V1_NAMES = {"valid": "", "rejected": "gate closed: no score", "invalid": "too few laps"}

Lap = tuple[int, int, str]  # lap number, ms, flag


@dataclass(frozen=True, slots=True)
class PanelLap:
    """A lap as listed: `reason` says in words why it does not count as clean, or ''."""

    number: int
    ms: int
    reason: str = ""
    is_best: bool = False
    row: Any = None


@dataclass(frozen=True, slots=True)
class RunPanel:
    """Everything a template shows of one run. Scores are computed from `laps`, nothing is made up."""

    title: str
    v2: OrpV2
    v1: dict
    laps: list[PanelLap]
    chart: Chart
    advice: list[str]
    liverc: list[tuple[str, LiveRcFigures]]
    published_consistency: Any = None
    pace: float | None = None
    blend: float | None = None
    confidence: int | None = None
    weights: tuple[float, float] = field(default=(0.5, 0.5))

    @property
    def strategy_name(self) -> str:
        return STRATEGY_NAMES.get(self.v2.strategy or "", "")

    @property
    def tone(self) -> str:
        return {"avant_garde": "good", "balanced": "info", "stability": "warn"}.get(
            self.v2.strategy or "", ""
        )

    @property
    def spread_points(self) -> float | None:
        """Points the uneven laps cost: the base is 100 less these."""
        return None if self.v2.base is None else round(100 - self.v2.base, 1)

    @property
    def gap_s(self) -> float | None:
        """Race pace less potential: what is left in the car and driver on an ordinary lap."""
        if self.v2.race_pace_s is None or self.v2.potential_s is None:
            return None
        return round(self.v2.race_pace_s - self.v2.potential_s, 3)

    @property
    def v1_score(self) -> float | None:
        return self.v1["orp_score"] if self.v1["status"] == "valid" else None

    @property
    def v1_note(self) -> str:
        return V1_NAMES[self.v1["status"]]

    @property
    def race_pace_ms(self) -> int | None:
        return None if self.v2.race_pace_s is None else round(self.v2.race_pace_s * 1000)

    @property
    def potential_ms(self) -> int | None:
        return None if self.v2.potential_s is None else round(self.v2.potential_s * 1000)


def run_panel(
    laps: Sequence[Lap],
    *,
    title: str,
    kind: str,
    experience: str = "Intermediate",
    confidence: int | None = None,
    scenario: Scenario | None = None,
    basis: str = "",
    published_consistency: Any = None,
    field_paces_s: Sequence[float] = (),
    rows: Sequence[Any] = (),
) -> RunPanel:
    """Build the panel from (lap number, ms, flag) in driven order. `kind`: "race" drops the grid lap."""
    has_grid_lap = kind == "race" and bool(laps) and laps[0][0] == 1
    laps_s = [ms / 1000 for _, ms, _ in laps]
    flags = {place: flag for place, (_, _, flag) in enumerate(laps, start=1) if flag}
    result = orp_v2(
        laps_s, kind="race" if has_grid_lap else "practice", flags=flags, confidence=confidence
    )
    weights = BIAS.get(experience, BIAS["Intermediate"])
    pace = None
    if result.is_valid and field_paces_s:
        pace = pace_score(race_pace_s=result.race_pace_s, field_paces_s=field_paces_s)
    bases = [basis] if basis else ["all", "from_lap_2"] if kind == "race" else ["all"]
    return RunPanel(
        title=title,
        v2=result,
        v1=orp_v1(
            laps_s,
            experience_level=experience,
            driver_confidence=3 if confidence is None else confidence,
        ),
        laps=_listed(laps, result, rows),
        chart=lap_chart(laps, result, title=f"Laps of {title}"),
        advice=advice_for(result, scenario=scenario, confidence=confidence),
        liverc=_liverc(laps, bases),
        published_consistency=published_consistency,
        pace=pace,
        blend=None if pace is None else orp_blend(score=result.score, pace=pace, weights=weights),
        confidence=confidence,
        weights=weights,
    )


def _listed(laps: Sequence[Lap], result: OrpV2, rows: Sequence[Any]) -> list[PanelLap]:
    clean_ms = [ms for n, (_, ms, _) in enumerate(laps, start=1) if n not in result.excluded]
    best = min(clean_ms, default=None)
    return [
        PanelLap(
            number=number,
            ms=ms,
            reason=REASONS.get(result.excluded.get(place, ""), ""),
            is_best=ms == best and place not in result.excluded,
            row=rows[place - 1] if rows else None,
        )
        for place, (number, ms, _) in enumerate(laps, start=1)
    ]


def _liverc(laps: Sequence[Lap], bases: Sequence[str]) -> list[tuple[str, LiveRcFigures]]:
    """LiveRC's own figures on each basis, where there are laps enough for any."""
    counted = [ms for _, ms, flag in laps if flag != "invalid"]
    return [
        ("all laps" if basis == "all" else "from lap 2", figures)
        for basis in bases
        if (figures := liverc_figures(counted, basis=basis)) and figures.laps > 1
    ]


def lap_chart(laps: Sequence[Lap], result: OrpV2, *, title: str) -> Chart:
    """Laps with marks for those that are not clean; the trend with the slopes it lies between (90 %)."""
    marks = []
    for place, reason in result.excluded.items():
        number = laps[place - 1][0]
        marks.append(Mark(number, SIGNS.get(reason, "invalid"), REASONS[reason]))
    series = [
        Series("Lap", [(number, ms) for number, ms, _ in laps], marks=marks, look=0, is_strong=True)
    ]
    trend = result.trend
    if trend is not None:
        places = range(trend.first, trend.last + 1)
        middle = (trend.first + trend.last) / 2
        pivot = trend.at_first + trend.slope * (middle - trend.first)

        def line(slope: float) -> list[tuple[float, float | None]]:
            return [
                (laps[place - 1][0], round(1000 * (pivot + slope * (place - middle))))
                for place in places
            ]

        series += [
            Series("Trend", line(trend.slope), look=1),
            Series("Trend at least", line(trend.low), look=2),
            Series("Trend at most", line(trend.high), look=3),
        ]
    return line_chart(series, title=title, x_label="Lap")
