"""Tasks for the tests of background work."""

from racecontrol.models import LiveEvent
from racecontrol.shared.errors import NotReady


def count(job, number):
    """One visible effect."""
    job.progress(1, 1, "counted")
    LiveEvent.objects.create(topic="counted", body=str(number))
    return {"number": number}


def refuse(job):
    raise NotReady("The track has no results yet.")


def break_down(job):
    raise ZeroDivisionError("a bug")


def wait_for_tomorrow(job, at):
    from datetime import datetime

    from django.utils.timezone import now

    from racecontrol.shared.jobs import Later

    moment = datetime.fromisoformat(at)
    if now() < moment:
        raise Later(moment, "The day's budget is used up; goes on tomorrow.")


def many_steps(job, steps):
    for step in range(steps):
        job.progress(step, steps, f"step {step}")
        job._shown = 0.0
        LiveEvent.objects.create(topic="steps", body=str(step))


def sleep_then_note(job, number, seconds):
    """Takes a while, then one effect with a natural key; a second run finds it done."""
    from pathlib import Path
    from time import sleep

    from django.conf import settings

    with (Path(settings.VAR_DIR) / "began").open("a") as began:
        began.write(f"{number}\n")
    sleep(seconds)
    LiveEvent.objects.create(topic=f"noted:{number}", body="{}")
    return {"number": number}


def tick(at):
    """What a schedule of the tests calls, with the moment it was meant for."""
    LiveEvent.objects.create(topic="tick", body=at)
