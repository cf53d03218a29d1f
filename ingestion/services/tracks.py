"""Tracks: the catalogue, what a dashboard says of a track, and its time zone."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, F, Func, Value
from django.utils.timezone import now

from ingestion.domain.moments import to_utc
from ingestion.domain.timezones import guess_timezone
from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source, url_of
from ingestion.liverc.pages.catalogue import CataloguePage
from ingestion.liverc.pages.dashboard import DashboardPage
from ingestion.models import (
    Event,
    FavouriteTrack,
    Lap,
    PracticeDay,
    PracticeSession,
    Race,
    RaceResult,
    Track,
)
from ingestion.services.fetching import fetch_page
from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import InvalidInput, RaceError
from racecontrol.shared.progress import OnProgress, Progress, silent

log = structlog.get_logger(__name__)

CATALOGUE_BUDGET = "catalogue"
_FROM_CATALOGUE = ("name", "status", "activity", "has_video", "is_featured")


def sync_tracks(
    *, source: Source | None = None, force: bool = False, on_progress: OnProgress = silent
) -> dict[str, int]:
    """Bring the catalogue into the database: one request. Tracks that are gone are marked, not deleted."""
    on_progress(Progress(0, 1, "asking for the catalogue"))
    page = fetch_page(
        settings.LIVERC_CATALOGUE_URL,
        kind=kinds.CATALOGUE,
        budget=CATALOGUE_BUDGET,
        cache_key="catalogue",
        source=source,
        force=force,
    )
    counts = save_catalogue(page.contents)
    on_progress(Progress(1, 1, f"{counts['tracks']} tracks"))
    return counts


@transaction.atomic
def save_catalogue(page: CataloguePage) -> dict[str, int]:
    """Upsert by slug; slugs are compared without case, the first spelling stays."""
    moment = now()
    known = {track.slug.casefold(): track for track in Track.objects.select_for_update()}
    fresh: dict[str, Track] = {}
    changed: list[Track] = []
    seen: set[str] = set()
    for row in page.tracks:
        key = row.slug.casefold()
        if key in seen:
            continue
        seen.add(key)
        values = {
            "name": row.name[:200],
            "status": row.status,
            "activity": (row.event_label or "")[:300],
            "has_video": row.has_video,
            "is_featured": row.is_featured,
        }
        track = known.get(key)
        if track is None:
            fresh[key] = Track(slug=row.slug, seen_at=moment, **values)
        elif track.missing_since or any(getattr(track, name) != values[name] for name in values):
            for name, value in values.items():
                setattr(track, name, value)
            track.missing_since, track.updated_at = None, moment
            changed.append(track)
    Track.objects.bulk_create(fresh.values())
    Track.objects.bulk_update(changed, [*_FROM_CATALOGUE, "missing_since", "updated_at"])
    Track.objects.filter(pk__in=[track.pk for key, track in known.items() if key in seen]).update(
        seen_at=moment
    )
    # Tracks that were added by hand were never in the catalogue and cannot go missing from it.
    gone = [track.pk for key, track in known.items() if key not in seen and track.seen_at]
    missing = Track.objects.filter(pk__in=gone, missing_since=None).update(
        missing_since=moment, updated_at=moment
    )
    return {
        "tracks": len(seen),
        "new": len(fresh),
        "changed": len(changed),
        "missing": missing,
    }


def know_track(slug: str, *, source: Source | None = None) -> Track:
    """The track of that slug, with address and time zone from its dashboard (asked for once).

    A dashboard that cannot be had now is no reason to stop: the zone stays unknown, which reads
    as UTC until a person or a later import sets it.
    """
    track = Track.objects.filter(slug__iexact=slug).first()
    if track is not None and (track.timezone or track.address):
        return track
    known_slug = track.slug if track else slug
    try:
        page = fetch_page(
            url_of(known_slug, "/"),
            kind=kinds.DASHBOARD,
            budget=known_slug,
            cache_key=f"dashboard:{known_slug}",
            source=source,
        )
    except RaceError as refusal:
        if track is None or not is_page_trouble(refusal):
            raise
        log.warning("dashboard_failed", track=known_slug, error=str(refusal))
        return track
    return save_dashboard(known_slug, page.contents)


def is_page_trouble(refusal: RaceError) -> bool:
    """A single page that failed, as opposed to a spent budget or a resting host."""
    return refusal.code in (
        "unexpected_page",
        "source_unavailable",
        "source_unreachable",
        "not_found",
    )


@transaction.atomic
def save_dashboard(slug: str, page: DashboardPage) -> Track:
    """Address, country and, unless a person set it, the time zone guessed from them."""
    track, _ = Track.objects.select_for_update(of=("self",)).get_or_create(
        slug=slug, defaults={"name": page.track_name or slug}
    )
    place = page.place
    track.address = ", ".join(page.address_lines[1:])[:300]
    track.city, track.state = place["city"][:100], place["state"][:100]
    track.postcode, track.country = place["postcode"][:20], place["country"]
    track.website = (page.website or "")[:300]
    track.logo_url = (page.logo_url or "")[:300]
    track.updated_at = now()
    track.save()
    if track.timezone_origin != Track.ZoneOrigin.SET:
        zone = guess_timezone(
            country=track.country, state=track.state, city=track.city, postcode=track.postcode
        )
        if zone and zone != track.timezone:
            _apply_zone(track, zone, Track.ZoneOrigin.GUESSED)
    return track


@transaction.atomic
def set_timezone(*, track_id: int, timezone: str, by) -> Track:
    """A person says in which zone the track's clock runs; moments already stored move with it."""
    if timezone not in available_timezones():
        raise InvalidInput(
            f"{timezone!r} is not a time zone; write it like Australia/Sydney.",
            fields={"timezone": ["Not a time zone."]},
        )
    track = Track.objects.select_for_update(of=("self",)).get(pk=track_id)
    before = {"timezone": track.timezone, "origin": track.timezone_origin}
    _apply_zone(track, timezone, Track.ZoneOrigin.SET)
    audit.record(
        by=by,
        verb="track.timezone_set",
        obj=track,
        before=before,
        after={"timezone": timezone, "origin": track.timezone_origin},
    )
    return track


def _apply_zone(track: Track, timezone: str, origin: Any) -> None:
    """Set the zone and shift every stored moment so that the wall clock they were read from stays."""
    track.timezone, track.timezone_origin, track.updated_at = timezone, origin, now()
    track.save(update_fields=["timezone", "timezone_origin", "updated_at"])
    new = ZoneInfo(timezone)
    for event in Event.objects.select_for_update().filter(track=track).exclude(timezone=timezone):
        old = event.zone
        races = list(event.races.all())
        for race in races:
            race.completed_at = _shifted(race.completed_at, old, new)
            race.started_at = _shifted(race.started_at, old, new)
            race.updated_at = now()
        Race.objects.bulk_update(races, ["completed_at", "started_at", "updated_at"])
        if event.kind == Event.Kind.PRACTICE_DAY:
            _shift_practice(event, old, new)
        event.timezone, event.updated_at = timezone, now()
        event.save(update_fields=["timezone", "updated_at"])


_DAY_MOMENTS = (
    "first_started_at", "last_started_at", "last_ended_at",
    "source_first_started_at", "source_last_started_at",
)  # fmt: skip


def _shift_practice(event: Event, old: ZoneInfo, new: ZoneInfo) -> None:
    """Sessions, the day's figures and every crossing keep the wall clock they were read from."""
    sessions = list(event.practice_sessions.all())
    for session in sessions:
        session.started_at = _shifted(session.started_at, old, new)
        session.ended_at = _shifted(session.ended_at, old, new)
    PracticeSession.objects.bulk_update(sessions, ["started_at", "ended_at"])
    day = PracticeDay.objects.filter(event=event).first()
    if day is not None:
        for name in _DAY_MOMENTS:
            setattr(day, name, _shifted(getattr(day, name), old, new))
        day.save(update_fields=_DAY_MOMENTS)
    on_the_wall = Func(Value(old.key), F("crossed_at"), function="timezone")
    Lap.objects.filter(
        result_id__in=RaceResult.objects.filter(race__event=event).values("pk"),
        crossed_at__isnull=False,
    ).update(
        crossed_at=Func(
            Value(new.key), on_the_wall, function="timezone", output_field=DateTimeField()
        )
    )


def _shifted(moment: datetime | None, old: ZoneInfo, new: ZoneInfo) -> datetime | None:
    return to_utc(moment.astimezone(old).replace(tzinfo=None), new) if moment else None


def set_favourite(*, track_id: int, user, is_favourite: bool) -> None:
    """Put a track on top of this person's lists, or take it off; either may be repeated."""
    if is_favourite:
        FavouriteTrack.objects.get_or_create(user=user, track_id=track_id)
    else:
        FavouriteTrack.objects.filter(user=user, track_id=track_id).delete()


def request_sync(*, by) -> jobs.Job:
    """Queue the catalogue; one that is already under way is returned instead."""
    return jobs.enqueue(
        "ingestion.tasks.run_sync_tracks",
        key="import:tracks",
        owner=by,
        title="Fetch the catalogue of tracks",
    )
