"""One run a local morning, whatever breaks: once, checked, told, and never made up."""

import json
import uuid
from datetime import date, timedelta

import pytest
from django.core import mail

from coaching.models import (
    EndpointHealth,
    LlmAccount,
    LlmExchange,
    Mission,
    MissionNotification,
    MissionRun,
)
from coaching.services import mission_days, mission_notices, mission_runs, mission_writing
from coaching.tests.mission_builders import (
    MORNING,
    NOW,
    check_in,
    days,
    morning,
    only_run,
    send_mails,
    tick,
    work,
)
from racecontrol.models import LiveEvent

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 1)


def test_a_morning_from_the_tick_to_the_mail(mission, queued):
    check_in(mission, MORNING)

    assert tick()["queued"] == 1
    run = only_run()
    assert (run.local_date, run.tz, run.status) == (TODAY, "Europe/Berlin", "queued")
    func, args = queued()[-1]
    assert (func, args) == (
        "coaching.tasks.run_mission_day",
        (mission.owner_id, mission.pk, "2026-06-01", "daily"),
    )

    assert work(run) == "succeeded"
    run.refresh_from_db()
    assert run.guidance["workout"]["minutes"] <= 75
    assert run.prompt_version == "daily_training.v1"
    assert len(run.prompt_hash) == 64
    send_mails()
    [letter] = mail.outbox
    assert letter.to == ["sam@example.org"]
    assert run.guidance["headline"] in letter.subject
    assert "Monday 1 June 2026" in letter.body
    assert "html" in letter.alternatives[0][1]


def test_open_pages_are_told_of_every_step_of_a_morning(mission):
    check_in(mission, MORNING)
    tick()
    work(only_run())

    told = LiveEvent.objects.filter(topic=f"mission:{mission.pk}").order_by("pk")
    assert [json.loads(one.body) for one in told][-3:] == [
        {"run": "queued"}, {"run": "running"}, {"run": "succeeded"},
    ]  # fmt: skip


def test_a_tick_before_the_morning_makes_nothing(mission):
    tick(NOW + timedelta(minutes=30))
    assert not MissionRun.objects.filter(kind="daily").exists()


def test_two_schedulers_and_two_deliveries_make_one_run_and_one_mail(mission, queued):
    check_in(mission, MORNING)
    tick()
    Mission.objects.update(next_check_at=MORNING)
    tick()
    run = only_run()
    daily = [q for q in queued() if q[0] == "coaching.tasks.run_mission_day"]
    assert len(daily) == 1

    assert work(run) == "succeeded"
    assert work(run) == "already taken"
    send_mails()
    for notice in MissionNotification.objects.all():
        assert mission_notices.send(notice_id=notice.pk, real_now=MORNING) == "already taken"

    assert LlmExchange.objects.count() == 1
    assert len(mail.outbox) == 1


def test_a_run_that_is_being_written_is_not_taken_by_another_worker(mission):
    check_in(mission, MORNING)
    tick()
    run = only_run()
    taken = mission_runs.claim(run_id=run.pk, lease=uuid.uuid4(), real_now=MORNING)

    assert taken is not None
    assert work(run) == "already taken"


def test_a_dead_worker_s_run_is_taken_up_after_its_lease(mission):
    check_in(mission, MORNING)
    tick()
    run = only_run()
    mission_runs.claim(run_id=run.pk, lease=uuid.uuid4(), real_now=MORNING)

    later = MORNING + timedelta(minutes=6)
    assert tick(later)["freed"] == 1
    assert work(run, later) == "succeeded"
    assert MissionRun.objects.filter(kind="daily").count() == 1


def test_the_same_job_delivered_again_takes_its_run_up_at_once(mission):
    check_in(mission, MORNING)
    tick()
    run, job = only_run(), uuid.uuid4()
    mission_runs.claim(run_id=run.pk, lease=job, real_now=MORNING)

    assert work(run, MORNING, lease=job) == "succeeded"


def test_a_worker_that_lost_its_lease_changes_nothing(mission):
    """It slept through its lease, somebody else finished: its late words are not applied."""
    check_in(mission, MORNING)
    tick()
    run = only_run()
    slow = mission_runs.claim(run_id=run.pk, lease=uuid.uuid4(), real_now=MORNING)
    tick(MORNING + timedelta(minutes=6))
    assert work(run, MORNING + timedelta(minutes=6)) == "succeeded"
    before = MissionRun.objects.get(pk=run.pk).guidance

    end = mission_writing.end(slow, "failed", "x", "late", MORNING)

    after = MissionRun.objects.get(pk=run.pk)
    assert (end, after.status, after.guidance) == ("lost the lease", "succeeded", before)


# behaviour -> (status after the first try, reason, requests seen)
ENDS = [
    ("happy", "succeeded", "", 1),
    ("429-twice", "succeeded", "", 3),
    ("500-once", "succeeded", "", 2),
    ("bad-json-once", "succeeded", "", 2),
    ("schema-once", "succeeded", "", 2),
    ("lies-number-once", "succeeded", "", 2),
    ("prose", "succeeded", "", 1),
    ("no-usage", "succeeded", "", 1),
    ("429-forever", "retry", "rate_limited", 3),
    ("500-forever", "retry", "server_error", 3),
    ("hang", "retry", "timeout", 3),
    ("drip", "retry", "timeout", 3),
    ("html", "retry", "garbled", 3),
    ("cut-body", "retry", "transport", 3),
    ("oversize", "retry", "oversize", 3),
    ("empty", "retry", "bad_answer", 3),
    ("length", "retry", "bad_answer", 3),
    ("schema", "retry", "bad_answer", 3),
    ("bad-json", "retry", "bad_answer", 3),
    ("lies-number", "retry", "bad_answer", 3),
    ("lies-label", "retry", "bad_answer", 3),
    ("lies-date", "retry", "bad_answer", 3),
    ("lies-limit", "retry", "bad_answer", 3),
    ("lies-sum", "retry", "bad_answer", 3),
    ("lies-link", "retry", "bad_answer", 3),
    ("lies-fact", "retry", "bad_answer", 3),
    ("401", "failed", "bad_key", 1),
    ("404", "failed", "no_model", 1),
    ("quota", "failed", "quota", 1),
    ("redirect", "failed", "redirect", 1),
]


@pytest.mark.parametrize(
    ("behaviour", "status", "reason", "requests"), ENDS, ids=[e[0] for e in ENDS]
)
def test_every_fault_of_the_model_ends_as_the_table_says(
    mission, fake, behaviour, status, reason, requests
):
    run = morning(mission, behaviour)

    assert (run.status, run.reason_code) == (status, reason)
    assert fake.calls(behaviour) == requests
    assert run.exchanges.count() == requests
    assert (run.guidance is not None) == (status == "succeeded")  # nothing is made up
    assert "sk-test" not in run.reason
    if status == "succeeded":
        assert run.guidance["headline"]
    if status == "failed":
        assert LlmAccount.objects.get().status == "bad"
        send_mails()
        assert {m.subject.partition(":")[0] for m in mail.outbox} == {
            "Bay Tour", "Your language model does not accept your key",
        }  # fmt: skip


def test_a_model_that_stays_down_is_tried_four_times_more_and_then_the_day_has_none(mission):
    run = morning(mission, "500-forever")
    waits = []
    now = MORNING
    for _ in range(8):
        if run.status != "retry":
            break
        waits.append(round((run.next_attempt_at - now).total_seconds() / 60))
        now = run.next_attempt_at
        EndpointHealth.objects.all().delete()  # the pause has passed by then
        tick(now)
        work(run, now)
        run.refresh_from_db()

    assert waits == [10, 30, 60, 120]
    assert (run.status, run.guidance) == ("failed", None)
    send_mails(now)
    [letter] = mail.outbox
    assert "no guidance" in letter.subject
    assert "Nothing was made up" in letter.body


def test_words_that_fail_the_checks_get_one_more_try_after_half_an_hour(mission):
    run = morning(mission, "lies-number")
    assert run.next_attempt_at == MORNING + timedelta(minutes=30)

    work(run, run.next_attempt_at)
    run.refresh_from_db()

    assert (run.status, run.reason_code) == ("failed", "bad_answer")
    assert "487" in run.reason


def test_after_the_window_there_is_no_advice_for_the_past(mission):
    run = morning(mission, "500-forever")
    late = run.closes_at + timedelta(minutes=1)
    tick(late)
    run.refresh_from_db()

    assert run.status == "failed"
    assert work(run, late) == "already taken"


def test_an_endpoint_that_keeps_failing_is_left_alone(mission, fake):
    run = morning(mission, "500-forever")
    work(run, run.next_attempt_at)
    before = fake.calls("500-forever")
    run.refresh_from_db()

    work(run, run.next_attempt_at)
    run.refresh_from_db()

    assert before == 5 or before == 6
    assert fake.calls("500-forever") == before
    assert run.reason_code == "paused"


def test_a_missed_morning_is_a_gap_and_is_told_as_one(mission):
    tick(MORNING + days(2))

    runs = MissionRun.objects.filter(kind="daily").order_by("local_date")
    assert [(r.local_date.day, r.status) for r in runs] == [
        (1, "missed"), (2, "missed"), (3, "queued"),
    ]  # fmt: skip
    assert not mail.outbox


def test_without_any_number_the_run_waits_two_hours_and_is_skipped(mission):
    tick()
    run = only_run()
    now, seen = MORNING, []
    while (status := work(run, now)) == "retry":
        seen.append(status)
        run.refresh_from_db()
        now = run.next_attempt_at

    run.refresh_from_db()
    assert (run.status, run.reason_code) == ("skipped_no_data", "no_data")
    assert 4 <= len(seen) <= 7
    assert LlmExchange.objects.count() == 0


def test_a_check_in_wakes_a_skipped_morning(mission, queued):
    tick()
    run = only_run()
    work(run)
    MissionRun.objects.update(status="skipped_no_data")
    check_in(mission, MORNING + timedelta(hours=1))
    run.refresh_from_db()

    assert run.status == "queued"
    assert work(run, MORNING + timedelta(hours=1)) == "succeeded"


def test_a_red_flag_in_the_note_means_no_training_at_all(mission):
    run = morning(mission, note="chest pain on the stairs yesterday")

    assert (run.status, run.reason_code) == ("failed", "red_flag")
    assert "doctor" in run.reason
    assert LlmExchange.objects.count() == 0


def test_low_readiness_forces_a_recovery_day(mission):
    run = morning(mission, readiness=30)

    assert (run.guidance["action"], run.guidance["intensity"]) == ("recover", "low")


def test_facts_are_reused_within_the_hour_and_kept_on_the_row(mission):
    run = morning(mission, "500-forever", readiness=70)
    first = run.facts_at
    LlmAccount.objects.update(model="fake-happy")
    work(run, run.next_attempt_at)
    run.refresh_from_db()

    assert run.status == "succeeded"
    assert run.facts_at == first
    assert {"readiness", "ftp", "days_to_event"} <= {fact["key"] for fact in run.facts}


def test_without_consent_nothing_is_sent(mission):
    check_in(mission, MORNING)
    tick()
    mission_days.withdraw_consent(by=mission.owner, purpose="model", now=MORNING)

    run = only_run()
    assert (run.status, run.reason_code) == ("cancelled", "no_consent")
    assert work(run) == "already taken"
    assert LlmExchange.objects.count() == 0


def test_the_daily_budget_stops_calls(mission, settings):
    settings.LLM_CALLS_PER_DAY = 0
    run = morning(mission)

    assert (run.status, run.reason_code) == ("failed", "budget")
    assert LlmExchange.objects.count() == 0
