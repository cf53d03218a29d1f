"""Tracks: found by name, with a person's favourites on top."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Lower

from ingestion.models import Event, FavouriteTrack, Track
from racecontrol.shared.search import MOST_WORDS, among, holding, terms_of

TRACK_NAMES = ("name", "slug", "city")  # as the index `track_words` has them
MOST_CHOICES = 60
MOST_LIKELY = 8


def tracks() -> QuerySet[Track]:
    return Track.objects.all()


def tracks_search(words: str = "", *, user: Any = None) -> QuerySet[Track]:
    """Tracks holding every word in name, slug or place (or, without accents, the words of a name
    that begin so); `is_favourite` of `user` is annotated."""
    found = tracks()
    letters = Q()
    for word in words.split()[:MOST_WORDS]:
        letters &= (
            Q(name__icontains=word)
            | Q(slug__icontains=word)
            | Q(city__icontains=word)
            | Q(country__iexact=word)
        )
    if letters:
        named = among(tracks(), terms_of(words), *TRACK_NAMES)
        found = found.filter(letters | Q(pk__in=named.values("pk")))
    if user is None or not user.is_authenticated:
        return found.annotate(is_favourite=Value(False))
    mine = FavouriteTrack.objects.filter(user=user, track=OuterRef("pk"))
    return found.annotate(is_favourite=Exists(mine))


def track_choices(user: Any) -> list[Track]:
    """What a person most likely looks for: favourites, then tracks whose events are here."""
    return list(
        tracks_search(user=user)
        .annotate(event_count=Count("events"))
        .filter(Q(event_count__gt=0) | Q(is_favourite=True))
        .order_by("-is_favourite", Lower("name"), "slug")[:MOST_CHOICES]
    )


def find_track(words: str) -> Track | None:
    """The track somebody typed: its slug, its whole name, or words only one track fits."""
    words = words.strip()
    if not words:
        return None
    exact = Track.objects.filter(slug__iexact=words).first()
    if exact is not None:
        return exact
    named = list(Track.objects.filter(name__iexact=words)[:2])
    if len(named) == 1:
        return named[0]
    fitting = list(tracks_search(words)[:2])
    return fitting[0] if len(fitting) == 1 else None


def track_or_likely(words: str, *, user: Any = None) -> tuple[Track | None, list[Track]]:
    """The track somebody typed; where that fits none or several, those it most likely means."""
    track = find_track(words)
    if track is not None or not words:
        return track, []
    return None, list(tracks_search(words, user=user)[:MOST_LIKELY])


def calendar_of(track: Track, *, has_practice: bool = True, words: str = "") -> QuerySet[Event]:
    """Every event and (unless archived) practice day of a track that is known here, newest first."""
    found = Event.objects.filter(track=track).exclude(practice_day__archived_at__isnull=False)
    found = holding(found, words, "name")
    if not has_practice:
        found = found.filter(kind=Event.Kind.RACE)
    return found.annotate(race_count=Count("races", filter=Q(races__missing_since=None))).order_by(
        "-starts_on", "-pk"
    )
