"""An endpoint gets so many requests at once and no more, whoever asks and wherever they run."""

import threading
from contextlib import ExitStack

import pytest
from django.db import connection

from coaching.llm.errors import Crowded, ModelDown
from coaching.llm.shapes import DailyCoaching
from coaching.models import EndpointHealth, LlmAccount, LlmExchange, MissionRun
from coaching.services import llm_accounts
from coaching.tests.mission_builders import MORNING, check_in, give_model, tick, work
from coaching.tests.mission_pages import step, wizard
from racecontrol.shared import jobs
from racecontrol.testing.workers import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "http://model.example"


class Holder(threading.Thread):
    """Another worker that sits on a place until told otherwise."""

    def __init__(self, origin: str):
        super().__init__(daemon=True)
        self.origin, self.has_it, self.leave = origin, threading.Event(), threading.Event()

    def run(self):
        try:
            with llm_accounts.place_at(self.origin, 30):
                self.has_it.set()
                self.leave.wait(60)
        finally:
            connection.close()

    def __enter__(self):
        self.start()
        assert self.has_it.wait(30)
        return self

    def __exit__(self, *_):
        self.leave.set()
        self.join(30)


def test_no_more_than_the_setting_are_under_way_and_all_get_their_turn(settings):
    settings.LLM_CALLS_AT_ONCE = 2
    lock, inside, most, done = threading.Lock(), 0, 0, 0
    both = threading.Barrier(2, timeout=30)

    def ask():
        nonlocal inside, most, done
        with llm_accounts.place_at(ORIGIN, 30):
            with lock:
                inside, most = inside + 1, max(most, inside + 1)
            both.wait()  # two really are in at the same time
            with lock:
                inside, done = inside - 1, done + 1

    at_once(*[ask] * 6)

    assert (most, done) == (2, 6)


def test_who_finds_no_place_hears_so_and_another_endpoint_is_free(settings):
    settings.LLM_CALLS_AT_ONCE = 1
    with Holder(ORIGIN):
        with pytest.raises(Crowded), llm_accounts.place_at(ORIGIN, 0):
            pass
        with llm_accounts.place_at("http://another.example", 0):
            pass
    with llm_accounts.place_at(ORIGIN, 5):
        pass


def test_a_crowded_endpoint_was_not_asked_and_is_not_called_broken(user, fake, settings):
    settings.LLM_CALLS_AT_ONCE = 2
    give_model(user, fake)
    source = llm_accounts.source_of(user)
    limits = llm_accounts.Limits(deadline_s=1.0)
    client = llm_accounts.client_for(source, user=user, purpose="daily", limits=limits)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(Holder(fake.origin))
        with pytest.raises(ModelDown, match="turn later"):
            client.ask([{"role": "user", "content": "FACTS\nF1 Today: 2026-06-08"}], DailyCoaching)

    assert fake.asked == []
    assert not LlmExchange.objects.exists()
    assert not EndpointHealth.objects.exists()


def test_a_crowded_morning_is_written_later(mission, fake, settings):
    settings.LLM_CALLS_AT_ONCE = 1
    check_in(mission, MORNING)
    tick()
    with Holder(fake.origin):
        assert work(MissionRun.objects.get(kind="daily")) == "retry"
    again = MissionRun.objects.get(kind="daily")
    assert again.reason_code == "crowded"

    assert work(again, again.next_attempt_at) == "succeeded"


@pytest.fixture
def crowded(monkeypatch):
    """No place comes free at any endpoint while this holds."""

    def nowhere(_origin, _wait_s):
        raise Crowded

    with monkeypatch.context() as patch:
        patch.setattr(llm_accounts, "place_at", nowhere)
        yield patch


def test_waiting_for_a_place_uses_up_neither_tries_nor_failures(mission, crowded):
    check_in(mission, MORNING)
    tick()
    run = MissionRun.objects.get(kind="daily")
    for _ in range(6):  # a model that is down is given up after four
        assert work(run, run.next_attempt_at) == "retry"
        run.refresh_from_db()

    assert (run.attempt, run.failures, run.reason_code) == (0, {}, "crowded")
    assert not EndpointHealth.objects.exists()

    crowded.undo()
    assert work(run, run.next_attempt_at) == "succeeded"


def test_a_draft_waits_for_a_place(client, user, fake, quick, at, crowded):
    give_model(user, fake)
    draft = wizard(client)
    client.post(step(draft, "review"), {"consent": "1"})
    draft.refresh_from_db()
    for _ in range(4):  # more often than the job may fail
        jobs.run_now(draft.job)
        draft.refresh_from_db()
        assert (draft.status, draft.job.state, draft.job.attempts) == ("asked", "paused", 0)
        assert "turn later" in draft.job.message

    crowded.undo()
    jobs.run_now(draft.job)
    draft.refresh_from_db()
    assert draft.status == "ready"


def test_the_test_of_a_key_waits_for_a_place(user, fake, crowded):
    give_model(user, fake)
    job = jobs.enqueue("coaching.tasks.test_llm_account", user.pk, owner=user)
    before = LlmAccount.objects.values_list("status", "status_reason").get()

    jobs.run_now(job)

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("paused", 0)
    assert LlmAccount.objects.values_list("status", "status_reason").get() == before
    crowded.undo()
    jobs.run_now(job)
    job.refresh_from_db()
    assert job.result["works"] is True
