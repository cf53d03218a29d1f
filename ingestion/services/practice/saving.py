"""A day's sessions into races, results and laps: one transaction, repeatable, nothing lost."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from ingestion.domain.moments import to_utc
from ingestion.domain.practice import crossing_moments, is_unknown, session_label
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages.practice_session import PracticeSessionPage
from ingestion.models import Event, Lap, PracticeSession, Race, RaceClass, RaceResult, Track
from ingestion.models.events import Confidence, SessionType
from ingestion.services.bulk import copy_laps
from ingestion.services.practice import matching
from ingestion.services.practice.figures import refresh_figures
from ingestion.services.practice.listing import (
    BIGGEST,
    Difference,
    Listing,
    event_of_day,
    note_drift,
    settle_drift,
    take_listing,
)

MOST_LAPS = 32_767
SIGNALS = [
    {"name": "page", "says": "practiceday", "strength": "strong", "text": "practice session page"}
]


@dataclass(frozen=True, slots=True)
class ReadSession:
    """A session page that was read, and the hash of what it says."""

    page: PracticeSessionPage
    parsed_hash: str


@dataclass(slots=True)
class Written:
    """What a write of a day changed."""

    event: Event
    difference: Difference
    changed: int = 0
    unchanged: int = 0
    laps: int = 0


def refuse_nonsense(page: PracticeSessionPage) -> None:
    """A page with numbers no session has is that session's trouble, found before anything is written."""
    times = [lap.ms for lap in page.laps]
    figures = [abs(value or 0) * 1000 for value in page.averages.values()]
    numbers = [lap.number for lap in page.laps]
    if max([*times, *figures, page.length_s or 0, page.num_laps or 0], default=0) > BIGGEST:
        why = "holds a number that is out of range"
    elif max(numbers, default=0) > MOST_LAPS:
        why = "counts too many laps"
    elif page.num_laps and not page.laps and not page.crossings:
        why = f"is empty, though {page.num_laps} laps are counted"
    else:
        return
    raise UnexpectedPage(
        page="practice_session", selector=".laps_list", why=why, excerpt=page.driver_name
    )


@transaction.atomic
def write_day(
    *,
    track: Track,
    day: date,
    listing: Listing | None,
    pages: dict[str, ReadSession],
    failures: dict[str, str],
) -> Written:
    """Listing, sessions, failures, figures: all of a day at once, or nothing."""
    moment = now()
    difference = take_listing(listing, track) if listing is not None else Difference()
    event = event_of_day(track, day)
    event = Event.objects.select_for_update(of=("self",)).get(pk=event.pk)
    _note_inside(event, pages, difference, moment)
    written = Written(event, difference)
    sessions = list(
        PracticeSession.objects.filter(event=event)
        .select_related("race")
        .order_by(F("started_at").asc(nulls_last=True), "pk")
    )
    classes = _classes(event, sessions)
    known = matching.known_of(event.track_id, sessions)
    # Named sessions first: whom they show with a transponder explains the nameless ones.
    for session in sorted(sessions, key=lambda one: is_unknown(one.driver_name)):
        session.event = event
        race = _race_of(session, event, classes)
        read = pages.get(session.source_session_id)
        if read is not None:
            _save(session, race, read, known, moment, written)
        elif session.source_session_id in failures:
            _fail(session, race, failures[session.source_session_id], moment)
    matching.look_again(event)
    _put_in_order(event)
    refresh_figures(event)
    _finish(event, moment)
    return written


def changed_inside(pages: dict[str, ReadSession]) -> list[str]:
    """Ids of the imported sessions whose page says something else than when it was read before."""
    known = PracticeSession.objects.filter(
        source_session_id__in=list(pages), race__state=Race.State.IMPORTED
    ).exclude(race__parsed_hash="")
    hashes = known.values_list("source_session_id", "race__parsed_hash")
    return sorted(one for one, was in hashes if pages[one].parsed_hash != was)


def _note_inside(
    event: Event, pages: dict[str, ReadSession], difference: Difference, moment: datetime
) -> None:
    """Pages that say something else than when they were read, though their overview row stands."""
    inside = [one for one in changed_inside(pages) if one not in difference.changed]
    if inside and event.last_ingested_at is not None:
        difference.changed.extend(inside)
        note_drift(event, Difference(changed=inside), moment)
        event.refresh_from_db(fields=["drifted_at"])


def _classes(event: Event, sessions: list[PracticeSession]) -> dict[str, RaceClass]:
    known = {one.key: one for one in event.classes.all()}
    fresh = {
        one.class_key: RaceClass(event=event, name=one.class_name, key=one.class_key)
        for one in reversed(sessions)
        if one.class_key not in known
    }
    RaceClass.objects.bulk_create(fresh.values())
    return known | fresh


def _race_of(session: PracticeSession, event: Event, classes: dict[str, RaceClass]) -> Race:
    """The session's race, made where there is none; its class and label follow the listing."""
    local = session.started_at.astimezone(event.zone) if session.started_at else None
    values = {
        "event_id": event.pk,
        "race_class_id": classes[session.class_key].pk,
        "label": session_label(session.driver_name, session.class_name, local)[:300],
        "started_at": session.started_at,
        "session_type": SessionType.PRACTICEDAY,
        "session_type_confidence": Confidence.HIGH,
        "session_type_signals": SIGNALS,
        "missing_since": session.missing_since,
    }
    race = session.race
    if race is None:
        race, _ = Race.objects.get_or_create(
            source=Race.Source.PRACTICE,
            source_race_id=session.source_session_id,
            defaults=values,
        )
        session.race = race
        PracticeSession.objects.filter(pk=session.pk).update(race=race)
    _update(race, values)
    return race


def _update(row: Any, values: dict[str, Any]) -> bool:
    """Write only what differs; True if anything did."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        type(row).objects.filter(pk=row.pk).update(updated_at=now(), **changed)
    return bool(changed)


def _fail(session: PracticeSession, race: Race, why: str, moment: datetime) -> None:
    """Written on the session; what was imported before stays."""
    PracticeSession.objects.filter(pk=session.pk).update(
        failure=why[:2000],
        failed_at=moment,
        attempts=session.attempts + 1,
        updated_at=moment,
    )
    state = race.state if race.state == Race.State.IMPORTED else Race.State.FAILED
    Race.objects.filter(pk=race.pk).update(state=state, failure=why[:2000], updated_at=moment)


def _save(
    session: PracticeSession,
    race: Race,
    read: ReadSession,
    known: matching.Known,
    moment: datetime,
    written: Written,
) -> None:
    page = read.page
    written.laps += len(page.laps)
    is_settled = race.parsed_hash == read.parsed_hash and race.state == Race.State.IMPORTED
    PracticeSession.objects.filter(pk=session.pk).update(
        failure="", failed_at=None, attempts=session.attempts + 1
    )
    Race.objects.filter(pk=race.pk).update(fetched_at=moment, failure="")
    if is_settled:
        written.unchanged += 1
        return
    laps = _laps(page, session)
    result = RaceResult.objects.filter(race=race).select_related("driver").first()
    if result is None or session.match_method != PracticeSession.Method.MANUAL:
        driver, match = matching.find_driver(session, known)
        PracticeSession.objects.filter(pk=session.pk).update(
            matched_at=moment, **matching.match_values(match)
        )
    else:
        driver = result.driver
    _save_result(race, session, page, laps, driver, result)
    limits = page.valid_range_ms or (None, None)
    _keep(
        session,
        {"ended_at": _ended(page, session), "valid_from_ms": limits[0], "valid_to_ms": limits[1]},
    )
    _update(
        race,
        {
            "completed_at": next((lap[3] for lap in reversed(laps) if lap[3]), race.completed_at),
            "stats_basis": RaceResult.Basis.ALL,
            "state": Race.State.IMPORTED,
            "parsed_hash": read.parsed_hash,
            "changed_at": moment if race.parsed_hash else race.changed_at,
        },
    )
    written.changed += 1


def _keep(row: Any, values: dict[str, Any]) -> None:
    """Nothing known is overwritten with nothing."""
    _update(row, {name: value for name, value in values.items() if value not in (None, "")})


def _ended(page: PracticeSessionPage, session: PracticeSession) -> datetime | None:
    if page.end_local is None:
        return None
    return to_utc(page.end_local, session.event.zone, not_before=session.started_at)


def _laps(page: PracticeSessionPage, session: PracticeSession) -> list[tuple]:
    """(number, ms, position, crossed_at, is_valid) of every lap, also of those that do not count."""
    crossings = {one.number: one for one in page.crossings}
    shown = {lap.number: (lap.ms, not lap.is_starred) for lap in page.laps}
    for number, one in crossings.items():
        shown.setdefault(number, (one.ms, one.is_valid))
    numbers = [number for number in sorted(shown) if shown[number][0] > 0]
    moments = crossing_moments(
        [crossings[n].crossed_local if n in crossings else None for n in numbers],
        session.event.zone,
        started_at=session.started_at,
    )
    return [
        (number, shown[number][0], None, moment, shown[number][1])
        for number, moment in zip(numbers, moments, strict=True)
    ]


def _save_result(
    race: Race,
    session: PracticeSession,
    page: PracticeSessionPage,
    laps: list[tuple],
    driver: Any,
    result: RaceResult | None,
) -> None:
    values = _result_values(session, page, laps)
    if result is None:
        result = RaceResult.objects.create(
            race=race, driver=driver, row_key=f"session:{session.source_session_id}", **values
        )
    elif laps:  # a page that lost its laps takes none of ours away
        _keep(result, {"driver_id": driver.pk, **values})
    stored = list(
        Lap.objects.filter(result=result)
        .order_by("number")
        .values_list("number", "ms", "position", "crossed_at", "is_valid")
    )
    if stored != laps and laps:
        Lap.objects.filter(result=result).delete()
        copy_laps([(result.pk, *lap) for lap in laps])


def _result_values(
    session: PracticeSession, page: PracticeSessionPage, laps: list[tuple]
) -> dict[str, Any]:
    """Figures as the page prints them; counts and sums from the laps that count."""
    valid = [(number, ms) for number, ms, _, _, is_valid in laps if is_valid]
    fastest = min(valid, key=lambda lap: lap[1], default=None)
    averages = page.averages
    return {
        "driver_name": page.driver_name[:200] or session.driver_name,
        "transponder": (page.transponder or session.transponder)[:20],
        "laps": len(valid),
        "total_ms": sum(ms for _, ms in valid) or None,
        "fast_lap_ms": page.fastest_ms or (fastest[1] if fastest else None),
        "fast_lap_number": fastest[0] if fastest else None,
        "avg_lap_ms": _ms(averages.get("Avg")),
        "avg_top5_ms": _ms(averages.get("Top 5")),
        "avg_top10_ms": _ms(averages.get("Top 10")),
        "avg_top15_ms": _ms(averages.get("Top 15")),
        "top3_consecutive_ms": page.top3_consecutive_ms,
        "std_dev_ms": _ms(averages.get("Std Deviation")),
        "consistency_pct": _pct(averages.get("Consistency")),
        "stats_basis": RaceResult.Basis.ALL,
    }


def _ms(seconds: float | None) -> int | None:
    return round(seconds * 1000) if seconds is not None and seconds >= 0 else None


def _pct(value: float | None) -> Decimal | None:
    return Decimal(f"{value:.3f}") if value is not None and abs(value) < 10_000 else None


def _put_in_order(event: Event) -> None:
    """Sessions count through the day from 1, as races do."""
    moved = []
    rows = event.races.filter(source=Race.Source.PRACTICE)
    for number, race in enumerate(rows.order_by("started_at", "source_race_id"), start=1):
        if race.run_order != number:
            race.run_order = number
            moved.append(race)
    Race.objects.bulk_update(moved, ["run_order"])


def _finish(event: Event, moment: datetime) -> None:
    """Whole once every standing session was read as it is listed now; then the drift is settled."""
    open_ones = PracticeSession.objects.filter(event=event, missing_since=None).exclude(
        failure="", race__state=Race.State.IMPORTED, race__fetched_at__isnull=False
    )
    is_whole = not open_ones.exists()
    state = Event.State.IMPORTED if is_whole else Event.State.PARTIAL
    _update(event, {"state": state, "timezone": event.timezone or event.track.timezone})
    Event.objects.filter(pk=event.pk).update(last_ingested_at=moment)
    if is_whole:
        settle_drift(event, moment)
