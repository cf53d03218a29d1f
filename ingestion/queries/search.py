"""One search over everything the timing room knows."""

from dataclasses import dataclass

from django.db.models import Q

from ingestion.models import Event, RaceClass
from ingestion.queries.drivers import drivers_search
from ingestion.queries.tracks import tracks_search

MOST_OF_A_KIND = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """`kind` is track, event, practice_day, class or driver; `id` is of that kind, for its page."""

    kind: str
    id: int
    name: str
    detail: str


def search_everything(words: str) -> list[Hit]:
    hits = [
        Hit("track", track.pk, track.name, ", ".join(filter(None, [track.city, track.country])))
        for track in tracks_search(words).order_by("name")[:MOST_OF_A_KIND]
    ]
    names = Q()
    for word in words.split()[:6]:
        names &= Q(name__icontains=word)
    events = Event.objects.filter(names).select_related("track").order_by("-starts_on")
    hits += [
        Hit(
            "event" if event.kind == Event.Kind.RACE else "practice_day",
            event.pk,
            event.name,
            f"{event.track.name}, {event.starts_on:%d %b %Y}",
        )
        for event in events[:MOST_OF_A_KIND]
    ]
    classes = RaceClass.objects.filter(names).select_related("event__track")
    hits += [
        Hit("class", one.event_id, one.name, f"{one.event.name}, {one.event.track.name}")
        for one in classes.order_by("-event__starts_on")[:MOST_OF_A_KIND]
    ]
    hits += [
        Hit("driver", driver.pk, driver.name, "")
        for driver in drivers_search(words).order_by("name")[:MOST_OF_A_KIND]
    ]
    return hits
