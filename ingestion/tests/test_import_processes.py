"""Imports by processes of their own: killed in the middle, and two that share one budget."""

import os
import signal
from datetime import timedelta

import pytest

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Event, FetchLog, Lap, Race, RaceResult
from ingestion.services import imports
from racecontrol.shared import jobs
from racecontrol.testing import workers
from racecontrol.testing.running import until

EVENT = str(DEMO_EVENT_ID)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ASK = """
import sys
from ingestion.liverc.client import url_of
from ingestion.services.fetching import BudgetExhausted, fetch_page
from racecontrol.shared.errors import NotFound
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    try:
        fetch_page(url_of("canberra", f"/results/?p=view_event&id={sys.argv[1]}{number:03}"),
                   kind="event", budget="canberra")
    except NotFound:
        continue
    except BudgetExhausted as spent:
        print("stopped, a day" if spent.is_daily else "stopped, a minute", flush=True)
        break
"""


def imported() -> dict[int, tuple]:
    """Races that are here, with the rows that hang on them."""
    done = Race.objects.filter(state=Race.State.IMPORTED)
    return {
        race.pk: (
            race.updated_at,
            list(race.results.order_by("pk").values_list("pk", "updated_at")),
            Lap.objects.filter(result__race=race).count(),
        )
        for race in done
    }


def test_a_killed_worker_loses_nothing_and_the_import_goes_on(site, user):
    site.fail("view_race_result", "slow", value=0.3, times=None)
    job = imports.request_import(source_event_id=EVENT, by=user, track_slug=DEMO)

    first = workers.start(workers.RUN, job.pk)
    try:
        until(lambda: len(imported()) >= 3, "some races are here")
        os.kill(first.pid, signal.SIGKILL)
    finally:
        workers.end(first)
    before, asked = imported(), dict(site.hits)

    job.refresh_from_db()
    assert job.state == jobs.Job.State.RUNNING
    assert 3 <= len(before) < Race.objects.count()
    assert Event.objects.get().state == Event.State.PARTIAL

    site.faults.clear()
    until(lambda: jobs.revive(overdue=timedelta()), "its lock died with it")
    second = workers.start(workers.RUN, job.pk)
    try:
        said, _ = second.communicate(timeout=120)
    finally:
        workers.end(second)

    job.refresh_from_db()
    assert job.state == jobs.Job.State.DONE, said
    assert job.result["failed"] == []
    assert Event.objects.get().state == Event.State.IMPORTED
    after = imported()
    assert len(after) == Race.objects.count()
    assert {pk: after[pk] for pk in before} == before
    twice = [path for path, count in site.hits.items() if "race_result" in path and count > 1]
    assert len(twice) <= 1  # at most the page that was under way
    assert sum("race_result" in path for path in asked) < sum(
        "race_result" in path for path in site.hits
    )
    meeting = site.world.meeting(site.world.track(DEMO), DEMO_EVENT_ID)
    assert RaceResult.objects.count() == sum(len(race.runs) for race in meeting.races)


@pytest.mark.parametrize(
    ("limit", "word"), [("LIVERC_PER_MINUTE", "a minute"), ("LIVERC_PER_DAY", "a day")]
)
def test_two_processes_never_ask_more_than_the_budget_together(site, settings, limit, word):
    setattr(settings, limit, 15)
    site.fail(".", "slow", value=0.05, times=None)  # so that they are at it together
    askers = [workers.start(ASK, number) for number in (1, 2)]
    try:
        for asker in askers:
            assert asker.stdout.readline() == "ready\n"
        for asker in askers:
            asker.stdin.write("go\n")
            asker.stdin.flush()
        said = [asker.communicate(timeout=120)[0] for asker in askers]
    finally:
        workers.end(*askers)

    assert said == [f"stopped, {word}\n"] * 2
    assert FetchLog.objects.filter(budget="canberra").count() == 15
    assert sum(site.hits.values()) == 15
