"""The points tables that come with the house."""

from collections.abc import Mapping
from typing import Final

from coaching.domain.missions.rules import REST, Bonus, PointsSchema

_STAGE_RACE: Final = {
    "flat": {"gc": 5, "breakaway": 8},
    "hilly": {"gc": 7, "breakaway": 11},
    "mountain": {"gc": 10, "breakaway": 15},
    "itt": {"gc": 4, "breakaway": 6},
    "mtn_itt": {"gc": 6, "breakaway": 9},
}
_MODES: Final = ("gc", "breakaway", REST)
_MOUNTAINS: Final = ("mountain", "mtn_itt")


def stage_race_schema() -> PointsSchema:
    """The house table for stage races: resting is worth nothing, streaks skip rest days."""
    return PointsSchema(
        table={name: row | {REST: 0} for name, row in _STAGE_RACE.items()},
        modes=_MODES,
        bonuses=_bonuses(
            streak="Five stages in a row",
            mountains="A breakaway on every mountain",
            final="The final week ridden",
        ),
    )


def legacy_schema(table: Mapping[str, Mapping[str, int]] | None = None) -> PointsSchema:
    """What the old tracker did: rest worth 5, calendar streaks, hard-coded counts (facts 1.6)."""
    return PointsSchema(
        table={name: {REST: 5} | dict(row) for name, row in (table or _STAGE_RACE).items()},
        modes=_MODES,
        unknown={"gc": 5, "breakaway": 8, REST: 5},
        is_rest_a_stage=True,
        is_calendar_streak=True,
        bonuses=_bonuses(
            streak="Five days in a row",
            mountains="Six mountain breakaways",
            mountain_count=6,
            final="Six stages from the 16th on",
        ),
    )


def one_day_schema() -> PointsSchema:
    """For events without stages: each event day counts, finished or ridden for the result."""
    return PointsSchema(
        table={"event": {"finish": 5, "result": 10, REST: 0}}, modes=("finish", "result", REST)
    )


def _bonuses(
    *, streak: str, mountains: str, final: str, mountain_count: int | None = None
) -> tuple[Bonus, ...]:
    """The five bonuses of a stage race, old and new; what is called otherwise is told by name."""
    breakaway = "breakaway"
    return (
        Bonus("consecutive_5", "streak", 5, streak, count=5),
        Bonus("breakaway_10", "count_mode", 15, "Ten breakaways", count=10, mode=breakaway),
        Bonus(
            "all_mountains_breakaway", "all_of_type", 10, mountains, count=mountain_count,
            mode=breakaway, types=_MOUNTAINS,
        ),
        Bonus("final_week_complete", "final_block", 10, final, count=6, first=16),
        Bonus(
            "all_gc_mode", "never_mode", 25, "Every stage with the bunch", count=21, mode=breakaway
        ),
    )  # fmt: skip
