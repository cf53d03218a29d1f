"""Laps from timing: claimed drivers, sync, and the news of an import."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.timezone import now

from coaching.models import Heat, ProfileClaim, RacerProfile, RunLog, Session
from coaching.queries import garage as queries
from coaching.services import claims, garage, garage_demo, laps, timing_sync
from coaching.services.claims import AlreadyClaimed
from coaching.tests.builders import (
    STEADY,
    drive,
    make_driver,
    make_event,
    make_profile,
    make_result,
)
from ingestion.models import DriverTransponder, Lap, RaceClass
from ingestion.services.races import override_session_type
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotAllowed, NotFound, NotReady
from racecontrol.testing.pages import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def driver():
    return make_driver()


def sync(session, driver, **what):
    return timing_sync.sync_session(
        session_id=session.pk, by=session.profile.user, driver_id=driver.pk, **what
    )


# -- claims ---------------------------------------------------------------------------------------


def test_a_claim_waits_for_staff(user, staff, driver):
    profile = make_profile(user)

    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user)
    profile.refresh_from_db()
    assert (claim.state, profile.driver) == ("pending", None)
    with pytest.raises(NotAllowed):
        claims.decide_claim(claim_id=claim.pk, by=user, approve=True)

    claims.decide_claim(claim_id=claim.pk, by=staff, approve=True)
    profile.refresh_from_db()
    assert profile.driver == driver
    with pytest.raises(NotReady):
        claims.decide_claim(claim_id=claim.pk, by=staff, approve=False)


@pytest.mark.parametrize("owner", ["racer", "car"])
def test_a_matching_transponder_settles_a_claim(user, driver, owner):
    DriverTransponder.objects.create(driver=driver, number="1234567")
    profile = make_profile(user, transponder="1234567" if owner == "racer" else "")
    if owner == "car":
        garage.save_vehicle(
            by=user, profile_id=profile.pk, brand="A", model="B", transponder="1234567"
        )

    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user)

    profile.refresh_from_db()
    assert (claim.state, claim.evidence) == ("approved", "transponder 1234567")
    assert profile.driver == driver


def test_a_transponder_two_drivers_used_settles_nothing(user, driver):
    for one in (driver, make_driver("BROTHER", "1002")):
        DriverTransponder.objects.create(driver=one, number="1234567")
    profile = make_profile(user, transponder="1234567")

    assert (
        claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user).state == "pending"
    )


def test_a_driver_is_claimed_once(user, other, staff, driver):
    mine, theirs = make_profile(user), make_profile(other)
    one = claims.claim_driver(profile_id=mine.pk, driver_id=driver.pk, by=user)
    two = claims.claim_driver(profile_id=theirs.pk, driver_id=driver.pk, by=other)
    claims.decide_claim(claim_id=one.pk, by=staff, approve=True)

    with pytest.raises(AlreadyClaimed):
        claims.decide_claim(claim_id=two.pk, by=staff, approve=True)
    with pytest.raises(AlreadyClaimed):
        claims.claim_driver(profile_id=theirs.pk, driver_id=driver.pk, by=other)
    with pytest.raises(NotFound):
        claims.claim_driver(profile_id=mine.pk, driver_id=driver.pk, by=other)


def test_a_claim_can_be_withdrawn_and_made_anew(user, staff, driver):
    profile = make_profile(user)
    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user)
    claims.decide_claim(claim_id=claim.pk, by=staff, approve=True)

    claims.withdraw_claim(profile_id=profile.pk, by=user)

    profile.refresh_from_db()
    assert profile.driver is None
    again = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user)
    assert (again.state, ProfileClaim.objects.count()) == ("pending", 2)


def test_a_newcomer_says_this_is_me_with_a_transponder(client, user, driver, run_jobs):
    DriverTransponder.objects.create(driver=driver, number="77")
    make_result(driver, event=make_event("Spring cup"))
    url = f"/coaching/drivers/{driver.pk}/claim/"
    assert f'href="{url}"' in client.get(f"/timing/drivers/{driver.pk}/").text

    answer = client.post(url, {"transponder": "77"}, follow=True)

    assert "the transponder 77 says so" in answer.text
    assert "Laps of Sam Racer" in Page(answer).text("garage-sessions")
    run_jobs()
    assert "Spring cup" in Page(client.get("/coaching/")).text("garage-sessions")
    assert "hx-get" not in Page(client.get("/coaching/")).part("garage-sessions")
    assert "this is you" in client.get(f"/timing/drivers/{driver.pk}/").text
    assert "This is you already" in client.get(url).text
    assert RacerProfile.objects.get().transponder == "77"


def test_a_claim_nobody_can_settle_by_transponder_waits_on_its_page(client, user, driver):
    url = f"/coaching/drivers/{driver.pk}/claim/"

    answer = client.post(url, {"transponder": "78"}, follow=True)

    assert "waits for the operators" in answer.text
    assert ProfileClaim.objects.get().state == "pending"


def test_a_transponder_told_with_a_claim_never_replaces_one(client, user, driver):
    profile, other = make_profile(user, transponder="11"), make_profile(user, name="Sam Junior")
    url = f"/coaching/drivers/{driver.pk}/claim/"

    refused = client.post(url, {"profile": profile.pk, "transponder": "12"})
    assert refused.status_code == 422
    assert "Sam Racer has 11" in refused.text
    assert not ProfileClaim.objects.exists()

    client.post(url, {"profile": other.pk, "transponder": "12"})
    other.refresh_from_db()
    assert (other.transponder, ProfileClaim.objects.get().profile) == ("12", other)


def test_claiming_over_the_api(client, user, driver, run_jobs):
    DriverTransponder.objects.create(driver=driver, number="77")
    make_result(driver, event=make_event("Spring cup"))
    racer = client.post(
        "/api/v1/racers", {"name": "Sam", "transponder": "77"}, content_type="application/json"
    ).json()
    url = f"/api/v1/racers/{racer['id']}/claim"

    made = client.post(url, {"driver_id": driver.pk}, content_type="application/json")

    assert made.status_code == 201
    assert (made.json()["state"], made.json()["racer_id"]) == ("approved", racer["id"])
    run_jobs()
    assert client.get("/api/v1/racers").json()[0]["driver_id"] == driver.pk
    assert [row["name"] for row in client.get("/api/v1/sessions").json()["items"]] == [
        "Spring cup · 1/8 Buggy"
    ]
    assert client.delete(url).status_code == 204
    assert client.get("/api/v1/racers").json()[0]["driver_id"] is None
    nobody = "/api/v1/racers/0/claim"  # no way to say "my first racer"
    assert (
        client.post(nobody, {"driver_id": driver.pk}, content_type="application/json").status_code
        == 404
    )


def test_an_approved_claim_takes_in_the_last_year_and_nothing_twice(user, staff, driver, run_jobs):
    for day in (date(2024, 5, 1), date(2025, 6, 1), date(2026, 5, 2)):
        make_result(driver, event=make_event(f"Cup {day.year}", day=day))
    profile = make_profile(user)
    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user)
    run_jobs()
    assert not Session.objects.exists()

    claims.decide_claim(claim_id=claim.pk, by=staff, approve=True)
    run_jobs()

    names = ["Cup 2025 · 1/8 Buggy", "Cup 2026 · 1/8 Buggy"]
    assert list(Session.objects.order_by("start_date").values_list("name", flat=True)) == names
    assert timing_sync.sync_claimed(profile_id=profile.pk).new == 0
    claims.withdraw_claim(profile_id=profile.pk, by=user)
    assert timing_sync.sync_claimed(profile_id=profile.pk).runs == 0


# -- sync -----------------------------------------------------------------------------------------


def test_the_laps_of_an_event_are_appended_and_scored(session, driver):
    event = make_event()
    make_result(
        driver, STEADY, event=event, label="1/8 Buggy (Heat 1/2)", code="Q", heat=1, heats=2
    )
    make_result(
        driver,
        STEADY,
        event=event,
        label="1/8 Buggy (Heat 1/2)",
        code="Q",
        number=2,
        heat=1,
        heats=2,
    )
    main = make_result(
        driver,
        [64.4, *STEADY],
        event=event,
        basis="from_lap_2",
        consistency=Decimal("99.820"),
        main="A",
    )
    make_result(make_driver("RIVAL", "9"), [70.0] * 9, race=main.race)

    report = sync(session, driver, race_class_id=main.race.race_class_id)

    heats = list(session.heats.all())
    assert (report.runs, report.heats, report.new) == (3, 3, 37)
    assert [heat.name for heat in heats] == [
        "Q1 Heat 1/2",
        "Q2 Heat 1/2",
        "A-Main",
    ]
    assert [heat.kind for heat in heats] == ["qualifying", "qualifying", "race"]
    assert (heats[2].stats_basis, heats[2].published_consistency) == (
        "from_lap_2",
        Decimal("99.820"),
    )
    score = session.scores.get(heat=heats[2], formula="v2")
    assert (score.score, score.result["excluded"]) == (98.4, {"1": "start"})
    session.refresh_from_db()
    assert (session.track_name, session.status) == ("Club Track", "active")
    assert session.synced_at is not None


def test_a_second_sync_changes_nothing(session, driver):
    result = make_result(driver)
    first = sync(session, driver, race_class_id=result.race.race_class_id)
    before = list(RunLog.objects.order_by("pk").values())

    again = sync(session, driver, race_class_id=result.race.race_class_id)

    assert (first.new, again.new, again.heats, again.changed, again.removed) == (12, 0, 0, 0, 0)
    assert list(RunLog.objects.order_by("pk").values()) == before


def test_a_corrected_result_is_corrected_here_and_peoples_flags_stay(session, driver, user):
    result = make_result(driver, [75.2, *STEADY])
    sync(session, driver, race_class_id=result.race.race_class_id)
    row = RunLog.objects.get(lap_number=2)
    laps.flag_lap(session_id=session.pk, lap_id=row.pk, by=user, flag="yellow")
    Lap.objects.filter(result=result, number=1).update(ms=60_000)
    Lap.objects.filter(result=result, number=13).delete()

    report = sync(session, driver, race_class_id=result.race.race_class_id)

    row.refresh_from_db()
    assert (report.changed, report.removed, row.flag) == (1, 1, "yellow")
    assert RunLog.objects.get(lap_number=1).lap_ms == 60_000


def test_without_an_event_everything_since_the_last_sync_comes(session, driver):
    make_result(driver, event=make_event("Before", day=date(2026, 4, 1)))
    make_result(driver, event=make_event("Same day", day=date(2026, 5, 2)))
    assert sync(session, driver).runs == 1

    Session.objects.filter(pk=session.pk).update(synced_at=now())
    make_result(driver, event=make_event("Later", day=now().date()))
    report = sync(session, driver)

    assert (report.runs, report.new) == (1, 12)
    assert session.heats.count() == 2


def test_practice_laps_out_of_range_come_flagged(session, driver):
    result = make_result(driver, [12.9, *STEADY], source="practice", code="", label="Sam (8)")
    Lap.objects.filter(result=result, number=1).update(is_valid=False)

    sync(session, driver, race_class_id=result.race.race_class_id)

    assert RunLog.objects.get(lap_number=1).flag == "invalid"
    heat = session.heats.get()
    assert (heat.kind, heat.name) == ("practice", "Practice 11:00")


def test_a_typed_heat_of_the_same_name_is_left_alone(session, driver):
    drive(session, "1/8 Buggy A-Main", [58.0])
    result = make_result(driver)

    sync(session, driver, race_class_id=result.race.race_class_id)

    assert [heat.name for heat in session.heats.all()] == [
        "1/8 Buggy A-Main",
        "1/8 Buggy A-Main (2)",
    ]


def test_somebody_elses_session_and_a_closed_one_are_refused(session, driver, other, user):
    result = make_result(driver)
    with pytest.raises(NotFound):
        timing_sync.sync_session(
            session_id=session.pk,
            by=other,
            driver_id=driver.pk,
            race_class_id=result.race.race_class_id,
        )
    with pytest.raises(NotReady, match="Choose a driver"):
        timing_sync.request_sync(session_id=session.pk, by=user)
    garage.close_session(session_id=session.pk, by=user)
    with pytest.raises(NotReady, match="closed"):
        timing_sync.request_sync(session_id=session.pk, by=user, driver_id=driver.pk)


def test_the_page_queues_one_sync_and_shows_it(client, session, driver, queued, run_jobs):
    result = make_result(driver)
    url = f"/coaching/sessions/{session.pk}/sync/"
    assert "Sam Racer" in client.get(f"{url}?q=sam").text
    told = {"driver": driver.pk, "race_class": result.race.race_class_id}

    client.post(url, told)
    client.post(url, told)

    assert queued() == [
        ("coaching.tasks.sync_session", (session.pk, driver.pk, result.race.race_class_id))
    ]
    run_jobs()
    assert jobs.Job.objects.get().result["new"] == 12
    assert "98." in client.get(f"/coaching/sessions/{session.pk}/").text
    bad = client.post(url, {"driver": "x"})
    assert bad.status_code == 422
    assert client.get(f"{url}?driver=999999").status_code == 422


# -- news -----------------------------------------------------------------------------------------


@pytest.fixture
def claimed(user, staff, driver):
    profile = make_profile(user)
    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=user)
    claims.decide_claim(claim_id=claim.pk, by=staff, approve=True)
    return profile


def test_news_of_an_import_logs_and_scores_the_laps_of_claimed_drivers(claimed, driver):
    event = make_event("Spring cup")
    make_result(driver, event=event)
    make_result(make_driver("RIVAL", "9"), event=event)

    def hear():
        return jobs.run_now(jobs.enqueue("coaching.tasks.score_event", event.pk))

    first, again = hear(), hear()

    session = Session.objects.get()
    assert (session.name, session.profile, session.session_type) == (
        "Spring cup · 1/8 Buggy",
        claimed,
        "Club Race",
    )
    assert (first.result["new"], again.result["new"]) == (12, 0)
    assert queries.latest_scores(claimed.user)[0].session == session


def test_each_class_gets_its_own_session_and_closed_ones_are_left(claimed, driver):
    event = make_event()
    one = make_result(driver, event=event)
    other = RaceClass.objects.create(event=event, name="Truggy", key="truggy")
    two = make_result(driver, event=event, label="Truggy A-Main")
    two.race.race_class = other
    two.race.save()

    timing_sync.sync_event(event_id=event.pk)
    assert Session.objects.count() == 2
    session = Session.objects.get(race_class=one.race.race_class)
    garage.close_session(session_id=session.pk, by=claimed.user)
    Lap.objects.create(result=one, number=13, ms=58_000)
    timing_sync.sync_event(event_id=event.pk)

    assert (session.heats.get().laps.count(), Session.objects.count()) == (12, 2)


def test_news_of_events_without_claimed_drivers_does_nothing(claimed):
    event = make_event()
    make_result(make_driver("RIVAL", "9"), event=event)

    assert timing_sync.sync_event(event_id=event.pk).runs == 0
    assert not Session.objects.exists()


def test_a_claim_follows_a_merged_driver(claimed, driver):
    kept = make_driver("SAM R", "1009")
    driver.merged_into = kept
    driver.save()
    event = make_event()
    make_result(kept, event=event)

    assert timing_sync.sync_event(event_id=event.pk).new == 12


def test_scores_follow_what_staff_say_a_session_was(claimed, staff, driver, run_jobs):
    event = make_event()
    result, spoken, closed = (
        make_result(driver, event=event, label=f"1/8 Buggy {main}-Main") for main in "ABC"
    )
    other = RaceClass.objects.create(event=event, name="Truggy", key="truggy")
    closed.race.race_class = other
    closed.race.save()
    timing_sync.sync_event(event_id=event.pk)
    heats = {row.source_ref.split("/")[0]: row for row in Heat.objects.all()}
    own, told, shut = (heats[f"race:{row.race.source_race_id}"] for row in (result, spoken, closed))
    garage.change_heat(
        session_id=told.session_id, heat_id=told.pk, by=claimed.user, kind="qualifying"
    )
    garage.close_session(session_id=shut.session_id, by=claimed.user)
    before = own.scores.get(formula="v2").inputs_hash

    for row in (result, spoken, closed):
        override_session_type(race_id=row.race_id, session_type="practice", by=staff)
    run_jobs()

    kinds = [Heat.objects.get(pk=heat.pk).kind for heat in (own, told, shut)]
    assert kinds == ["practice", "qualifying", "race"]
    assert own.scores.get(formula="v2").inputs_hash != before
    # Said twice before a worker comes: what stands in the end counts.
    override_session_type(race_id=result.race_id, session_type="qualifying", by=staff)
    override_session_type(race_id=result.race_id, session_type="race", by=staff)
    for job in jobs.Job.objects.filter(state="queued").order_by("-created_at"):
        jobs.run_now(job)
    own.refresh_from_db()
    assert (own.kind, own.scores.get(formula="v2").inputs_hash) == ("race", before)


# -- demo -----------------------------------------------------------------------------------------


def test_the_demo_racer_waits_for_the_event_and_then_has_scores(staff, driver, run_jobs):
    garage_demo.load_demo(by=staff)
    garage_demo.load_demo(by=staff)
    job = jobs.run_now(jobs.Job.objects.get())
    assert (job.state, job.message) == ("paused", "Waiting for the demo event")

    make_result(driver, event=make_event(last_ingested_at=now()))
    job = jobs.run_now(job)

    assert job.state == "done"
    assert staff.racer_profiles.get().driver == driver
    run_jobs()
    assert RunLog.objects.count() == 12
    garage_demo.load_demo(by=staff)
    assert not jobs.Job.objects.exclude(state="done").exists()
