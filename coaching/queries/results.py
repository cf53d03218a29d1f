"""What the drivers a person is did last: places, race pace and moves up."""

from dataclasses import dataclass
from typing import Any

from coaching.models import OrpScore
from coaching.queries.claims import drivers_of
from coaching.queries.timing import ref_of
from ingestion.models import BumpUp, RaceResult
from ingestion.queries.bumpups import bump_ups_between
from ingestion.queries.drivers import races_of_drivers


@dataclass(frozen=True, slots=True)
class LatestResult:
    """One race. `score` is its ORP in the person's log, if it is there; `came_from` and `moves_to`
    are the standing bump-ups into and out of this race."""

    result: RaceResult
    score: OrpScore | None
    came_from: BumpUp | None
    moves_to: BumpUp | None


def latest_results(user: Any, *, most: int = 6) -> list[LatestResult]:
    """Newest first; four queries however much was driven, one for who claimed nobody."""
    drivers = drivers_of(user.pk)
    if not drivers:
        return []
    rows = list(races_of_drivers(drivers)[:most])
    refs = {row.pk: ref_of(row) for row in rows}
    scores = {
        score.heat.source_ref: score
        for score in OrpScore.objects.filter(
            session__profile__user=user,
            formula="v2",
            score__isnull=False,
            heat__source_ref__in=list(refs.values()),
        ).select_related("heat")
        if score.heat is not None
    }
    moves = bump_ups_between([row.race_id for row in rows], drivers)
    into = {(move.driver_id, move.target_race_id): move for move in moves}
    out_of = {(move.driver_id, move.source_race_id): move for move in moves}
    return [
        LatestResult(
            result=row,
            score=scores.get(refs[row.pk]),
            came_from=into.get((row.driver_id, row.race_id)),
            moves_to=out_of.get((row.driver_id, row.race_id)),
        )
        for row in rows
    ]
