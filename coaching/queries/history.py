"""Scores over time, and two sessions side by side."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from coaching.domain.scenario import PARAMETERS
from coaching.domain.session_score import SessionScore, difference
from coaching.models import OrpScore, Session
from coaching.queries import garage as queries
from racecontrol.shared.charts import Chart, Series, line_chart

MOST = 200


@dataclass(frozen=True, slots=True)
class History:
    """Sessions with a score, oldest first, and what they can be filtered by."""

    rows: list[OrpScore]
    chart: Chart
    tracks: list[str]
    vehicles: list[Any]
    profiles: list[Any]


def scores_of(user: Any) -> QuerySet[OrpScore]:
    """The v2 scores of the person's sessions that have one."""
    return OrpScore.objects.filter(
        session__profile__user=user, heat=None, formula="v2", score__isnull=False
    ).select_related("session__profile", "session__vehicle")


def scores_like(
    user: Any, *, profile: str = "", track: str = "", vehicle: str = ""
) -> QuerySet[OrpScore]:
    """Filtered by racer, track name and car; a filter that is no number or not theirs finds nothing."""
    rows = scores_of(user).annotate(start_date=F("session__start_date"))
    if profile:
        rows = rows.filter(session__profile_id=_id(profile))
    if vehicle:
        rows = rows.filter(session__vehicle_id=_id(vehicle))
    if track:
        rows = rows.filter(session__track_name=track)
    return rows


def history_of(user: Any, **chosen: str) -> History:
    """The scores of `scores_like`, drawn, and what they can be filtered by."""
    rows = scores_like(user, **chosen)
    newest = list(rows.order_by("-session__start_date", "-session_id")[:MOST])
    found = newest[::-1]
    places = list(enumerate(found, start=1))
    chart = line_chart(
        [
            Series("ORP", [(n, row.score) for n, row in places], look=0, is_strong=True),
            Series("low", [(n, row.low) for n, row in places], look=2),
            Series("high", [(n, row.high) for n, row in places], look=3),
        ]
        if found
        else [],
        title="ORP by session",
        x_label="Session",
        y_format=lambda value: f"{value:.1f}",
        x_ticks=[(n, f"{row.session.start_date:%d.%m.%y}") for n, row in _spread(places)],
        clip=False,
        slug="orp-history",
    )
    every = scores_of(user)
    return History(
        rows=newest,
        chart=chart,
        tracks=sorted(
            set(every.exclude(session__track_name="").values_list("session__track_name", flat=True))
        ),
        vehicles=list(queries.vehicles_of(user)),
        profiles=list(queries.profiles_of(user)),
    )


def _spread(places: list, most: int = 6) -> list:
    step = max(1, -(-len(places) // most))
    return places[::step]


def _id(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 18 else 0


@dataclass(frozen=True, slots=True)
class Side:
    session: Session
    score: OrpScore | None
    v1: OrpScore | None
    summary: queries.Summary
    best_clean_ms: int | None
    heats: list[OrpScore]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`gap` is b − a; `is_sure` where their intervals do not touch. `setup`: (name, a, b) that differ."""

    a: Side
    b: Side
    gap: float | None
    is_sure: bool
    setup: list[tuple[str, str, str]]


def comparison_of(a: Session, b: Session) -> Comparison:
    one, other = _side(a), _side(b)
    gap, is_sure = difference(_as_score(one.score), _as_score(other.score))
    setup = [
        (name, str(a.setup.get(code, "")), str(b.setup.get(code, "")))
        for code, name in PARAMETERS.items()
        if a.setup.get(code, "") != b.setup.get(code, "")
    ]
    return Comparison(one, other, gap, is_sure, setup)


def _side(session: Session) -> Side:
    rows = list(session.scores.select_related("heat").order_by("heat__order", "heat_id"))

    def whole(formula: str) -> OrpScore | None:
        return next((r for r in rows if r.heat_id is None and r.formula == formula), None)

    summary, _ = queries.summary_of(session)
    heats = [row for row in rows if row.heat_id is not None and row.formula == "v2"]
    best = queries.best_clean_ms(session)
    return Side(session, whole("v2"), whole("v1"), summary, best, heats)


def _as_score(row: OrpScore | None) -> SessionScore:
    if row is None:
        return SessionScore("insufficient_data", None, None, None, 0, 0)
    return SessionScore(row.status, row.score, row.low, row.high, row.laps, 0)
