"""Missions that fill in what a test does not care about, and a model server to write for them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from coaching.llm.fake_openai import FakeOpenAI
from coaching.models import Consent, LlmAccount, Mission, MissionNotification, MissionRun
from coaching.services import (
    mission_days,
    mission_notices,
    mission_runs,
    mission_upkeep,
    missions,
)

# A Monday morning in Berlin, an hour before the run of 05:30.
NOW = datetime(2026, 6, 1, 2, 30, tzinfo=UTC)
STAGES = [
    {"number": n, "on": f"2026-06-{13 + n:02}", "type": kind, "name": ""}
    for n, kind in enumerate(["flat", "hilly", "mountain", "itt"], start=1)
]


def consent(user, now=NOW) -> None:
    mission_days.give_consent(
        by=user, purposes=[Consent.Purpose.HEALTH, Consent.Purpose.MODEL], now=now
    )


def mission_data(**values) -> dict:
    return {
        "name": "Bay Tour",
        "event_name": "Bay Tour",
        "mission_type": "road_stage_race",
        "prep_start": date(2026, 5, 1),
        "event_start": date(2026, 6, 14),
        "event_end": date(2026, 6, 17),
        "timezone": "Europe/Berlin",
        "llm_goal_statement": "Finish with a smile.",
        "constraints": {"min_readiness": 50, "force_rest_readiness": 40},
        "availability": {"monday": 75},
        "rider_profile": {"ftp": 205},
        "stage_plan": {"stages": STAGES, "rest_days": []},
    } | values


def make_mission(user, *, now=NOW, has_letter=False, **values) -> Mission:
    return missions.create_mission(
        by=user, data=mission_data(**values), now=now, has_letter=has_letter
    )


def start(mission: Mission, now=NOW) -> Mission:
    consent(mission.owner, now)
    return missions.change_state(mission_id=mission.pk, name="start", by=mission.owner, now=now)


def check_in(mission: Mission, now, readiness=70, note="", **values):
    return mission_days.check_in(
        by=mission.owner, data={"readiness": readiness} | values, note=note, now=now,
        mission=mission,
    )  # fmt: skip


def give_model(user, fake: FakeOpenAI, behaviour: str = "happy") -> LlmAccount:
    account, _ = LlmAccount.objects.update_or_create(
        owner=user,
        defaults={
            "base_url": fake.base_url, "model": f"fake-{behaviour}", "api_key": "sk-test-0123456789",
            "key_last4": "6789", "mode": "json_schema", "status": "good",
        },
    )  # fmt: skip
    return account


MORNING = NOW + timedelta(hours=1, minutes=10)  # 05:40 in Berlin: due, jitter included


def days(count: int) -> timedelta:
    return timedelta(days=count)


@pytest.fixture
def fake(settings):
    """A model server of our own; the operator trusts its address."""
    with FakeOpenAI() as server:
        settings.LLM_TRUSTED_ORIGINS = [server.origin]
        yield server


@pytest.fixture
def quick(monkeypatch):
    """No waiting between tries, and short calls."""
    from coaching.llm import client
    from coaching.services import llm_accounts

    monkeypatch.setattr(llm_accounts, "Limits", lambda: client.Limits(deadline_s=4, call_s=0.4))
    real = client.Client
    monkeypatch.setattr(
        llm_accounts, "Client", lambda *a, **k: real(*a, **k | {"sleep": lambda _s: None})
    )


@pytest.fixture
def mission(user, fake, quick):
    give_model(user, fake)
    return start(make_mission(user))


def tick(now=MORNING):
    return mission_upkeep.tick(real_now=now)


def work(run: MissionRun, now=MORNING, lease=None) -> str:
    return mission_runs.run_mission(
        mission_id=run.mission_id, local_date=run.local_date, kind=run.kind, lease=lease,
        real_now=now,
    )  # fmt: skip


def only_run(kind="daily") -> MissionRun:
    return MissionRun.objects.get(kind=kind)


def morning(mission, behaviour="happy", now=MORNING, **values) -> MissionRun:
    """A morning with a check-in, run once with a model of that behaviour."""
    LlmAccount.objects.update(model=f"fake-{behaviour}")
    check_in(mission, now, **values)
    tick(now)
    run = MissionRun.objects.get(kind="daily", local_date=mission.today(now))
    work(run, now)
    run.refresh_from_db()
    return run


def send_mails(now=MORNING) -> None:
    for notice in MissionNotification.objects.filter(status="queued"):
        mission_notices.send(notice_id=notice.pk, real_now=now)
