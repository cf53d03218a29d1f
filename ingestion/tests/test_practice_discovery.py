"""Looking for practice days on LiveRC: from cache, within the budget, with what fails named."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from ingestion.fake_liverc.people import DEMO
from ingestion.models import Event, FetchLog, PracticeDay, PracticeRun, PracticeSession, StoredPage
from ingestion.services.practice.discovery import request_discovery
from ingestion.tests.practice_days import (
    DAY,
    a_minute_goes_by,
    age_pages,
    do_import,
    sessions_of,
)
from racecontrol.shared import jobs

pytestmark = pytest.mark.django_db
FIRST = DAY - timedelta(days=30)


def ask(user, first=FIRST, last=DAY, **more):
    return request_discovery(track_slug=DEMO, first_day=first, last_day=last, by=user, **more)


def discover(user, **more):
    asked = ask(user, **more)
    jobs.run_now(asked.job)
    asked.run.refresh_from_db()
    return asked.run


def practice_pages(site) -> list[str]:
    return [path for path, n in site.hits.items() for _ in range(n) if "/practice/" in path]


def open_days(site, first=FIRST, last=DAY):
    days = site.world.practice_days(site.world.track(DEMO))
    return [day for day in days if first <= day <= last]


def test_months_then_days_each_asked_for_once(site, user):
    run = discover(user)

    months = {FIRST.strftime("%Y-%m"), DAY.strftime("%Y-%m")}
    asked = [parse_qs(urlsplit(path).query) for path in practice_pages(site)]
    assert {one["d"][0] for one in asked if one["p"] == ["calendar"]} == months
    days = [one["d"][0] for one in asked if one["p"] == ["session_list"]]
    assert sorted(days) == sorted(day.isoformat() for day in open_days(site))
    assert (run.outcome, run.failures) == ("done", [])
    assert run.days == len(days) == PracticeDay.objects.count()
    assert run.sessions == PracticeSession.objects.count()
    assert run.pages_fetched == len(asked)
    assert run.finished_at


def test_what_is_fresh_comes_from_the_cache(site, user):
    discover(user)
    pages = len(practice_pages(site))

    run = discover(user, first=FIRST + timedelta(days=2))

    assert len(practice_pages(site)) == pages
    assert run.pages_fetched == 0
    assert run.pages_from_store == run.days + 2


def test_the_same_question_within_the_hour_is_answered_from_the_book(site, user, other):
    first = ask(user)
    assert ask(other).run == first.run
    jobs.run_now(first.job)

    again = ask(other)
    assert (again.run, again.is_open) == (first.run, False)
    assert PracticeRun.objects.count() == 1

    pages = len(practice_pages(site))
    anew = discover(user, again=True)
    assert anew.pk != first.run.pk
    assert len(practice_pages(site)) == 2 * pages


def test_a_day_that_fails_is_named_and_the_rest_is_there(site, user):
    site.fail(f"session_list&d={DAY}$", "changed", times=None)

    run = discover(user)

    [failure] = run.failures
    assert failure["page"] == str(DAY)
    assert "practice_session_list" in failure["reason"]
    assert run.outcome == "partial"
    unread = PracticeDay.objects.get(event__starts_on=DAY)
    assert (unread.sessions, unread.source_sessions) == (0, len(sessions_of(site)))
    assert PracticeDay.objects.filter(sessions__gt=0).count() == len(open_days(site)) - 1


def test_a_month_that_fails_is_named_and_the_other_is_there(site, user):
    site.fail(f"calendar&d={FIRST:%Y-%m}$", "500", times=None)

    run = discover(user)

    assert [one["page"] for one in run.failures] == [f"calendar of {FIRST:%Y-%m}"]
    assert {day.month for day in Event.objects.values_list("starts_on", flat=True)} == {DAY.month}


def test_nothing_at_all_is_a_failure(site, user):
    site.fail("/practice/", "500", times=None)

    asked = ask(user)
    job = jobs.run_now(asked.job)

    asked.run.refresh_from_db()
    assert (job.state, asked.run.outcome) == ("failed", "failed")
    assert "500" in job.message


@pytest.mark.django_db(transaction=True)
def test_a_spent_minute_pauses_and_nothing_is_asked_for_twice(site, user, settings):
    settings.LIVERC_PER_MINUTE = 4
    asked = ask(user)
    job = jobs.run_now(asked.job)
    assert job.state == "paused"
    assert "spent" in job.message
    some = PracticeSession.objects.count()
    assert some  # partial results are there to be shown

    turns = 0
    while job.state == "paused" and turns < 12:
        age_pages()  # the pause was longer than pages stay fresh
        a_minute_goes_by()
        jobs.run_now(job)
        turns += 1

    asked.run.refresh_from_db()
    assert (job.state, asked.run.outcome) == ("done", "done")
    assert asked.run.limits_met >= 2
    assert len(practice_pages(site)) == len(set(practice_pages(site)))
    assert PracticeSession.objects.count() > some


@pytest.mark.django_db(transaction=True)
def test_a_429_is_honoured(site, user):
    site.fail("session_list", "429", value=60, times=1)

    job = jobs.run_now(ask(user).job)

    assert job.state == "paused"
    assert "asked us to wait" in job.message
    assert FetchLog.objects.filter(status=429).count() == 1


def test_every_page_of_a_long_day_is_read(site, user):
    site.world.rows_per_practice_page = 4

    discover(user, first=DAY, last=DAY)

    said = sessions_of(site)
    assert PracticeSession.objects.count() == len(said) > 8
    days = [path for path in practice_pages(site) if "session_list" in path]
    assert len(days) == -(-len(said) // 4)
    day = PracticeDay.objects.get()
    assert day.total_laps == day.source_total_laps == sum(len(s.counted_ms) for s in said)


def test_a_next_that_leads_nowhere_new_ends(site, user):
    real = site.site.body_of

    def circling(path):
        body = real(path)
        if body and "session_list" in path:
            link = f'<a rel="next" href="/practice/?p=session_list&d={DAY}&page=2">Next</a>'
            return body.replace("</table>", f"</table>{link}", 1)
        return body

    site.site.body_of = circling
    run = discover(user, first=DAY, last=DAY)

    assert run.outcome == "done"
    assert len([path for path in practice_pages(site) if "session_list" in path]) == 2


def test_spellings_of_a_class_and_a_name_are_one(site, user):
    said = sessions_of(site)
    real = site.site.body_of
    name = next(s.driver_name for s in said if s.driver_name != "Unknown Driver")

    def shouted(path):
        body = real(path)
        if body and "session_list" in path:
            return body.replace(name, name.upper(), 1).replace("1/8 ", "1-8 ", 1)
        return body

    site.site.body_of = shouted
    discover(user, first=DAY, last=DAY)

    day = PracticeDay.objects.get()
    assert day.unique_drivers == len({s.driver_name for s in said} - {"Unknown Driver"})
    assert day.unique_classes == len({s.class_name for s in said})


def test_a_day_the_calendar_no_longer_names_is_marked(site, user):
    discover(user)
    gone = Event.objects.get(starts_on=DAY)
    for session in sessions_of(site):
        site.change(op="remove_session", session_id=session.id)

    discover(user, again=True)

    gone.refresh_from_db()
    assert gone.missing_since
    for session in PracticeSession.objects.filter(event=gone):
        site.change(op="restore_session", session_id=int(session.source_session_id))
    discover(user, again=True)
    gone.refresh_from_db()
    assert gone.missing_since is None


def test_discovery_of_an_imported_day_sees_its_drift(site, user):
    do_import()
    site.change(op="add_session", session_id=sessions_of(site)[0].id)
    StoredPage.objects.all().delete()

    discover(user, first=DAY, last=DAY)

    assert PracticeDay.objects.get().has_drift is True
