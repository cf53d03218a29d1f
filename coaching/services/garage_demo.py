"""The demo's racer: is one of the drivers of the demo event, so the garage has laps and scores to look at."""

from datetime import timedelta
from typing import Any, Final

from django.utils.timezone import now

from coaching.models import RacerProfile
from coaching.queries import timing
from coaching.services import claims, garage
from racecontrol.shared import jobs

WAIT: Final = timedelta(seconds=5)


def load_demo(*, by: Any) -> None:
    """Give the demo person a racer and queue their claim; with a claimed driver there is nothing to do."""
    profile = garage.default_profile(by)
    if profile.driver_id is None:
        jobs.enqueue(
            "coaching.tasks.claim_demo_driver",
            profile.pk,
            key=f"demo-driver:{profile.pk}",
            owner=by,
            title="Find the demo racer's laps",
        )


def claim_someone(profile: RacerProfile) -> int | None:
    """Claim a driver of the newest imported event for this racer; the event's id, or None while there is none."""
    found = timing.someone_in_the_newest_event()
    if found is None:
        return None
    driver, event_id = found
    if profile.driver_id is None:
        claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=profile.user)
        if claim.state == "pending":
            claims.decide_claim(claim_id=claim.pk, by=profile.user, approve=True)
    return event_id


def next_look(job: jobs.Running) -> None:
    """Look again in a moment, for half an hour."""
    began = jobs.Job.objects.get(pk=job.id).created_at
    if now() - began < timedelta(minutes=30):
        raise jobs.Later(now() + WAIT, "Waiting for the demo event")
