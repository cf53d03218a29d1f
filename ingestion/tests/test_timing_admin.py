"""Staff look at timing data and mend it: always through a service, always with a trail."""

import zlib
from datetime import timedelta

import pytest
from django.utils.timezone import now

from ingestion.models import DriverTransponder, FetchLog, HostBlock, RaceResult, StoredPage
from ingestion.services import drivers as services
from ingestion.services import imports
from ingestion.services.people import driver_ids_for
from ingestion.tests.builders import make_driver, make_race, make_result
from racecontrol.models import AuditEvent, Job
from racecontrol.shared.errors import InvalidInput, NotReady

pytestmark = pytest.mark.django_db

ADMIN = "/admin/ingestion"
PAGES = ("track", "event", "race", "driver", "storedpage", "fetchlog", "hostblock", "importjob")


@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_for_staff_and_for_nobody_else(page, boss, other):
    make_result(make_race(), [31_000])

    assert boss.get(f"{ADMIN}/{page}/?q=1").status_code == 200
    boss.force_login(other)
    assert boss.get(f"{ADMIN}/{page}/").status_code in (302, 403)


def test_a_session_type_is_said_in_the_admin_and_leaves_a_trail(boss):
    race = make_race()
    url = f"{ADMIN}/race/{race.pk}/change/"

    answer = boss.post(url, {"session_type_override": "practice"})

    assert answer.status_code == 302
    race.refresh_from_db()
    assert race.session_type_override == race.kind == "practice"
    assert AuditEvent.objects.get(verb="race.session_type_set").object_id == str(race.pk)
    assert "/timing/review/" in boss.get(f"{ADMIN}/race/?review=said").text


def test_a_zone_that_is_none_is_refused_in_the_admin(boss):
    track = make_race().event.track

    answer = boss.post(
        f"{ADMIN}/track/{track.pk}/change/", {"timezone": "Mars/Olympus"}, follow=True
    )

    assert "is not a time zone" in answer.text
    track.refresh_from_db()
    assert track.timezone == "Australia/Sydney"


def test_merged_drivers_are_one_until_they_are_split(staff):
    one, two = make_driver("JO SMITH"), make_driver("JOE SMITH")
    mine = make_result(make_race(), [31_000], driver=one)
    theirs = make_result(make_race(), [30_000], driver=two)
    DriverTransponder.objects.create(driver=one, number="123")

    services.merge_drivers(driver_id=one.pk, into_id=two.pk, by=staff)

    assert set(RaceResult.objects.filter(driver=two)) == {mine, theirs}
    assert driver_ids_for([(one.source_driver_id, "JO SMITH")]) == [two.pk]
    assert two.aliases.get().name == "JO SMITH"
    assert two.transponders.get().number == "123"

    since = make_result(make_race(), [29_000], driver=two, source_driver_id=one.source_driver_id)
    services.split_driver(driver_id=one.pk, by=staff)

    assert set(RaceResult.objects.filter(driver=one)) == {mine, since}
    assert set(RaceResult.objects.filter(driver=two)) == {theirs}
    assert driver_ids_for([(one.source_driver_id, "JO SMITH")]) == [one.pk]
    assert (two.aliases.count(), one.transponders.get().number) == (0, "123")
    verbs = AuditEvent.objects.filter(object_id=str(one.pk)).values_list("verb", flat=True)
    assert set(verbs) == {"driver.merged", "driver.split"}


def test_a_driver_without_an_id_gets_back_what_the_merge_brought(staff):
    nameless = make_driver("CARLA", source_driver_id=None)
    known = make_driver("CARLA")
    brought = make_result(make_race(), [31_000], driver=nameless)
    own = make_result(make_race(), [31_000], driver=known)

    services.merge_drivers(driver_id=nameless.pk, into_id=known.pk, by=staff)
    services.split_driver(driver_id=nameless.pk, by=staff)

    assert list(RaceResult.objects.filter(driver=nameless)) == [brought]
    assert list(RaceResult.objects.filter(driver=known)) == [own]


def test_two_who_raced_each_other_are_not_merged(staff):
    race = make_race()
    one, two = (make_result(race, [31_000], position=n).driver for n in (1, 2))

    with pytest.raises(NotReady, match="two people"):
        services.merge_drivers(driver_id=one.pk, into_id=two.pk, by=staff)
    with pytest.raises(InvalidInput):
        services.merge_drivers(driver_id=one.pk, into_id=one.pk, by=staff)
    with pytest.raises(NotReady, match="not merged"):
        services.split_driver(driver_id=one.pk, by=staff)

    assert not AuditEvent.objects.exists()


def test_a_merge_of_a_merged_driver_is_refused(staff):
    one, two, three = make_driver(), make_driver(), make_driver()
    services.merge_drivers(driver_id=one.pk, into_id=two.pk, by=staff)

    with pytest.raises(NotReady, match="already"):
        services.merge_drivers(driver_id=one.pk, into_id=three.pk, by=staff)
    with pytest.raises(NotReady, match="split them first"):
        services.merge_drivers(driver_id=two.pk, into_id=three.pk, by=staff)


def test_the_admin_merges_and_splits(boss):
    one, two = make_driver("A"), make_driver("B")
    chosen = {"_selected_action": [one.pk]}

    refused = boss.post(f"{ADMIN}/driver/", chosen | {"action": "merge"}, follow=True)
    boss.post(f"{ADMIN}/driver/", chosen | {"action": "merge", "into": two.pk})

    assert "Say into which driver" in refused.text
    one.refresh_from_db()
    assert one.merged_into == two
    boss.post(f"{ADMIN}/driver/", chosen | {"action": "split"})
    one.refresh_from_db()
    assert one.merged_into is None


def test_imports_are_cancelled_and_tried_again(boss, user):
    event = make_race().event
    job = imports.request_import(source_event_id=event.source_event_id, by=user)
    chosen = {"_selected_action": [str(job.pk)]}

    boss.post(f"{ADMIN}/importjob/", chosen | {"action": "stop"})
    job.refresh_from_db()
    assert job.state == "cancelled"

    boss.post(f"{ADMIN}/importjob/", chosen | {"action": "retry"})
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_resting_host_is_asked_again_once_staff_say_so(boss):
    block = HostBlock.objects.create(
        host="club.liverc.test", until=now() + timedelta(minutes=20), reason="bot_check"
    )
    waiting, spent = (
        imports.request_import(source_event_id=make_race().event.source_event_id, by=None)
        for _ in range(2)
    )
    Job.objects.filter(pk=waiting.pk).update(state="paused", run_at=block.until)
    Job.objects.filter(pk=spent.pk).update(state="paused", run_at=now() + timedelta(hours=9))

    boss.post(f"{ADMIN}/hostblock/", {"action": "lift", "_selected_action": [block.pk]})

    block.refresh_from_db()
    assert block.until <= now()
    waiting.refresh_from_db()
    spent.refresh_from_db()
    assert waiting.run_at <= now() < spent.run_at  # another day's budget is not the host's rest
    assert AuditEvent.objects.get(verb="host_block.lifted").object_name.startswith("club.liverc")


def test_stored_pages_and_the_budget_are_shown_and_not_changed(boss):
    moment = now()
    page = StoredPage.objects.create(
        url="https://club.liverc.test/results/", kind="events", cache_key="events:club", status=200,
        body_sha256="ab" * 32, body=zlib.compress(b"<p>"), size=3, fetched_at=moment,
        checked_at=moment, fresh_until=moment,
    )  # fmt: skip
    FetchLog.objects.create(budget="club", url=page.url, at=moment, status=200)

    shown = boss.get(f"{ADMIN}/storedpage/{page.pk}/change/").text

    assert "ab" * 32 in shown
    assert f'<a href="{page.url}"' in shown
    assert boss.post(f"{ADMIN}/storedpage/{page.pk}/change/", {"url": "x"}).status_code == 403
    assert "Requests today" in boss.get(f"{ADMIN}/fetchlog/").text
