"""Races and their results."""

from django.db.models import Min, Q, QuerySet

from ingestion.models import Event, Race, RaceResult
from racecontrol.shared.search import holding


def races() -> QuerySet[Race]:
    return Race.objects.select_related("event__track", "race_class")


def results_of_race(race_id: int) -> QuerySet[RaceResult]:
    """Standing results with their drivers, by position."""
    return RaceResult.objects.filter(race_id=race_id, missing_since=None).select_related("driver")


def drivers_of_class(race: Race) -> list[int]:
    """All who race in the class of this race at its event, in the order in which they came in."""
    found = RaceResult.objects.filter(
        race__event=race.event_id, race__race_class=race.race_class_id, missing_since=None
    )
    first = found.values("driver").annotate(first=Min("pk")).order_by("first")
    return list(first.values_list("driver", flat=True))


def races_to_review(words: str = "") -> QuerySet[Race]:
    """Sessions whose type is a guess of low confidence and that no person has looked at."""
    found = races().filter(session_type_confidence="low", session_type_override="")
    return holding(found, words, "event__name", "race_class__name", "round_label")


def neighbours_of(race: Race) -> tuple[Race | None, Race | None]:
    """The race run before and the race run after this one, in the same event."""
    others = Race.objects.filter(event_id=race.event_id, missing_since=None).exclude(pk=race.pk)
    before = Q(run_order__lt=race.run_order) | Q(run_order=race.run_order, pk__lt=race.pk)
    return (
        others.filter(before).order_by("-run_order", "-pk").first(),
        others.exclude(before).order_by("run_order", "pk").first(),
    )


def first_main_order(event: Event) -> int | None:
    """Place in the running order of the event's first main; None without mains."""
    mains = event.races.exclude(main="", final=None).order_by("run_order")
    return mains.values_list("run_order", flat=True).first()
