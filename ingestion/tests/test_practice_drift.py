"""Days that change after their import: noticed by the clock, flagged, followed up, told when late."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db.models import ProtectedError
from django.utils.timezone import now
from waffle.models import Flag

from ingestion import tasks
from ingestion.fake_liverc.people import DEMO
from ingestion.models import (
    Event,
    PracticeAlert,
    PracticeDay,
    PracticeDrift,
    PracticeRun,
    PracticeSession,
    Race,
    RaceResult,
)
from ingestion.queries.practice import figures_of
from ingestion.services.practice import alerts
from ingestion.services.practice.archive import archive_day
from ingestion.services.practice.rereading import sessions_per_look
from ingestion.tests.builders import make_track
from ingestion.tests.practice_builders import make_practice_day
from ingestion.tests.practice_days import DAY, DAY_ID, do_import, session_pages, sessions_of
from racecontrol.models import Job
from racecontrol.shared import flags, jobs

pytestmark = pytest.mark.django_db
EVENING = f"{DAY}T12:00:00Z"
NEXT_DAY = f"{DAY + timedelta(days=1)}T20:00:00Z"


@pytest.fixture
def imported(site, practice_on):
    """The day as imported on its evening; the clock stands a day and a bit later."""
    with time_machine.travel(EVENING, tick=True):
        do_import()
    with time_machine.travel(NEXT_DAY, tick=True):
        yield site


def test_the_clock_notices_flags_and_follows_up(imported, queued, run_jobs):
    said = sessions_of(imported)
    imported.change(op="add_session", session_id=said[0].id)
    imported.change(op="remove_session", session_id=said[1].id)
    longer = next(one for one in said[2:] if one.is_valid(one.laps_ms[-1] + 900))
    imported.change(op="edit_session", session_id=longer.id, add_ms=900)

    assert tasks.check_practice_drift() == {"days": 1}
    jobs.run_now(Job.objects.get(func__endswith="run_check_practice_day"))

    drift = PracticeDrift.objects.get()
    assert (drift.new, drift.removed, drift.changed) == (1, 1, 1)
    assert drift.session_ids["removed"] == [str(said[1].id)]
    assert PracticeDay.objects.get().has_drift is True
    event = Event.objects.get()
    assert event.drifted_at
    assert [func for func, _ in queued()][-1] == "ingestion.tasks.run_import_practice_day"

    run_jobs()

    drift.refresh_from_db()
    assert drift.settled_at
    assert PracticeDay.objects.get().has_drift is False
    standing = Race.objects.filter(missing_since=None, state="imported")
    assert standing.count() == len(sessions_of(imported))
    assert PracticeSession.objects.exclude(missing_since=None).count() == 1


def other_inside(site, session_id) -> None:
    """The session's page says another consistency from now on; its row in the overview does not."""
    real = site.site.body_of

    def changed(path):
        body = real(path)
        if body and path.endswith(f"view_session&id={session_id}"):
            return re.sub(r"Consistency: [^<]*", "Consistency: 11.11%", body)
        return body

    site.site.body_of = changed


def consistency(session_id):
    return float(RaceResult.objects.get(race__source_race_id=session_id).consistency_pct)


@pytest.mark.parametrize("how", ["by the clock", "by a person"])
def test_a_change_inside_a_session_page_is_noticed(imported, settings, run_jobs, how):
    settings.PRACTICE_DRIFT_SESSIONS = 100
    said = sessions_of(imported)[3]
    other_inside(imported, said.id)

    if how == "by the clock":
        tasks.check_practice_drift()
        jobs.run_now(Job.objects.get(func__endswith="run_check_practice_day"))
        assert PracticeDay.objects.get().has_drift is True
        run_jobs()
    else:
        do_import(refresh=True)

    drift = PracticeDrift.objects.get()
    assert (drift.new, drift.removed, drift.changed) == (0, 0, 1)
    assert drift.session_ids["changed"] == [str(said.id)]
    assert drift.settled_at
    assert consistency(said.id) == 11.11
    assert (PracticeDay.objects.get().has_drift, Event.objects.get().state) == (False, "imported")


def test_looks_go_round_all_sessions_a_few_at_a_time(imported, settings, run_jobs):
    settings.PRACTICE_DRIFT_SESSIONS = some = len(sessions_of(imported)) // 2 + 1
    settings.LIVERC_PER_DAY = 2 * 4 * (1 + some)
    last = sessions_of(imported)[-1]
    other_inside(imported, last.id)
    pages, found = session_pages(imported), []

    for hours in (0, 7):
        with time_machine.travel(now() + timedelta(hours=hours)):
            tasks.check_practice_drift()
            jobs.run_now(
                Job.objects.filter(func__endswith="run_check_practice_day").latest("created_at")
            )
            found.append(PracticeDrift.objects.count())

    assert session_pages(imported) == pages + 2 * some
    assert found == [0, 1]


def test_the_first_round_over_a_day_is_quick_and_later_ones_are_not(imported, settings):
    settings.LIVERC_PER_MINUTE = 1000
    settings.LIVERC_PER_DAY = (
        2 * 4 * (1 + 10)
    )  # half of it: four looks, each one overview, 10 pages
    sessions, taken = len(sessions_of(imported)), []
    assert sessions > 10

    for day in range(-(-sessions // 10) + 1):
        pages = session_pages(imported)
        with time_machine.travel(now() + timedelta(days=day)):
            tasks.check_practice_drift()
            jobs.run_now(Job.objects.filter(state="queued").latest("created_at"))
        taken.append(session_pages(imported) - pages)

    assert taken[0] == 10
    assert sum(taken[:-1]) >= sessions
    assert taken[-1] == settings.PRACTICE_DRIFT_SESSIONS


def test_young_days_of_a_track_share_what_looks_may_ask(imported, settings):
    event = Event.objects.get(source_event_id=DAY_ID)
    settings.LIVERC_PER_DAY = 2 * 4 * 8
    assert sessions_per_look(event) == 7

    make_practice_day(track=event.track, day=DAY - timedelta(days=1), last_ingested_at=now())
    assert sessions_per_look(event) == 3

    settings.PRACTICE_DRIFT_SESSIONS = 0
    assert sessions_per_look(event) == 0


def test_a_page_read_a_moment_ago_is_not_asked_for_again(imported):
    pages, sessions = session_pages(imported), len(sessions_of(imported))
    do_import(refresh=True)
    assert session_pages(imported) == pages + min(20, sessions)

    do_import(refresh=True)

    assert session_pages(imported) == pages + sessions


def test_a_look_leaves_half_of_the_days_requests_to_people(imported, settings, run_jobs):
    settings.LIVERC_PER_DAY = 4  # the overview is the first request of this day
    settings.PRACTICE_DRIFT_SESSIONS = 100
    pages = session_pages(imported)

    tasks.check_practice_drift()
    run_jobs()

    assert session_pages(imported) == pages + 1
    assert PracticeRun.objects.filter(kind="check", outcome="done").count() == 1


def test_a_session_that_cannot_be_read_again_stays_as_it_was(imported, settings):
    bad = sessions_of(imported)[0]
    imported.fail(f"view_session&id={bad.id}$", "500", times=3)
    settings.PRACTICE_REFRESH_SESSIONS = 1

    do_import(refresh=True)

    session = PracticeSession.objects.get(source_session_id=bad.id)
    assert (session.failure, session.attempts) == ("", 2)
    assert Event.objects.get().state == "imported"
    assert PracticeRun.objects.filter(outcome="partial").count() == 0


def test_an_overview_that_says_other_figures_of_the_same_sessions_is_noted(imported, settings):
    settings.PRACTICE_REFRESH_SESSIONS = 0
    real = imported.site.body_of

    def recounted(path):
        body = real(path)
        return body and re.sub(r"(Total Laps</th>\s*<td>)\d+", r"\g<1>9999", body)

    imported.site.body_of = recounted
    pages = session_pages(imported)

    do_import(refresh=True)

    drift, day = PracticeDrift.objects.get(), PracticeDay.objects.get()
    assert (drift.new, drift.removed, drift.changed) == (0, 0, 0)
    assert drift.settled_at == drift.found_at
    assert day.source_total_laps == 9999
    assert [one.name for one in figures_of(day) if one.differs] == ["total_laps"]
    assert session_pages(imported) == pages
    assert alerts.evaluate() == []


def test_a_day_that_is_the_same_is_only_looked_at(imported, run_jobs):
    before = PracticeDay.objects.get().checked_at

    tasks.check_practice_drift()
    run_jobs()

    assert PracticeDay.objects.get().checked_at > before
    assert PracticeDrift.objects.count() == 0
    assert PracticeRun.objects.filter(kind="check", outcome="done").count() == 1
    assert tasks.check_practice_drift() == {"days": 0}  # not again so soon


def test_old_archived_and_never_imported_days_are_left_alone(imported):
    make_practice_day(track=make_track("elsewhere"), day=DAY, last_ingested_at=None)
    assert tasks.check_practice_drift() == {"days": 1}

    with time_machine.travel(now() + timedelta(days=8)):
        assert tasks.check_practice_drift() == {"days": 0}
    archive_day(event_id=Event.objects.get(source_event_id=DAY_ID).pk)
    assert tasks.check_practice_drift() == {"days": 0}


def test_nothing_is_asked_while_nobody_has_practice_days(imported, user):
    flag = Flag.objects.get(name=flags.ENABLE_PRACTICE_DAYS)
    flag.everyone = False
    flag.save()
    assert tasks.check_practice_drift() == {"days": 0}
    assert Job.objects.filter(func__endswith="run_check_practice_day").count() == 0


def test_a_flag_nobody_was_chosen_for_is_on_for_nobody(db):
    Flag.objects.create(name=flags.ENABLE_PRACTICE_DAYS, superusers=False)
    assert flags.is_on_for_anybody(flags.ENABLE_PRACTICE_DAYS) is False


def test_somebody_chosen_counts(user):
    Flag.objects.create(name=flags.ENABLE_PRACTICE_DAYS, superusers=False).users.add(user)
    assert flags.is_on_for_anybody(flags.ENABLE_PRACTICE_DAYS) is True


# -- alerts


def runs(kind, *, good, bad, outcome="failed", hours_ago=1):
    track = make_track(DEMO)
    ended = now() - timedelta(hours=hours_ago)
    PracticeRun.objects.bulk_create(
        PracticeRun(
            kind=kind, track=track, first_day=DAY, last_day=DAY, started_at=ended,
            finished_at=ended, outcome="done" if n < good else outcome,
        )
        for n in range(good + bad)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "good", "bad", "firing"),
    [
        pytest.param("discovery", 9, 1, [], id="ten per cent are allowed"),
        pytest.param("discovery", 8, 2, ["discovery_failures"], id="more are not"),
        pytest.param("import", 19, 1, [], id="five per cent are allowed"),
        pytest.param("import", 18, 1, ["import_failures"], id="more are not, of imports"),
        pytest.param("check", 0, 9, [], id="looks are not counted"),
        pytest.param("import", 1, 1, [], id="two runs are no rate"),
    ],
)
def test_rates_of_failure(kind, good, bad, firing):
    runs(kind, good=good, bad=bad)

    assert alerts.evaluate() == firing


def test_partly_done_is_not_done_and_yesterday_is_forgotten():
    runs("import", good=3, bad=3, outcome="partial")
    assert alerts.evaluate() == ["import_failures"]

    with time_machine.travel(now() + timedelta(hours=24)):
        assert alerts.evaluate() == []


def test_an_alert_is_mailed_when_it_starts_each_day_and_when_it_ends(
    staff, mailoutbox, django_capture_on_commit_callbacks
):
    def look(at):
        with time_machine.travel(at), django_capture_on_commit_callbacks(execute=True):
            alerts.evaluate()
        return [mail.subject for mail in mailoutbox]

    start = now()
    runs("discovery", good=0, bad=5)
    first = look(start)
    assert first == ["[Race Control] Practice days: discoveries fail"]
    assert mailoutbox[0].to == [staff.email]
    assert "5 of 5 in 24 hours failed; 10% are allowed." in mailoutbox[0].body

    assert look(start + timedelta(minutes=15)) == first
    runs("discovery", good=0, bad=5, hours_ago=-23)
    assert look(start + timedelta(hours=24, minutes=1))[-1].endswith("fail, still")
    assert len(mailoutbox) == 2
    assert look(start + timedelta(hours=60))[-1].endswith("it is over")
    assert len(look(start + timedelta(hours=61))) == 3
    assert PracticeAlert.objects.get(rule="discovery_failures").is_firing is False


@pytest.mark.parametrize(("hours", "firing"), [(24, []), (25, ["late_drift"])])
def test_a_change_long_after_the_import_is_told(hours, firing):
    day, found = make_practice_day(), now()
    PracticeDrift.objects.create(
        event=day, found_at=found, ingested_at=found - timedelta(hours=hours), new=2
    )

    assert alerts.evaluate() == firing
    says = PracticeAlert.objects.get(rule="late_drift").says
    assert (day.name in says) == bool(firing)


def test_a_run_whose_job_was_given_up_has_failed():
    job = Job.objects.create(title="x", func="x", state="dead", message="Given up.")
    runs("import", good=0, bad=1)
    PracticeRun.objects.update(outcome="running", finished_at=None, job=job)

    tasks.watch_practice()

    run = PracticeRun.objects.get()
    assert (run.outcome, run.failures[0]["reason"]) == ("failed", "Given up.")


@pytest.mark.parametrize(("hours", "outcome"), [(23, "running"), (25, "failed")])
def test_a_command_that_was_killed_has_failed_a_day_later(hours, outcome):
    runs("import", good=0, bad=1, hours_ago=hours)
    PracticeRun.objects.update(outcome="running", finished_at=None)

    tasks.watch_practice()

    assert PracticeRun.objects.get().outcome == outcome


def test_a_cancelled_run_says_nothing_of_liverc():
    job = Job.objects.create(title="x", func="x", state="cancelled")
    runs("import", good=0, bad=1)
    PracticeRun.objects.update(outcome="running", finished_at=None, job=job)

    tasks.watch_practice()

    assert PracticeRun.objects.count() == 0


def test_metrics_tell_of_runs_pages_requests_and_drift(site, staff, client, user):
    site.fail("view_session", "500", times=1)
    do_import()
    client.force_login(staff)

    shown = client.get("/metrics").text

    sessions = len(sessions_of(site))
    assert 'racecontrol_practice_runs_total{kind="import",outcome="done"} 1.0' in shown
    assert (
        f'racecontrol_practice_pages_total{{from="liverc",kind="import"}} {sessions + 1}.0' in shown
    )
    assert 'racecontrol_practice_run_seconds_count{kind="import"} 1.0' in shown
    assert 'racecontrol_practice_requests_day{result="failed"} 1.0' in shown
    assert f'racecontrol_practice_requests_day{{result="ok"}} {sessions + 1}.0' in shown
    assert "racecontrol_practice_drift_total 0.0" in shown


def counters(client) -> dict[str, str]:
    lines = client.get("/metrics").text.splitlines()
    told = (line.rpartition(" ") for line in lines if line.startswith("racecontrol_practice_"))
    return {
        name: value for name, _, value in told if not re.search("_day|_days|_open|_alert", name)
    }


def test_old_runs_are_forgotten_and_the_counters_stay(staff, client):
    runs("import", good=2, bad=1, hours_ago=24 * 91)
    runs("discovery", good=1, bad=0, hours_ago=24 * 91)
    PracticeRun.objects.update(
        pages_from_store=3, pages_fetched=4, limits_met=1, started_at=now() - timedelta(days=92)
    )
    runs("import", good=1, bad=1)
    runs("check", good=0, bad=1, hours_ago=24 * 91, outcome="running")
    PracticeRun.objects.filter(outcome="running").update(finished_at=None)
    client.force_login(staff)
    before = counters(client)
    assert before['racecontrol_practice_runs_total{kind="import",outcome="done"}'] == "3.0"
    assert before['racecontrol_practice_pages_total{from="liverc",kind="import"}'] == "12.0"
    assert 'racecontrol_practice_runs_total{kind="check",outcome="running"}' not in before

    assert tasks.prune_practice_runs() == {"runs": 4}
    assert tasks.prune_practice_runs() == {"runs": 0}

    assert PracticeRun.objects.count() == 3
    assert counters(client) == before
    with time_machine.travel(now() + timedelta(days=91)):
        client.force_login(staff)
        assert tasks.prune_practice_runs() == {"runs": 2}
        assert counters(client) == before


def test_a_track_takes_no_run_along_that_is_counted(staff, client):
    runs("import", good=2, bad=0, hours_ago=24 * 91)
    track = PracticeRun.objects.first().track
    client.force_login(staff)
    before = counters(client)

    with pytest.raises(ProtectedError, match="PracticeRun"):
        track.delete()
    assert client.post(f"/admin/ingestion/track/{track.pk}/delete/").status_code == 403
    assert counters(client) == before

    tasks.prune_practice_runs()
    track.delete()
    assert counters(client) == before


def test_pages_of_a_cancelled_run_stay_counted(staff, client):
    job = Job.objects.create(title="x", func="x", state="cancelled")
    runs("import", good=0, bad=1)
    PracticeRun.objects.update(outcome="running", finished_at=None, job=job, pages_fetched=7)
    client.force_login(staff)

    tasks.watch_practice()

    told = counters(client)
    assert told['racecontrol_practice_pages_total{from="liverc",kind="import"}'] == "7.0"
    assert alerts.evaluate() == []
