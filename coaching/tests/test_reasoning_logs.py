"""Reasoning logs: one sealed file a run's attempt, its owner's alone, gone when the run is."""

import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from coaching.models import LlmExchange, MissionRun, ReasoningLog
from coaching.services import mission_runs, mission_upkeep, reasoning_logs
from coaching.tests.mission_builders import (
    MORNING,
    morning,
    work,
)
from racecontrol.shared.errors import NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(mission, own_storage) -> MissionRun:
    return morning(mission)


def test_the_tick_keeps_what_a_run_was_told_and_answered_once(run, tmp_path):
    mission_upkeep.tick(real_now=MORNING)
    mission_upkeep.tick(real_now=MORNING)

    log = run.reasoning_logs.get()
    said = reasoning_logs.read(run)
    assert said["run"]["status"] == "succeeded"
    assert said["guidance"]["headline"] == run.guidance["headline"]
    assert said["facts"] == run.facts
    [exchange] = said["exchanges"]
    assert exchange["answer"] == LlmExchange.objects.get(run=run).answer
    raw = (tmp_path / log.stored_as).read_bytes()
    assert len(raw) == log.size
    assert run.guidance["headline"].encode() not in raw


def test_a_second_attempt_has_a_log_of_its_own(run):
    reasoning_logs.write_missing(now=MORNING)
    mission_runs.run_now(mission_id=run.mission_id, by=run.mission.owner, now=MORNING)
    work(run)

    assert reasoning_logs.write_missing(now=MORNING) == 1
    run.refresh_from_db()
    assert sorted(run.reasoning_logs.values_list("attempt_no", flat=True)) == [1, 2]
    assert reasoning_logs.read(run)["run"]["attempt_no"] == 2
    assert reasoning_logs.read(run, 1)["run"]["attempt_no"] == 1


def test_a_store_that_is_away_costs_no_guidance_and_the_log_follows(run, monkeypatch):
    def away(*_args, **_more):
        raise ConnectionError("the bucket is away")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "save", away)
        mission_upkeep.tick(real_now=MORNING)
    assert run.status == "succeeded"
    assert not ReasoningLog.objects.exists()

    mission_upkeep.tick(real_now=MORNING)

    assert ReasoningLog.objects.count() == 1


def test_its_owner_downloads_it_and_a_stranger_does_not(run, client, other):
    reasoning_logs.write_missing(now=MORNING)
    page = f"/coaching/missions/{run.mission_id}/days/{run.local_date}/reasoning/daily/"
    api = f"/api/v1/missions/{run.mission_id}/runs/{run.local_date}/reasoning"

    answer = client.get(page)
    assert answer["Content-Disposition"] == f'attachment; filename="daily-{run.local_date}.json"'
    assert "no-store" in answer["Cache-Control"]
    assert json.loads(answer.content) == client.get(api).json()
    assert page in client.get(page.replace("reasoning/daily/", "")).content.decode()

    client.force_login(other)
    assert (client.get(page).status_code, client.get(api).status_code) == (404, 404)


def test_pruning_takes_the_file_too(run, settings, tmp_path, django_capture_on_commit_callbacks):
    reasoning_logs.write_missing(now=MORNING)
    stored = run.reasoning_logs.get().stored_as
    later = timezone.now() + timedelta(days=settings.LLM_PROMPTS_KEPT_DAYS + 1)

    with django_capture_on_commit_callbacks(execute=True):
        mission_upkeep.prune(real_now=later)

    assert not (tmp_path / stored).exists()
    with pytest.raises(NotFound, match="pruned"):
        reasoning_logs.read(run)
    assert reasoning_logs.write_missing(now=MORNING) == 0


def test_the_file_goes_with_the_account(run, tmp_path, django_capture_on_commit_callbacks):
    reasoning_logs.write_missing(now=MORNING)
    stored = run.reasoning_logs.get().stored_as

    with django_capture_on_commit_callbacks(execute=True):
        run.mission.delete()

    assert not (tmp_path / stored).exists()


def test_a_change_of_keys_seals_the_files_anew(run, settings):
    reasoning_logs.write_missing(now=MORNING)
    before = reasoning_logs.read(run)
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]

    call_command("rotate_keys")
    settings.FIELD_KEYS = [new]

    assert reasoning_logs.read(run) == before
    assert reasoning_logs.reseal() == 0
