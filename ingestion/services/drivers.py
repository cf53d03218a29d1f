"""Two drivers who are one person: merged, and taken apart again. Nothing is deleted by either."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.timezone import now

from ingestion.domain.labels import person_key
from ingestion.models import BumpUp, Driver, DriverAlias, DriverTransponder, Event, RaceResult
from ingestion.services.practice.figures import refresh_figures
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady

MERGED, SPLIT = "driver.merged", "driver.split"


def _two_locked(driver_id: int, into_id: int) -> tuple[Driver, Driver]:
    """Both rows, locked in one order whoever asks."""
    rows = {
        one.pk: one
        for one in Driver.objects.select_for_update(of=("self",))
        .filter(pk__in=[driver_id, into_id])
        .order_by("pk")
    }
    if len(rows) < 2:
        raise NotFound("There is no such driver.")
    return rows[driver_id], rows[into_id]


def _check_one_person(driver: Driver, into: Driver) -> None:
    """Raises NotReady where the two cannot be one, or a merge must be undone first."""
    for one in (driver, into):
        if one.is_unknown:
            raise NotReady(
                f"{one.name} stands for everybody without a name: say who drove, session by session."
            )
        if one.merged_into_id:
            raise NotReady(f"{one.name} is merged into {one.merged_into} already.")
    if driver.merged.exists():
        raise NotReady(
            f"Others are merged into {driver.name}: split them first, or merge the other way."
        )
    theirs = RaceResult.objects.filter(driver=into).values("race_id")
    both = (
        RaceResult.objects.filter(driver=driver, race_id__in=theirs).select_related("race").first()
    )
    if both is not None:
        raise NotReady(
            f"{driver.name} and {into.name} both drove in {both.race.label} "
            f"(race {both.race.source_race_id}): they are two people."
        )


@transaction.atomic
def merge_drivers(*, driver_id: int, into_id: int, by: Any, reason: str = "") -> Driver:
    """Results, moves and transponders of one driver go to another, who also answers to the old id.

    What other rooms know of the driver goes along (settings.DRIVER_FOLLOWERS).

    Raises NotReady when the two raced each other (so they are two), when one of them takes part in
    a merge that would have to be undone first, or when another room cannot follow.
    """
    if driver_id == into_id:
        raise InvalidInput("A driver cannot be merged into himself.", fields={"into": ["Same."]})
    driver, into = _two_locked(driver_id, into_id)
    _check_one_person(driver, into)
    results = list(
        RaceResult.objects.filter(driver=driver).order_by("pk").values_list("pk", flat=True)
    )
    held = set(into.transponders.values_list("number", flat=True))
    numbers = [one.number for one in driver.transponders.all() if one.number not in held]
    moment = now()
    RaceResult.objects.filter(pk__in=results).update(driver=into, updated_at=moment)
    BumpUp.objects.filter(driver=driver).update(driver=into, updated_at=moment)
    DriverTransponder.objects.filter(driver=driver, number__in=numbers).update(driver=into)
    DriverAlias.objects.create(
        driver=into,
        merged_driver=driver,
        source_driver_id=driver.source_driver_id,
        name=driver.name,
        name_key=driver.name_key,
        merged_by=by if getattr(by, "pk", None) else None,
    )
    Driver.objects.filter(pk=driver.pk).update(merged_into=into, updated_at=moment)
    _recount_practice(results)
    audit.record(
        by=by,
        verb=MERGED,
        obj=driver,
        before={
            "merged_into": None,
            "results": results,
            "transponders": numbers,
            "followers": _let_follow(driver.pk, into.pk),
        },
        after={"merged_into": into.pk},
        reason=reason,
    )
    driver.refresh_from_db()
    return driver


@transaction.atomic
def split_driver(*, driver_id: int, by: Any, reason: str = "") -> Driver:
    """Undo a merge: the driver gets back what was theirs, and what came under their id since.

    Raises NotReady for a driver who is merged into nobody, or when another room cannot follow.
    """
    driver = Driver.objects.select_for_update(of=("self",)).filter(pk=driver_id).first()
    if driver is None:
        raise NotFound("There is no such driver.")
    into_id = driver.merged_into_id
    if into_id is None:
        raise NotReady(f"{driver.name} is not merged into anybody.")
    trail = audit.trail_of(driver).filter(verb=MERGED).order_by("-at", "-pk").first()
    brought = trail.before if trail else {}
    mine = _results_of(driver, into_id, set(brought.get("results", ())))
    races = RaceResult.objects.filter(pk__in=mine).values("race_id")
    moment = now()
    BumpUp.objects.filter(driver_id=into_id, target_race_id__in=races).update(
        driver=driver, updated_at=moment
    )
    RaceResult.objects.filter(pk__in=mine).update(driver=driver, updated_at=moment)
    DriverTransponder.objects.filter(
        driver_id=into_id, number__in=brought.get("transponders", ())
    ).exclude(number__in=list(driver.transponders.values_list("number", flat=True))).update(
        driver=driver
    )
    DriverAlias.objects.filter(merged_driver=driver).delete()
    _let_follow(into_id, driver.pk, brought.get("followers", {}))
    Driver.objects.filter(pk=driver.pk).update(merged_into=None, updated_at=moment)
    _recount_practice(mine)
    audit.record(
        by=by,
        verb=SPLIT,
        obj=driver,
        before={"merged_into": into_id},
        after={"merged_into": None, "results": mine},
        reason=reason,
    )
    driver.refresh_from_db()
    return driver


def _recount_practice(results: list[int]) -> None:
    """Practice days count their drivers: those these results belong to, count again."""
    days = Event.objects.filter(
        kind=Event.Kind.PRACTICE_DAY, practice_day__isnull=False, races__results__in=results
    )
    for day in days.distinct().order_by("pk"):
        refresh_figures(day)


def _let_follow(
    was_id: int, now_id: int, only: dict[str, list[int]] | None = None
) -> dict[str, list[int]]:
    """Let the rooms above follow; by name of the follower, what it moved. `only` undoes just that."""
    return {
        name: import_string(name)(
            was_id=was_id, now_id=now_id, only=None if only is None else only.get(name, [])
        )
        for name in settings.DRIVER_FOLLOWERS
    }


def _results_of(driver: Driver, into_id: int, brought: set[int]) -> list[int]:
    """Rows under the driver's own id; without one, those the merge brought and of that name since."""
    rows = RaceResult.objects.filter(driver_id=into_id).order_by("pk")
    if driver.source_driver_id:
        return list(
            rows.filter(source_driver_id=driver.source_driver_id).values_list("pk", flat=True)
        )
    into_key = Driver.objects.values_list("name_key", flat=True).get(pk=into_id)
    return [
        pk
        for pk, name in rows.filter(source_driver_id="").values_list("pk", "driver_name")
        if pk in brought or person_key(name)[:200] == driver.name_key != into_key
    ]
