"""Who drove: each session's laps under a known driver, with the evidence; a person has the last word."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from ingestion.domain.labels import person_key
from ingestion.domain.practice import UNKNOWN_DRIVER, is_unknown
from ingestion.domain.practice_matching import AMBIGUOUS, FOUND, UNKNOWN, Match, match_driver
from ingestion.models import (
    Driver,
    DriverAlias,
    DriverTransponder,
    Event,
    PracticeSession,
    RaceResult,
)
from ingestion.services.practice.figures import refresh_figures
from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady

Method = PracticeSession.Method
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Known:
    """What the database knows of the transponders and names of some sessions."""

    track_id: int
    by_number: dict[str, dict[int, str]] = field(default_factory=dict)
    by_name: dict[str, dict[int, str]] = field(default_factory=dict)

    def match(self, session: PracticeSession, *, without: int | None = None) -> Match:
        key = person_key(session.driver_name)[:200]
        holders = _except(self.by_number.get(session.transponder, {}), without)
        namesakes = _except(self.by_name.get(key, {}), without)
        at_track = _drove_at(self.track_id, list(namesakes)) if len(namesakes) > 1 else set()
        return match_driver(
            name_key=key,
            is_unknown=is_unknown(session.driver_name),
            transponder=session.transponder,
            holders=holders,
            namesakes=namesakes,
            at_track=at_track,
        )

    def learn(self, driver: Driver, session: PracticeSession) -> None:
        self.by_name.setdefault(driver.name_key, {})[driver.pk] = driver.name
        if session.transponder:
            self.by_number.setdefault(session.transponder, {})[driver.pk] = driver.name


def _except(people: dict[int, str], driver_id: int | None) -> dict[int, str]:
    return {pk: name for pk, name in people.items() if pk != driver_id}


def known_of(track_id: int, sessions: list[PracticeSession]) -> Known:
    """A few queries for any number of sessions; merged drivers answer through whom they became.

    Who is known from races stands in for a namesake known from practice alone.
    """
    known = Known(track_id)
    keys = {person_key(one.driver_name)[:200] for one in sessions}
    held = [
        (row.number, row.driver.merged_into or row.driver)
        for row in DriverTransponder.objects.filter(
            number__in={one.transponder for one in sessions if one.transponder}
        ).select_related("driver__merged_into")
    ]
    keys |= {driver.name_key for _, driver in held}
    named = Driver.objects.filter(name_key__in=keys, is_unknown=False)
    found: list[tuple[str, Driver]] = []
    for driver in named.select_related("merged_into").order_by("pk"):
        found.append((driver.name_key, driver.merged_into or driver))
    for alias in DriverAlias.objects.filter(name_key__in=keys).select_related("driver"):
        found.append((alias.name_key, alias.driver))
    raced = {key for key, driver in found if driver.source_driver_id}
    for key, driver in found:
        if driver.source_driver_id or key not in raced:
            known.by_name.setdefault(key, {})[driver.pk] = driver.name
    for number, driver in held:
        if driver.source_driver_id or driver.name_key not in raced:
            known.by_number.setdefault(number, {})[driver.pk] = driver.name
    return known


def _drove_at(track_id: int, driver_ids: list[int]) -> set[int]:
    rows = RaceResult.objects.filter(driver_id__in=driver_ids, race__event__track_id=track_id)
    return set(rows.values_list("driver_id", flat=True).distinct())


def unknown_driver() -> Driver:
    """The one row that stands for everybody without a name."""
    driver, _ = Driver.objects.get_or_create(
        is_unknown=True, defaults={"name": UNKNOWN_DRIVER, "name_key": person_key(UNKNOWN_DRIVER)}
    )
    return driver


def find_driver(session: PracticeSession, known: Known) -> tuple[Driver, Match]:
    """The driver a session's laps go to. Nobody known by the name: a driver without a source id."""
    match = known.match(session)
    if match.driver_id is not None:
        driver = Driver.objects.select_related("merged_into").get(pk=match.driver_id)
        driver = driver.merged_into or driver
    elif match.method == UNKNOWN:
        driver = unknown_driver()
    else:
        key = person_key(session.driver_name)[:200]
        nameless = Driver.objects.filter(
            source_driver_id=None, name_key=key, merged_into=None, is_unknown=False
        )
        driver = nameless.order_by("pk").first() or Driver.objects.create(
            name=session.driver_name[:200], name_key=key
        )
    if match.method not in (UNKNOWN, AMBIGUOUS) and not is_unknown(session.driver_name):
        known.learn(driver, session)
        note_transponder(driver, session)
    return driver, match


def note_transponder(driver: Driver, session: PracticeSession) -> None:
    """Seen with this transponder on this day."""
    if not session.transponder or session.started_at is None:
        return
    day = session.started_at.astimezone(session.event.zone).date()
    row, is_new = DriverTransponder.objects.get_or_create(
        driver=driver,
        number=session.transponder,
        defaults={"first_seen_on": day, "last_seen_on": day},
    )
    first, last = min(row.first_seen_on or day, day), max(row.last_seen_on or day, day)
    if not is_new and (first, last) != (row.first_seen_on, row.last_seen_on):
        row.first_seen_on, row.last_seen_on = first, last
        row.save(update_fields=["first_seen_on", "last_seen_on"])


def match_values(match: Match) -> dict[str, Any]:
    return {
        "match_method": match.method,
        "match_confidence": match.confidence,
        "match_evidence": list(match.evidence),
    }


def look_again(event: Event) -> int:
    """Sessions of people no race knew: perhaps one does by now. A person's word stands."""
    results = {
        row.race_id: row
        for row in RaceResult.objects.filter(
            race__event=event, driver__source_driver_id=None
        ).select_related("driver")
    }
    sessions = list(
        PracticeSession.objects.filter(event=event, race__in=results)
        .exclude(match_method=Method.MANUAL)
        .select_related("event")
        .order_by("pk")
    )
    known = known_of(event.track_id, sessions)
    changed = 0
    for session in sessions:
        result = results[session.race_id or 0]
        match = known.match(session, without=result.driver_id)
        if match.driver_id is None or match.method not in FOUND:
            continue
        is_raced = Driver.objects.filter(pk=match.driver_id, source_driver_id__isnull=False)
        if not result.driver.is_unknown and not is_raced.exists():
            continue
        moment = now()
        RaceResult.objects.filter(pk=result.pk).update(driver_id=match.driver_id, updated_at=moment)
        PracticeSession.objects.filter(pk=session.pk).update(
            updated_at=moment, matched_at=moment, **match_values(match)
        )
        changed += 1
    return changed


@transaction.atomic
def match_after_races(event: Event) -> int:
    """An imported race event makes people known: look again at its track's practice days."""
    days = Event.objects.filter(
        track_id=event.track_id,
        kind=Event.Kind.PRACTICE_DAY,
        practice_sessions__race__results__driver__source_driver_id=None,
        practice_sessions__race__isnull=False,
    )
    changed = 0
    for day in Event.objects.filter(pk__in=days.values("pk")).order_by("pk"):
        found = look_again(day)
        if found:
            refresh_figures(day)
            log.info("practice_matched_again", source_event_id=day.source_event_id, sessions=found)
            for task in settings.AFTER_EVENT_IMPORT:
                jobs.enqueue(task, day.pk, key=f"{task}:{day.pk}")
        changed += found
    return changed


@transaction.atomic
def correct_match(
    *, session_id: int, driver_id: int | None, by: Any, whole_day: bool = False
) -> int:
    """A person says who drove (None: nobody known); how many sessions now stand under that driver.

    `whole_day` takes every session of the day under the same name and transponder along. No later
    import changes it. Raises NotFound, NotReady (not imported yet) or InvalidInput by field.
    """
    session = (
        PracticeSession.objects.select_for_update(of=("self",))
        .select_related("event")
        .filter(pk=session_id)
        .first()
    )
    if session is None:
        raise NotFound("There is no such practice session.")
    driver = unknown_driver() if driver_id is None else _driver(driver_id)
    sessions = [session]
    if whole_day:
        sessions = list(
            PracticeSession.objects.select_for_update(of=("self",))
            .filter(
                Q(driver_name__iexact=session.driver_name),
                event=session.event,
                transponder=session.transponder,
            )
            .order_by("pk")
        )
    results = {
        row.race_id: row
        for row in RaceResult.objects.filter(
            race__in=[one.race_id for one in sessions if one.race_id]
        )
    }
    if session.race_id not in results:
        raise NotReady("This session was not imported yet: there are no laps to give to anybody.")
    done = 0
    for one in sessions:
        result = results.get(one.race_id) if one.race_id else None
        if result is not None:
            _correct(one, result, driver, by)
            done += 1
    refresh_figures(session.event)
    return done


def _driver(driver_id: int) -> Driver:
    driver = Driver.objects.select_related("merged_into").filter(pk=driver_id).first()
    if driver is None or driver.is_unknown:
        raise InvalidInput("There is no such driver.", fields={"driver": ["No such driver."]})
    return driver.merged_into or driver


def _correct(session: PracticeSession, result: RaceResult, driver: Driver, by: Any) -> None:
    moment = now()
    before = {"driver": result.driver_id, "method": session.match_method}
    RaceResult.objects.filter(pk=result.pk).update(driver=driver, updated_at=moment)
    session.match_method, session.match_confidence = Method.MANUAL, "high"
    session.match_evidence = [*session.match_evidence, f"{by} said: {driver.name}."]
    session.matched_by = by if getattr(by, "pk", None) else None
    session.matched_at = session.updated_at = moment
    session.save()
    audit.record(
        by=by,
        verb="practice_session.driver_set",
        obj=session,
        before=before,
        after={"driver": driver.pk, "method": Method.MANUAL},
    )
