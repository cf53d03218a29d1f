"""Staff keep practice days: archive and restore, failed sessions again, who drove; by admin and command."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ingestion.demo import load_practice_demo
from ingestion.models import Event, PracticeDay, PracticeSession, RaceResult
from ingestion.queries.practice import practice_days
from ingestion.services.practice.archive import months_before, old_days
from ingestion.tests.builders import make_driver
from ingestion.tests.practice_builders import make_practice_day, make_practice_session
from ingestion.tests.practice_days import DAY_ID
from racecontrol.models import AuditEvent, Job
from racecontrol.shared.errors import InvalidInput, NotReady

pytestmark = pytest.mark.django_db
ADMIN = "/admin/ingestion"
PAGES = ("practiceday", "practicesession", "practicerun", "practicedrift", "practicealert")


def act(boss, page, action, *rows, **more):
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    every = "?archive=all" if page == "practiceday" else ""
    return boss.post(f"{ADMIN}/{page}/{every}", data, follow=True)


@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_for_staff_and_for_nobody_else(page, boss, other):
    make_practice_session(make_practice_day(), [30_000])

    assert boss.get(f"{ADMIN}/{page}/").status_code == 200
    boss.force_login(other)
    assert boss.get(f"{ADMIN}/{page}/").status_code in (302, 403)


def test_a_day_is_archived_and_brought_back(boss, staff):
    day = make_practice_day().practice_day

    assert "1 archived" in act(boss, "practiceday", "put_away", day).text
    day.refresh_from_db()
    assert day.archived_by == staff
    assert not practice_days().exists()
    assert practice_days(include_archived=True).count() == 1
    assert day.event.name not in boss.get(f"{ADMIN}/practiceday/").text
    assert day.event.name in boss.get(f"{ADMIN}/practiceday/?archive=archived").text
    assert "archived already" in act(boss, "practiceday", "put_away", day).text

    assert "1 restored" in act(boss, "practiceday", "bring_back", day).text
    assert practice_days().exists()
    assert "not archived" in act(boss, "practiceday", "bring_back", day).text
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert verbs == {"practice_day.archived", "practice_day.restored"}


def test_a_day_is_refreshed_from_the_list(boss, queued):
    day = make_practice_day()

    act(boss, "practiceday", "refresh", day)

    assert queued() == [("ingestion.tasks.run_import_practice_day", (day.source_event_id, True))]


def test_failed_sessions_are_found_and_fetched_again(boss, queued):
    day = make_practice_day()
    bad = make_practice_session(day, failure="It is not a page.", driver_name="Bad Luck")
    make_practice_session(day, [30_000], driver_name="Good Luck")

    shown = boss.get(f"{ADMIN}/practicesession/?look=failed").text
    assert "Bad Luck" in shown
    assert "Good Luck" not in shown
    act(boss, "practicesession", "fetch_again", bad)

    assert queued() == [("ingestion.tasks.run_retry_practice_session", (bad.pk,))]


def test_who_drove_is_said_in_the_admin(boss, staff):
    session = make_practice_session(make_practice_day(), [30_000], match_confidence="low")
    ada, url = make_driver("ADA BYRON"), f"{ADMIN}/practicesession/{session.pk}/change/"
    assert session.driver_name in boss.get(f"{ADMIN}/practicesession/?look=who").text

    assert boss.get(url).status_code == 200
    boss.post(url, {"driver_number": ada.pk})

    assert RaceResult.objects.get(race=session.race).driver == ada
    trail = AuditEvent.objects.get(verb="practice_session.driver_set")
    assert trail.by == staff
    boss.post(url, {"driver_number": ada.pk})  # nothing new is said
    assert AuditEvent.objects.filter(verb="practice_session.driver_set").count() == 1
    assert "no such driver" in boss.post(url, {"driver_number": 10**9}, follow=True).text
    boss.post(url, {"driver_number": ""})
    assert RaceResult.objects.get(race=session.race).driver.is_unknown


# -- the commands


def run(*args, **options) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_old_days_are_archived_by_command_and_brought_back():
    old = make_practice_day(day=date(2020, 1, 4))
    make_practice_day(day=date(2099, 1, 4))

    assert "1 practice days would be archived" in run("archive_practice_days", "--dry-run")
    assert practice_days().count() == 2
    assert old.name in run("archive_practice_days", "--months", "12")
    assert [day.starts_on.year for day in practice_days()] == [2099]
    assert "0 practice days archived" in run("archive_practice_days")
    run("archive_practice_days", "--restore", old.source_event_id)
    assert practice_days().count() == 2
    for wrong in (["--months", "0"], ["--restore", "x"], ["--restore", old.source_event_id]):
        with pytest.raises(CommandError):
            run("archive_practice_days", *wrong)


def test_months_count_back_over_the_end_of_shorter_ones():
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2026, 1, 15), 12) == date(2025, 1, 15)
    assert months_before(date(2026, 1, 31), 2) == date(2025, 11, 30)


def test_the_age_is_the_settings(settings):
    make_practice_day(day=date(2026, 1, 31))
    settings.PRACTICE_ARCHIVE_MONTHS = 2

    assert old_days(today=date(2026, 3, 31)) == []
    assert len(old_days(today=date(2026, 4, 1))) == 1
    with pytest.raises(InvalidInput):
        old_days(months=0)


def test_a_day_is_imported_by_command(site):
    said = run("import_practice_day", DAY_ID)

    assert "writing" in said
    assert "0 failed" in said
    assert Event.objects.get().state == "imported"
    with pytest.raises(CommandError, match="not a practice day"):
        run("import_practice_day", "nonsense")


def test_the_demo_brings_one_practice_day_through_the_pipeline(site, staff, run_jobs):
    load_practice_demo(by=staff)
    load_practice_demo(by=staff)
    assert Job.objects.count() == 1
    run_jobs()
    load_practice_demo(by=staff)

    assert not Job.objects.filter(state="queued").exists()
    assert PracticeDay.objects.get().event.source_event_id == DAY_ID
    assert PracticeSession.objects.exclude(race__state="imported").count() == 0


def test_the_demo_never_goes_to_the_real_site(settings, staff):
    settings.LIVERC_URL_TEMPLATE = "https://{track}.liverc.com"
    with pytest.raises(NotReady):
        load_practice_demo(by=staff)
