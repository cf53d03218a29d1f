"""The people of a plan: their hours on the race clock, their pace, and where each number is from."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ingestion.models import Driver
from ingestion.queries import drivers_search, pace_of_driver
from ingestion.queries.drivers import drivers as known_drivers
from ingestion.queries.drivers import own_drivers
from racecontrol.shared.errors import InvalidInput
from strategy.models import EventInstance, EventParticipation, StrategyEvent
from strategy.queries.analytics import Measured, measured_pace

MS = timedelta(milliseconds=1)
WET_PERCENT = 110  # assumed where nobody typed a wet lap


def find_driver(words: str) -> Driver | None:
    """The timing driver somebody typed: a number of ours (#12) or a name only one driver fits.

    Raises InvalidInput where nobody or several people fit; empty words are nobody.
    """
    words = words.strip()
    if not words:
        return None
    if words.startswith("#") and words[1:].isdecimal() and len(words) < 12:
        found = list(known_drivers().filter(pk=int(words[1:])))
    else:
        found = list(drivers_search(words).order_by("name", "pk")[:6])
        exact = [d for d in found if d.name.lower() == words.lower()]
        found = exact if len(exact) == 1 else found
    if len(found) == 1:
        return found[0]
    told = ", ".join(f"{d.name} (#{d.pk})" for d in found)
    wrong = f"Several drivers fit: {told}. Write the number." if found else "No such driver."
    raise InvalidInput("That is no single driver of the timing.", fields={"timing_driver": [wrong]})


def imported_pace(row: EventParticipation) -> dict[str, Any] | None:
    """Dry lap and spread from imported laps at the event's track; None without enough of them."""
    track = row.event.timing_track
    if track is None:
        return None
    for driver_id in [row.timing_driver_id] if row.timing_driver_id else own_drivers(row.user_id):
        found = pace_of_driver(driver_id, track_id=track.pk)
        if found is not None:
            races = f"{found.races} race{'s' if found.races != 1 else ''}"
            source = (f"imported: median of {found.laps} clean laps in {races} at {track}, "
                      f"{found.class_name}, up to {found.newest:%Y-%m-%d}")  # fmt: skip
            return {"lap_ms": found.median_ms, "spread_ms": found.spread_ms, "source": source,
                    "timing_driver_id": driver_id, "newest": found.newest}  # fmt: skip
    return None


def pace_of(row: EventParticipation) -> dict[str, Any]:
    """Dry and wet lap and spread of a signup, each with its source.

    Imported laps come first: the driver the person linked, else one a claim says he is, at the
    event's track; unless the person's latest race on our wall at this track is newer. Then what was
    typed in, then what that race showed, then the event's typical lap. Timing pages do not tell rain from dry, so a wet lap
    is typed in, shown in a race of ours, or the dry one and a tenth.
    """
    found, raced = imported_pace(row), measured_pace(row.user, row.event.track)
    dry, source = found_pace(row.lap_ms, raced.dry_ms if raced else None, raced)
    pace: dict[str, Any]
    if found is None:
        pace = {"lap_ms": dry or row.event.lap_ms, "spread_ms": None, "timing_driver_id": None,
                "source": source or "the event's typical lap"}  # fmt: skip
    else:
        newest = found.pop("newest")
        pace = found
        if raced is not None and raced.dry_ms and raced.day and raced.day > newest:
            pace |= {"lap_ms": raced.dry_ms, "source": f"measured in {raced.source}"}
    wet, wet_source = found_pace(row.wet_lap_ms, raced.wet_ms if raced else None, raced)
    return pace | {
        "wet_lap_ms": wet or pace["lap_ms"] * WET_PERCENT // 100,
        "wet_source": wet_source or "dry lap and a tenth",
    }


def found_pace(
    typed_ms: int | None, raced_ms: int | None, raced: Measured | None
) -> tuple[int | None, str]:
    """A lap typed in, or the one a race showed; what was filled in and kept is still the race's."""
    if raced is not None and raced_ms and typed_ms in (None, raced_ms):
        return raced_ms, f"measured in {raced.source}"
    return typed_ms, "typed in at sign-up" if typed_ms else ""


def drivers_of(
    event: StrategyEvent, instance: EventInstance, user_ids: Sequence[int]
) -> list[dict]:
    """Pace, hours and eligibility of signed-up people, and where each number comes from."""
    rows = {
        row.user_id: row
        for row in event.signups.filter(user_id__in=user_ids)
        .exclude(status=EventParticipation.Status.WITHDRAWN)
        .select_related("user", "event")
        .prefetch_related("windows")
    }
    if not user_ids or any(n not in rows for n in user_ids):
        raise InvalidInput(
            "Every driver of a plan must be signed up for the event.",
            fields={"drivers": ["Only people who signed up."]},
        )
    drivers, names = [], set()
    for user_id in user_ids:
        row = rows[user_id]
        name = str(row.user)
        name = name if name not in names else f"{name} ({row.user.username})"
        names.add(name)
        spans = [
            (round((w.starts_at - instance.starts_at) / MS),
             round((w.ends_at - instance.starts_at) / MS))
            for w in row.windows.all()
        ]  # fmt: skip
        clipped = [[max(a, 0), min(b, event.duration_ms)] for a, b in spans]
        drivers.append({
            "user_id": user_id, "name": name, **pace_of(row),
            "category": row.category, "no_night": row.no_night, "no_wet": row.no_wet,
            "available_ms": [w for w in clipped if w[1] > w[0]],
        })  # fmt: skip
    return drivers
