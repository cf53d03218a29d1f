"""The coach at work: the ten-minute tick, one run, one mail, one draft, one connection test."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.utils.timezone import now

from coaching.domain.missions.schedule import CROWDED_WAIT
from coaching.llm.errors import Crowded, ModelError
from coaching.models import Mission
from coaching.services import (
    llm_accounts,
    mission_drafts,
    mission_notices,
    mission_runs,
    mission_upkeep,
    reasoning_logs,
)
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotFound


def tick() -> dict[str, int]:
    """Every ten minutes: states, due mornings, retries, dead workers, missed days, mails."""
    return mission_upkeep.tick(real_now=now())


def run_mission_day(
    job: jobs.Running, user_id: int, mission_id: int, local_date: str, kind: str = "daily"
) -> dict:
    """Write the guidance of one local date. Twice is the same as once: the row is claimed."""
    if not Mission.objects.filter(pk=mission_id, owner_id=user_id).exists():
        raise NotFound("There is no such mission.")
    job.progress(0, 1, "Reading the morning's facts and asking the model.")
    status = mission_runs.run_mission(
        mission_id=mission_id,
        local_date=date.fromisoformat(local_date),
        kind=kind,
        lease=job.id,
        real_now=now(),
    )
    reasoning_logs.write_missing(now=now())
    return {"status": status}


def send_mission_notice(job: jobs.Running, notice_id: int) -> dict:
    return {"status": mission_notices.send(notice_id=notice_id, real_now=now())}


@contextmanager
def _its_turn() -> Iterator[None]:
    """Where the model has no place free the job waits for one; that costs it no attempt."""
    try:
        yield
    except Crowded as crowded:
        raise jobs.Later(now() + CROWDED_WAIT, str(crowded)) from crowded


def draft_mission(job: jobs.Running, draft_id: int) -> dict:
    """Let the model propose a mission from the wizard's answers."""
    job.progress(0, 0, "The model is writing the draft.")
    with _its_turn():
        status = mission_drafts.write(
            draft_id=draft_id,
            real_now=now(),
            on_text=lambda size: job.progress(0, 0, f"The model is writing: {size} characters."),
        )
    return {"status": status}


def test_llm_account(job: jobs.Running, user_id: int) -> dict:
    """Ask a person's endpoint in each way of structured output."""
    user = llm_accounts.person(user_id)
    try:
        with _its_turn():
            account = llm_accounts.test_account(user=user, now=now())
    except ModelError as failed:
        return {"works": False, "why": str(failed)}
    return {"works": True, "mode": account.mode}


test_llm_account.__test__ = False  # type: ignore[attr-defined]


def prune_prompts() -> dict[str, int]:
    """Once a day: prompts and answers older than the setting are emptied."""
    return {"pruned": mission_upkeep.prune(real_now=now())}


def report_missions() -> dict[str, int]:
    """Once a day: operators hear what went wrong."""
    return {"told": mission_upkeep.tell_operators(real_now=now())}
