"""Imported laps into the run log: appended by their name at the source, scored at once, repeatable at will."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now

from coaching.models import Heat, RacerProfile, RunLog, Session
from coaching.queries import garage as queries
from coaching.queries import timing
from coaching.queries.timing import TimedRun
from coaching.services import scores
from coaching.services.garage import activate, lock_open_session
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotFound, NotReady
from racecontrol.shared.progress import OnProgress, Progress, silent

LOOKS_BACK: Final = timedelta(
    days=365
)  # before the driver's newest event, when a claim is approved


@dataclass(slots=True)
class SyncReport:
    """What a sync changed. All zero the second time."""

    runs: int = 0
    heats: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0


def request_sync(
    *, session_id: int, by: Any, driver_id: int | None = None, race_class_id: int | None = None
) -> jobs.Job:
    """Queue a sync; without a class everything the driver did since the last sync."""
    session = queries.session_for(by, session_id)
    if session.is_closed:
        raise NotReady("The session is closed: reopen it before adding laps.")
    driver_id = driver_id or session.profile.driver_id
    if driver_id is None:
        raise NotReady("Choose a driver, or claim yours on the driver's page first.")
    timing.driver_for(driver_id)
    return jobs.enqueue(
        "coaching.tasks.sync_session",
        session.pk,
        driver_id,
        race_class_id,
        key=f"sync:{session.pk}",
        owner=by,
        title=f"Laps from timing for {session}",
    )


def sync_session(
    *,
    session_id: int,
    by: Any,
    driver_id: int,
    race_class_id: int | None = None,
    on_progress: OnProgress = silent,
) -> SyncReport:
    """Bring a driver's runs into a session: those of one class of an event, or all since the last sync.

    Only this driver's own laps are taken. A lap is known by its run and number at the source: a second sync changes
    nothing, a corrected time is corrected here, flags and ratings people added stay.
    """
    session = queries.session_for(by, session_id)
    driver = timing.driver_for(driver_id)
    if race_class_id is not None:
        runs = timing.runs_of(driver, race_class_id=race_class_id)
        if not runs:
            raise NotFound("This driver has no laps in that event.")
    else:
        since = session.synced_at.date() if session.synced_at else session.start_date
        runs = timing.runs_of(driver, since=since)
    return take_runs(session, runs, by=by, race_class_id=race_class_id, on_progress=on_progress)


def take_runs(
    session: Session,
    runs: Sequence[TimedRun],
    *,
    by: Any,
    race_class_id: int | None = None,
    on_progress: OnProgress = silent,
) -> SyncReport:
    """Each run in a transaction of its own, so the session is usable from the first one on."""
    report = SyncReport()
    for place, run in enumerate(runs, start=1):
        with transaction.atomic():
            locked = lock_open_session(session.pk, by)
            heat, is_new = _heat_for(locked, run)
            changes = _take_laps(heat, run)
            report.runs += 1
            report.heats += is_new
            report.new += changes[0]
            report.changed += changes[1]
            report.removed += changes[2]
            activate(locked)
            scores.score_heat(heat)
        on_progress(Progress(place, len(runs), run.name))
    values: dict[str, Any] = {"synced_at": now()}
    if runs:
        event = runs[-1].race.event
        values["track_id"] = session.track_id or event.track_id
        values["track_name"] = session.track_name or event.track.name
        values["race_class_id"] = race_class_id or session.race_class_id
    Session.objects.filter(pk=session.pk).update(**values)
    return report


def _heat_for(session: Session, run: TimedRun) -> tuple[Heat, bool]:
    """The heat this run fills, found by its name at the source; what was published is brought up to date."""
    published = {
        "stats_basis": run.basis,
        "published_consistency": run.result.consistency_pct,
    }
    heat = session.heats.filter(source_ref=run.ref).first()
    if heat is not None:
        session.heats.filter(pk=heat.pk).update(**published)
        heat.session = session
        return heat, False
    taken = set(session.heats.values_list("name", flat=True))
    tries = [
        run.short_name,
        run.name,
        *(f"{run.name[:90]} ({n})" for n in range(2, len(taken) + 3)),
    ]
    name = next(name for name in tries if name not in taken)
    place = session.heats.aggregate(last=Max("order"))["last"]
    heat = session.heats.create(
        name=name,
        kind=run.kind,
        order=0 if place is None else place + 1,
        source_ref=run.ref,
        **published,
    )
    heat.session = session
    return heat, True


def _take_laps(heat: Heat, run: TimedRun) -> tuple[int, int, int]:
    """New, changed and removed laps of one run. Typed laps and people's flags are not touched."""
    there = {lap.lap_number: lap for lap in heat.laps.all()}
    new, changed = [], []
    for lap in run.laps:
        known = there.get(lap.number)
        if known is None:
            new.append(
                RunLog(
                    heat=heat,
                    lap_number=lap.number,
                    lap_ms=lap.ms,
                    flag="" if lap.is_valid else "invalid",
                    source="liverc",
                    source_ref=f"{run.ref}/lap:{lap.number}"[:80],
                )
            )
        elif known.source == "liverc" and known.lap_ms != lap.ms:
            known.lap_ms = lap.ms
            changed.append(known)
    RunLog.objects.bulk_create(new, batch_size=2000)
    RunLog.objects.bulk_update(changed, ["lap_ms"], batch_size=1000)
    gone = heat.laps.filter(source="liverc").exclude(
        lap_number__in=[lap.number for lap in run.laps]
    )
    removed, _ = gone.delete()
    return len(new), len(changed), removed


def sync_event(*, event_id: int, on_progress: OnProgress = silent) -> SyncReport:
    """News of an import: sessions of every claimed driver in it, one for each class, made where missing.

    A closed session is left as it is: its owner drew the line.
    """
    total = SyncReport()
    claimed = list(RacerProfile.objects.filter(driver__isnull=False).select_related("user"))
    wanted = timing.drivers_in_event(
        event_id, {profile.driver_id for profile in claimed if profile.driver_id}
    )
    mine = [profile for profile in claimed if profile.driver_id in wanted]
    for place, profile in enumerate(mine, start=1):
        _take_event(profile, event_id, total)
        on_progress(Progress(place, len(mine), f"{place} of {len(mine)} racers"))
    return total


def sync_claimed(*, profile_id: int, on_progress: OnProgress = silent) -> SyncReport:
    """A claim was approved: sessions of what was imported before, of the driver's last `LOOKS_BACK`.

    Nothing to do where the claim was withdrawn meanwhile.
    """
    total = SyncReport()
    profile = RacerProfile.objects.select_related("user").filter(pk=profile_id).first()
    if profile is None or profile.driver_id is None:
        return total
    events = timing.latest_events_of(timing.driver_for(profile.driver_id), within=LOOKS_BACK)
    for place, event in enumerate(events, start=1):
        _take_event(profile, event.pk, total)
        on_progress(Progress(place, len(events), event.name))
    return total


def follow_session_type(*, race_id: int, kind_before: str) -> int:
    """Heats logged from this race become the kind of run it is now, and are scored anew; how many.

    A heat whose owner said something else, and any heat of a closed session, stays as it is.
    """
    race = timing.race_for(race_id)
    logged = Heat.objects.filter(
        source_ref__startswith=timing.ref_of_race(race), kind=kind_before
    ).exclude(session__status=Session.Status.CLOSED)
    done = 0
    for heat_id in logged.values_list("pk", flat=True):
        with transaction.atomic():
            rows = Heat.objects.select_for_update(of=("self",)).select_related("session")
            heat = rows.filter(pk=heat_id, kind=kind_before).first()
            if heat is None:
                continue
            heat.kind = race.run_kind
            heat.save(update_fields=["kind"])
            scores.score_heat(heat)
            done += 1
    return done


def _take_event(profile: RacerProfile, event_id: int, total: SyncReport) -> None:
    """A racer's runs of one event, counted into `total`."""
    if profile.driver_id is None:
        return
    by_class: dict[int, list[TimedRun]] = {}
    for run in timing.runs_of(timing.driver_for(profile.driver_id), event_id=event_id):
        by_class.setdefault(run.race.race_class_id, []).append(run)
    for race_class_id, runs in by_class.items():
        session = _session_for(profile, race_class_id, runs[0])
        if session.is_closed:
            continue
        done = take_runs(session, runs, by=profile.user, race_class_id=race_class_id)
        for name in SyncReport.__dataclass_fields__:
            setattr(total, name, getattr(total, name) + getattr(done, name))


@transaction.atomic
def _session_for(profile: RacerProfile, race_class_id: int, run: TimedRun) -> Session:
    RacerProfile.objects.select_for_update().get(pk=profile.pk)  # two workers make one session
    session = profile.sessions.filter(race_class_id=race_class_id).order_by("pk").first()
    if session is None:
        event = run.race.event
        is_practice = event.kind == "practice_day"
        session = profile.sessions.create(
            name=f"{event.name[:80]} · {run.race.race_class.name[:35]}",
            session_type=Session.Kind.PRACTICE if is_practice else Session.Kind.CLUB_RACE,
            start_date=event.starts_on,
            end_date=event.ends_on if event.ends_on != event.starts_on else None,
            track=event.track,
            track_name=event.track.name[:160],
            race_class_id=race_class_id,
        )
    return session
