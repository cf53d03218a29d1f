"""Numbers over all bump-ups: per format, against direct qualifiers, and who bumps often.

All of it is counted in the database: the pages stay small however much history there is.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Avg, Count, F, Min, Q, QuerySet, Value

from ingestion.domain.bumpup_stats import Rate, beat_rate
from ingestion.models import BumpUp

# What to group by, and what to call the group.
DIMENSIONS = {
    "class": ("race_class__key", "race_class__name"),
    "track": ("event__track__slug", "event__track__name"),
    "season": ("event__starts_on__year", "event__starts_on__year"),
}


@dataclass(frozen=True, slots=True)
class Fare:
    """How the bumped of one group did. Finishes are medians, gained is the mean of grid less finish."""

    name: str
    moves: int
    events: int
    median_bumped: float | None
    median_direct: float | None
    gained: float | None
    rate: Rate | None
    did_not_start: int


@dataclass(frozen=True, slots=True)
class Format:
    """Events whose class had that many steps, and how many cars moved up at each."""

    steps: int
    moved: int
    times: int
    events: int

    @property
    def name(self) -> str:
        return " → ".join(chr(ord("A") + n) for n in range(self.steps, -1, -1))


def fares(rows: QuerySet[BumpUp], dimension: str = "") -> list[Fare]:
    """One line per class, track or season; without a dimension one line over everything."""
    base = rows.standing().order_by()
    if dimension:
        field, name = DIMENSIONS[dimension]
        base = base.annotate(dim=F(field), called=F(name))
    else:
        base = base.annotate(dim=Value("all"), called=Value("All"))
    sql, params = base.values_list(
        "dim", "called", "pk", "event_id", "target_race_id", "driver_id", "target_position", "target_slot",
        "target_laps", "direct", "beaten",
    ).query.sql_with_params()  # fmt: skip
    names = "dim, called, id, event_id, race_id, driver_id, position, slot, laps, direct, beaten"
    with connection.cursor() as cursor:
        cursor.execute(FARES.format(names=names, base=sql), params)
        return [_fare(row) for row in cursor.fetchall()]


FARES = """
WITH base ({names}) AS ({base}),
clusters AS (
    SELECT dim, race_id, sum(beaten)::bigint AS b, sum(direct)::bigint AS n
    FROM base GROUP BY dim, race_id
),
sums AS (
    SELECT dim, count(*) FILTER (WHERE n > 0) AS races, sum(b) AS b, sum(n) AS n,
           sum(b * b) AS bb, sum(n * n) AS nn, sum(b * n) AS bn
    FROM clusters GROUP BY dim
),
direct AS (
    SELECT c.dim, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.position) AS median
    FROM clusters c
    JOIN ingestion_raceresult r ON r.race_id = c.race_id AND r.missing_since IS NULL
    WHERE NOT EXISTS (
        SELECT 1 FROM ingestion_bumpup m
        WHERE m.target_race_id = r.race_id AND m.driver_id = r.driver_id
          AND m.status IN ('detected', 'confirmed', 'manual')
    )
    GROUP BY c.dim
),
bumped AS (
    SELECT dim, max(called) AS called, count(*) AS moves, count(DISTINCT event_id) AS events,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY position) AS median,
           avg(slot - position) FILTER (WHERE laps > 0) AS gained,
           count(*) FILTER (WHERE laps = 0) AS dns
    FROM base GROUP BY dim
)
SELECT called::text, moves, events, bumped.median, direct.median, gained, dns,
       races, b, n, bb, nn, bn
FROM bumped JOIN sums USING (dim) LEFT JOIN direct USING (dim)
ORDER BY moves DESC, bumped.dim
LIMIT 50
"""


def _fare(row: tuple) -> Fare:
    name, moves, events, median, direct, gained, dns, races, b, n, bb, nn, bn = row
    return Fare(
        name=name,
        moves=moves,
        events=events,
        median_bumped=median,
        median_direct=direct,
        gained=float(gained) if gained is not None else None,
        rate=beat_rate(
            races=int(races), beaten=int(b), pairs=int(n), beaten_squared=int(bb),
            pairs_squared=int(nn), beaten_pairs=int(bn),
        ),
        did_not_start=dns,
    )  # fmt: skip


def formats(rows: QuerySet[BumpUp]) -> list[Format]:
    """How many move up, by how many steps the ladder of the class had."""
    sql, params = (
        rows.standing()
        .order_by()
        .values_list("event_id", "race_class_id", "source_race_id", "target_race_id")
        .query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(FORMATS.format(base=sql), params)
        return [Format(*row) for row in cursor.fetchall()]


FORMATS = """
WITH base (event_id, class_id, source_id, target_id) AS ({base}),
steps AS (
    SELECT event_id, class_id, source_id, count(*) AS moved FROM base
    GROUP BY event_id, class_id, source_id
),
depth AS (SELECT event_id, class_id, count(*) AS steps FROM steps GROUP BY event_id, class_id)
SELECT depth.steps, moved, count(*), count(DISTINCT event_id)
FROM steps JOIN depth USING (event_id, class_id)
GROUP BY depth.steps, moved ORDER BY depth.steps, moved LIMIT 60
"""


def frequent(rows: QuerySet[BumpUp], *, most: int = 20) -> list[dict[str, Any]]:
    """Drivers who moved up most often: how often, in how many events, how far they came."""
    return list(
        rows.standing()
        .order_by()
        .values("driver_id", "driver__name")
        .annotate(
            moves=Count("pk"),
            events=Count("event_id", distinct=True),
            best=Min("target_position", filter=Q(target_laps__gt=0)),
            gained=Avg(F("target_slot") - F("target_position"), filter=Q(target_laps__gt=0)),
            twice=Count("moved_again_id"),
        )
        .order_by("-moves", "driver__name", "driver_id")[:most]
    )


def choices() -> dict[str, list]:
    """What there is to filter by: tracks as (slug, name), class keys, seasons newest first."""
    rows = BumpUp.objects.standing().order_by()
    return {
        "tracks": sorted(
            rows.values_list("event__track__slug", "event__track__name").distinct(),
            key=lambda pair: (pair[1].casefold(), pair[0]),
        ),
        "classes": sorted(rows.values_list("race_class__key", flat=True).distinct())[:200],
        "seasons": sorted(
            rows.values_list("event__starts_on__year", flat=True).distinct(), reverse=True
        ),
    }
