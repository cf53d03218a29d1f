"""What operators see: health, metrics, the ops page, the daily mail."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils.timezone import now
from django_q.models import Schedule
from waffle.models import Flag

from racecontrol import operations
from racecontrol.models import Job
from racecontrol.schedules import CRON
from racecontrol.shared import flags, jobs

pytestmark = pytest.mark.django_db


def test_probes_answer_strangers(stranger):
    assert stranger.get("/health/live").json() == {"status": "ok"}
    assert stranger.get("/health/ready").json() == {"status": "ok"}


def test_not_ready_while_migrations_are_missing(stranger):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="waffle").order_by("-id")[:1].get().delete()

    assert stranger.get("/health/ready").status_code == 503


def test_metrics_are_for_staff_or_the_scraper(stranger, client, staff, settings):
    settings.METRICS_TOKEN = "scrape-me"
    jobs.enqueue("racecontrol.tests.work.count", 1)

    assert stranger.get("/metrics").status_code == 403
    assert client.get("/metrics").status_code == 403
    assert stranger.get("/metrics", HTTP_AUTHORIZATION="Bearer wrong").status_code == 403
    shown = stranger.get("/metrics", HTTP_AUTHORIZATION="Bearer scrape-me").text
    assert 'racecontrol_jobs{state="queued"} 1.0' in shown
    assert "racecontrol_oldest_job_wait_seconds" in shown


def test_a_source_named_twice_is_one_sample(staff, client, monkeypatch):
    """Prometheus refuses a whole scrape that says the same series twice."""
    monkeypatch.setattr(
        operations,
        "budgets",
        lambda: [{"source": "redgum", "left_today": 7}, {"source": "redgum", "left_today": 0}],
    )
    client.force_login(staff)

    shown = client.get("/metrics").text.splitlines()

    said = [line for line in shown if line.startswith("racecontrol_fetch_budget_left{")]
    assert said == ['racecontrol_fetch_budget_left{source="redgum"} 0.0']


def test_no_scrape_token_set_means_no_empty_one_fits(stranger, settings):
    settings.METRICS_TOKEN = ""

    assert stranger.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 403


def test_staff_are_told_about_what_failed(staff, mailoutbox):
    assert operations.daily_check() == "all is well"
    assert mailoutbox == []

    jobs.run_now(jobs.enqueue("racecontrol.tests.work.refuse", title="Import Saturday"))
    stale = jobs.enqueue("racecontrol.tests.work.count", 1, title="Lies there")
    Job.objects.filter(pk=stale.pk).update(run_at=now() - timedelta(hours=7))
    operations.daily_check()

    [mail] = mailoutbox
    assert mail.to == [staff.email]
    assert "Import Saturday – The track has no results yet." in mail.body
    assert "Lies there" in mail.body


def test_the_database_is_made_to_match_the_code_and_keeps_what_people_chose():
    Schedule.objects.create(name="old", func="gone.task")

    call_command("sync_setup", verbosity=0)
    Flag.objects.filter(name=flags.RUN_PLANS_V1).update(everyone=True)
    Schedule.objects.filter(name="racecontrol.tasks.prune").update(
        next_run=now() + timedelta(days=3)
    )
    call_command("sync_setup", verbosity=0)

    assert set(Schedule.objects.values_list("name", flat=True)) == set(CRON)
    assert set(Flag.objects.values_list("name", flat=True)) == set(flags.ALL)
    assert Flag.objects.get(name=flags.RUN_PLANS_V1).everyone
    assert Schedule.objects.get(name="racecontrol.tasks.prune").next_run > now() + timedelta(days=2)


@pytest.mark.parametrize("is_superuser", [False, True])
def test_flags_start_switched_off(rf, user, is_superuser):
    call_command("sync_setup", verbosity=0)
    user.is_superuser = is_superuser
    request = rf.get("/")
    request.user = user

    assert [name for name in flags.ALL if flags.is_on(request, name)] == []


def test_a_flag_can_be_on_for_one_person_and_its_use_is_logged(rf, user, other, caplog):
    import structlog

    call_command("sync_setup", verbosity=0)
    Flag.objects.get(name=flags.RUN_PLANS_V1).users.add(user)

    def asks(person):
        request = rf.get("/")
        request.user = person
        return flags.is_on(request, flags.RUN_PLANS_V1)

    with structlog.testing.capture_logs() as logs:
        assert asks(user)
        assert not asks(other)

    assert logs == [
        {"event": "flag_used", "flag": "RUN_PLANS_V1", "user_id": user.pk, "log_level": "info"}
    ]


def test_the_demo_can_be_loaded_twice_and_never_in_production(settings):
    from django.core.management.base import CommandError

    settings.DEMO_LOADERS = []
    call_command("sync_setup", verbosity=0)
    call_command("load_demo", verbosity=0)
    Flag.objects.update(everyone=False)
    call_command("load_demo", verbosity=0)

    assert not Flag.objects.filter(everyone=True).exists()
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="known password"):
        call_command("load_demo")
