"""The garage at work: lap files and laps from timing. Each may be started twice; laps are stored by natural key."""

from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from coaching.models import LapFile, RacerProfile, Session
from coaching.services import garage_demo, lap_files, timing_sync
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotFound


def import_lap_file(job: jobs.Running, file_id: int) -> dict:
    """Read an uploaded lap file into the log; a file that is gone or read already is refused."""
    file = LapFile.objects.select_related("owner").filter(pk=file_id).first()
    if file is None:
        raise NotFound("The file was deleted.")
    report = lap_files.read_file(file, on_progress=job.show)
    job.progress(report.rows, report.rows, f"{report.stored} laps stored")
    return asdict(report)


def prune_lap_files() -> int:
    """Daily: uploaded lap files are kept for a month, for their reports."""
    return lap_files.prune_files(older_than=now() - timedelta(days=settings.LAP_FILES_KEPT_DAYS))


def sync_session(
    job: jobs.Running, session_id: int, driver_id: int, race_class_id: int | None
) -> dict:
    """Bring a driver's imported laps into a session of whoever asked."""
    session = Session.objects.select_related("profile__user").filter(pk=session_id).first()
    if session is None or session.profile.user_id != job.owner_id:
        raise NotFound("The session was deleted.")
    report = timing_sync.sync_session(
        session_id=session_id,
        by=session.profile.user,
        driver_id=driver_id,
        race_class_id=race_class_id,
        on_progress=job.show,
    )
    return asdict(report) | {"url": reverse("coaching:session", args=[session_id])}


def score_event(job: jobs.Running, event_id: int) -> dict:
    """News of a finished import: log and score the laps of every claimed driver in it."""
    report = timing_sync.sync_event(
        event_id=event_id,
        on_progress=job.show,
    )
    return asdict(report)


def score_claimed(job: jobs.Running, profile_id: int) -> dict:
    """A claim was approved: log and score what was imported of the driver before."""
    report = timing_sync.sync_claimed(
        profile_id=profile_id,
        on_progress=lambda step: job.progress(step.done, step.total, step.label),
    )
    return asdict(report) | {"url": reverse("coaching:home")}


def follow_session_type(job: jobs.Running, race_id: int, kind_before: str) -> dict:
    """A person said what a session was: logged heats of it are scored as what it is now."""
    return {"heats": timing_sync.follow_session_type(race_id=race_id, kind_before=kind_before)}


def claim_demo_driver(job: jobs.Running, profile_id: int) -> dict:
    """Wait for the demo event and be one of its drivers, whose laps are then logged. Only staff have a demo."""
    profile = RacerProfile.objects.select_related("user").filter(pk=profile_id).first()
    if profile is None or not profile.user.is_staff:
        raise NotFound("There is no demo racer.")
    event_id = garage_demo.claim_someone(profile)
    if event_id is None:
        garage_demo.next_look(job)
    return {"event": event_id}
