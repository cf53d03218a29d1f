"""What the garage's pages, API and tasks read. Everything is the person's own: anything else is not found."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Max, Min, Prefetch, QuerySet, Sum

from coaching.models import Heat, LapFile, OrpScore, RacerProfile, RunLog, Session, Vehicle
from racecontrol.shared.errors import NotFound
from racecontrol.shared.search import holding


def profiles_of(user: Any) -> QuerySet[RacerProfile]:
    return RacerProfile.objects.filter(user=user).prefetch_related("vehicles")


def profile_for(user: Any, profile_id: int) -> RacerProfile:
    profile = RacerProfile.objects.filter(user=user, pk=profile_id).first()
    if profile is None:
        raise NotFound("There is no such racer.")
    return profile


def vehicles_of(user: Any) -> QuerySet[Vehicle]:
    return Vehicle.objects.filter(profile__user=user).select_related("profile")


def vehicle_for(user: Any, vehicle_id: int) -> Vehicle:
    vehicle = vehicles_of(user).filter(pk=vehicle_id).first()
    if vehicle is None:
        raise NotFound("There is no such car.")
    return vehicle


def sessions_of(user: Any, *, words: str = "") -> QuerySet[Session]:
    """The person's sessions with their own v2 score as `session_scores` and the number of laps."""
    found = (
        Session.objects.filter(profile__user=user)
        .select_related("profile", "vehicle")
        .annotate(lap_count=Count("heats__laps"))
        .prefetch_related(
            Prefetch(
                "scores",
                queryset=OrpScore.objects.filter(heat=None, formula="v2"),
                to_attr="session_scores",
            )
        )
    )
    vehicle = [f"vehicle__{name}" for name in ("nickname", "brand", "model", "class_name")]
    return holding(found, words, "name", "track_name", *vehicle, "profile__name")


def session_for(user: Any, session_id: int) -> Session:
    session = (
        Session.objects.filter(profile__user=user, pk=session_id)
        .select_related("profile", "vehicle")
        .first()
        if user.is_authenticated
        else None
    )
    if session is None:
        raise NotFound("There is no such session.")
    return session


def heats_of(session: Session) -> QuerySet[Heat]:
    """Heats in driven order with `lap_count` and their scores."""
    return (
        session.heats.annotate(lap_count=Count("laps"))
        .prefetch_related("scores")
        .order_by("order", "pk")
    )


def heat_named(session: Session, name: str) -> Heat:
    heat = session.heats.filter(name=name).first()
    if heat is None:
        raise NotFound(f"There is no heat {name[:100]} in this session.")
    heat.session = session
    return heat


def laps_of(session: Session) -> QuerySet[RunLog]:
    """Every lap as driven: heat after heat, number after number."""
    return (
        RunLog.objects.filter(heat__session=session)
        .select_related("heat")
        .order_by("heat__order", "heat_id", "lap_number")
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """Plain figures over all laps of a heat or session, in ms; None without laps. Spread is worst − best."""

    name: str
    laps: int
    total_ms: int | None
    best_ms: int | None
    worst_ms: int | None
    average_ms: float | None

    @property
    def spread_ms(self) -> int | None:
        if self.best_ms is None or self.worst_ms is None:
            return None
        return self.worst_ms - self.best_ms


FIGURES = {
    "laps": Count("pk"),
    "total_ms": Sum("lap_ms"),
    "best_ms": Min("lap_ms"),
    "worst_ms": Max("lap_ms"),
    "average_ms": Avg("lap_ms"),
}


def summary_of(session: Session) -> tuple[Summary, list[Summary]]:
    """Overall, and per heat in driven order."""
    laps = RunLog.objects.filter(heat__session=session)
    overall = Summary(name=session.name, **laps.aggregate(**FIGURES))
    heats = (
        laps.order_by("heat__order", "heat_id")
        .values("heat__order", "heat_id", "heat__name")
        .annotate(**FIGURES)
    )
    return overall, [
        Summary(name=row["heat__name"], **{name: row[name] for name in FIGURES}) for row in heats
    ]


def lap_file_for(user: Any, file_id: int) -> LapFile:
    file = LapFile.objects.filter(owner=user, pk=file_id).defer("content").first()
    if file is None:
        raise NotFound("There is no such file.")
    return file


def best_clean_ms(session: Session) -> int | None:
    """The fastest lap that counts as clean in its heat: a false read is nobody's best lap."""
    scores = session.scores.filter(formula="v2", heat__isnull=False)
    found = [s for s in scores.values_list("result__best_s", flat=True) if s is not None]
    return round(min(found) * 1000) if found else None


def latest_scores(user: Any, *, most: int = 5) -> list[OrpScore]:
    """The newest v2 scores of whole sessions, for the home card."""
    return list(
        OrpScore.objects.filter(
            session__profile__user=user, heat=None, formula="v2", score__isnull=False
        )
        .select_related("session", "session__profile")
        .order_by("-session__start_date", "-session_id")[:most]
    )
