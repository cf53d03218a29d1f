"""Timing data as people look at it: charts of a race, the trend of a driver, laps with their marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ingestion.domain import pace
from ingestion.domain.pace import SortedLaps, gap_to_leader
from ingestion.models import BumpUp, Lap, Race, RaceResult
from ingestion.queries.laps import sorted_laps
from racecontrol.shared.charts import Chart, Mark, Series, line_chart, position_chart
from racecontrol.shared.names import format_name

SHOWN_AT_FIRST = 5
MOST_SHOWN = 12
WAYS_IN = {"": "Everybody", "bumped": "Moved up", "direct": "Qualified directly"}
BASIS_WORDS = {
    "all": "over all laps",
    "from_lap_2": "without lap 1",
    "": "basis unknown",
}
WHY_WORDS = {
    pace.FIRST: "standing start",
    pace.INVALID: "does not count",
    pace.SHORT: "too short for a whole lap",
    pace.MISSED_LOOP: "the loop was missed",
    pace.SLOW: "slow",
}


@dataclass(frozen=True, slots=True)
class LapCell:
    """A lap in a table: its time, and what is special about it in words and sign."""

    number: int
    ms: int
    sign: str
    words: str
    tone: str


class RaceSheet:
    """One race with the laps of its drivers, and which drivers are shown.

    `looks`: driver id -> look, for all who race in the class at this event.
    """

    def __init__(
        self,
        race: Race,
        results: Sequence[RaceResult],
        laps: dict[int, list[Lap]],
        chosen: Sequence[int] = (),
        moves: Mapping[int, BumpUp] | None = None,
        way_in: str = "",
        looks: Mapping[int, int] | None = None,
    ):
        self.race = race
        self.results = list(results)
        for result in self.results:
            result.race = race
        self.moves = moves or {}
        self.looks = looks or {}
        self.way_in = way_in if way_in in WAYS_IN and self.moves else ""
        self.laps = laps
        with_laps = [result for result in self.results if laps.get(result.pk)]
        picked = [result for result in with_laps if result.driver_id in set(chosen)]
        self.chosen = (picked or with_laps[:SHOWN_AT_FIRST])[:MOST_SHOWN]
        self.chosen_ids = {result.driver_id for result in self.chosen}
        self.with_laps = with_laps

    @property
    def choices(self) -> list[tuple[RaceResult, bool, int]]:
        """Each driver with laps, whether shown, and the look in the charts."""
        return [
            (result, result.driver_id in self.chosen_ids, self.look(result))
            for result in self.with_laps
        ]

    @property
    def rows(self) -> list[tuple[RaceResult, BumpUp | None]]:
        """Each result with the move that brought its driver up; only those of the chosen way in."""
        rows = [(result, self.moves.get(result.driver_id)) for result in self.results]
        if self.way_in:
            rows = [row for row in rows if (row[1] is not None) == (self.way_in == "bumped")]
        return rows

    @property
    def ways_in(self) -> list[tuple[str, str, bool]]:
        """How drivers came into this race, to choose from; nothing where nobody moved up."""
        return [(way, words, way == self.way_in) for way, words in WAYS_IN.items() if self.moves]

    @property
    def basis(self) -> str:
        return BASIS_WORDS.get(self.race.stats_basis, BASIS_WORDS[""])

    @cached_property
    def sorted(self) -> dict[int, SortedLaps]:
        return {
            result.pk: sorted_laps(self.laps[result.pk], self.race) for result in self.with_laps
        }

    def look(self, result: RaceResult) -> int:
        """Of the driver's in all races of the class, else of the place in this one."""
        return self.looks.get(result.driver_id, self.with_laps.index(result))

    def paces(self) -> list[tuple[RaceResult, int | None]]:
        return [(result, self.sorted[result.pk].median_ms) for result in self.with_laps]

    @cached_property
    def lap_chart(self) -> Chart:
        return line_chart(
            [
                Series(
                    label=format_name(result.driver_name),
                    points=[(lap.number, lap.ms) for lap in self.laps[result.pk]],
                    marks=self._marks(result),
                    look=self.look(result),
                )
                for result in self.chosen
            ],
            title="Lap times",
            slug="lap-times",
        )

    def _marks(self, result: RaceResult) -> list[Mark]:
        why_not = self.sorted[result.pk].why_not
        best = self.best_of(result)
        marks = [] if best is None else [Mark(best, "best", "best lap")]
        for number, why in why_not.items():
            if why == pace.SLOW:
                marks.append(Mark(number, "slow", WHY_WORDS[why]))
            elif why in (pace.INVALID, pace.SHORT, pace.MISSED_LOOP):
                marks.append(Mark(number, "invalid", WHY_WORDS[why]))
        return marks

    def best_of(self, result: RaceResult) -> int | None:
        """Number of the fastest lap that counts; the published one where it is known."""
        if result.fast_lap_number:
            return result.fast_lap_number
        valid = [lap for lap in self.laps[result.pk] if lap.is_valid]
        return min(valid, key=lambda lap: lap.ms).number if valid else None

    @cached_property
    def places_chart(self) -> Chart:
        return position_chart(
            [
                Series(
                    label=format_name(result.driver_name),
                    points=self._places(result),
                    look=self.look(result),
                    is_strong=result.driver_id in self.chosen_ids,
                )
                for result in self.with_laps
            ],
            title="Places",
            slug="places",
        )

    def _places(self, result: RaceResult) -> list[tuple[int, int | None]]:
        start = result.grid or result.qual
        points = [(0, start)] if start else []
        return points + [(lap.number, lap.position) for lap in self.laps[result.pk]]

    @cached_property
    def gap_chart(self) -> Chart:
        gaps = gap_to_leader(
            {str(result.pk): [lap.ms for lap in self.laps[result.pk]] for result in self.with_laps}
        )
        return line_chart(
            [
                Series(
                    label=format_name(result.driver_name),
                    points=list(enumerate(gaps[str(result.pk)], start=1)),
                    look=self.look(result),
                )
                for result in self.chosen
            ],
            title="Gap to the leader of each lap",
            y_format=lambda ms: f"+{ms / 1000:.1f}",
            clip=False,
            from_zero=True,
            slug="gaps",
        )

    def lap_rows(self) -> list[tuple[int, list[LapCell | None]]]:
        """Lap number and the cell of each chosen driver."""
        columns = [self._cells(result) for result in self.chosen]
        longest = max((max(column, default=0) for column in columns), default=0)
        return [
            (number, [column.get(number) for column in columns]) for number in range(1, longest + 1)
        ]

    def _cells(self, result: RaceResult) -> dict[int, LapCell]:
        best, why_not = self.best_of(result), self.sorted[result.pk].why_not
        cells = {}
        for lap in self.laps[result.pk]:
            why = why_not.get(lap.number, "")
            if lap.number == best:
                sign, words, tone = "◆", "best lap", "best"
            elif why == pace.SLOW:
                sign, words, tone = "■", WHY_WORDS[why], "warn"
            elif why in (pace.INVALID, pace.SHORT, pace.MISSED_LOOP):
                sign, words, tone = "×", WHY_WORDS[why], "bad"
            else:
                sign, words, tone = "", WHY_WORDS.get(why, ""), ""
            cells[lap.number] = LapCell(lap.number, lap.ms, sign, words, tone)
        return cells


def trend_chart(results: Sequence[RaceResult], *, title: str, slug: str) -> Chart:
    """Fastest and average lap of a driver from race to race, oldest first."""
    ordered = [row for row in reversed(results) if row.avg_lap_ms or row.fast_lap_ms]
    return line_chart(
        [
            Series("Average", [(n, row.avg_lap_ms) for n, row in enumerate(ordered, start=1)]),
            Series("Fastest", [(n, row.fast_lap_ms) for n, row in enumerate(ordered, start=1)]),
        ],
        title=title,
        x_label="Race",
        slug=slug,
        description=f"{len(ordered)} races, oldest first",
    )


def consistency_chart(results: Sequence[RaceResult], *, slug: str) -> Chart:
    ordered = [row for row in reversed(results) if row.consistency_pct is not None]
    return line_chart(
        [
            Series(
                "Consistency",
                [(n, float(row.consistency_pct)) for n, row in enumerate(ordered, start=1)],
            )
        ],
        title="Consistency from race to race",
        x_label="Race",
        y_format=lambda value: f"{value:.1f} %",
        slug=slug,
        description=f"Published consistency of {len(ordered)} races, oldest first",
    )
