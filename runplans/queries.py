"""What others may ask of run plans."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from ingestion import queries as timing
from racecontrol.shared.names import format_name
from runplans.models import RunPlan

# The documents leave the database as text: decoding them only to encode them again would cost
# more than the rest of the request, and would not give the same bytes twice.
READ = "SELECT id, inputs::text, result::text, owner_id FROM run_plans WHERE id = %s"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as its bytes: the answer to creating it and to reading it are the same."""

    id: UUID
    inputs: str
    result: str
    owner_id: int | None = None

    @property
    def body(self) -> bytes:
        text = f'{{"id": "{self.id}", "inputs": {self.inputs}, "result": {self.result}}}'
        return text.encode()


def stored_plan(plan_id: UUID) -> StoredPlan | None:
    """The stored plan, or None; who may see it is for the caller to ask of `access`."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [plan_id])
        row = cursor.fetchone()
    return StoredPlan(*row) if row else None


def plan_id_of(text: str) -> UUID | None:
    """The id somebody typed, or None where it is none: only the form we hand out counts."""
    try:
        plan_id = UUID(text)
    except ValueError:
        return None
    return plan_id if str(plan_id) == text.lower() else None


def plans_of(
    user: Any, *, objective: str = "", driver: str = "", track: str = ""
) -> QuerySet[RunPlan]:
    """Somebody's own plans, newest first; driver and track by the name in the inputs, exactly."""
    plans = RunPlan.objects.filter(owner=user).order_by("-created_at", "-pk")
    if objective:
        plans = plans.filter(objective=objective)
    if driver:
        plans = plans.filter(inputs__contains={"driver": {"name": driver}})
    if track:
        plans = plans.filter(inputs__contains={"track": {"name": track}})
    return plans


def choices_of(user: Any) -> dict[str, list[str]]:
    """What a person's plans can be filtered by: the objectives, drivers and tracks they named."""
    plans = RunPlan.objects.filter(owner=user)

    def named(path: str) -> list[str]:
        values = plans.order_by().values_list(path, flat=True).distinct()[:200]
        return sorted({v for v in values if isinstance(v, str) and v}, key=str.lower)

    return {
        "objective": named("objective"),
        "driver": named("inputs__driver__name"),
        "track": named("inputs__track__name"),
    }


def shared_plan(token: UUID) -> RunPlan | None:
    """The plan this share link opens, if it is still shared."""
    return RunPlan.objects.filter(share_token=token).first()


@dataclass(frozen=True, slots=True)
class PaceSource:
    """A driver's pace in one session: the median clean lap, and the words to name the session."""

    race_id: int
    driver_id: int
    driver: str
    track: str
    session: str
    clean_laps: int
    median_ms: int

    def as_input(self) -> dict[str, Any]:
        """What the plan's inputs say about where the pace came from."""
        return {
            "session": self.session,
            "race_id": self.race_id,
            "driver_id": self.driver_id,
            "clean_laps": self.clean_laps,
            "median_lap_ms": self.median_ms,
        }


def pace_source(driver_id: int, race_id: int) -> PaceSource | None:
    """The pace of a driver in a session; None where there is no clean lap of theirs."""
    result = timing.races_of_driver(driver_id).filter(race_id=race_id).first()
    if result is None:
        return None
    laps = timing.sorted_laps_of(result)
    if laps.median_ms is None:
        return None
    race = result.race
    return PaceSource(
        race_id=race_id,
        driver_id=driver_id,
        driver=format_name(result.driver_name),
        track=race.event.track.name,
        session=f"{race.event.name}, {race.label}, {race.event.starts_on:%-d %b %Y}",
        clean_laps=len(laps.clean),
        median_ms=laps.median_ms,
    )


def drivers_named(words: str) -> list[Any]:
    """Drivers to choose from, by part of a name or a number."""
    return list(timing.drivers_search(words).order_by("name")[:12]) if words.strip() else []


def sessions_of(driver_id: int) -> list[Any]:
    """The driver's latest sessions with laps to take a pace from."""
    return list(timing.races_of_driver(driver_id).filter(laps__gte=2)[:20])
