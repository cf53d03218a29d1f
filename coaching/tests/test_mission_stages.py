"""Recordings score the stages of their own day, once, and only where they tell how it was ridden."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from coaching.domain.missions.rides import is_ride, mode_of
from coaching.models import Activity, AthleteNumbers, Mission, MissionRun
from coaching.services import mission_results, mission_upkeep
from coaching.tasks import athlete as tasks
from coaching.tests.mission_builders import make_mission
from racecontrol.models import Job
from racecontrol.shared import jobs

EVENING = datetime(2026, 6, 15, 18, 0, tzinfo=UTC)  # the event's second day, Berlin
BOTH = ("gc", "breakaway", "rest")


@pytest.mark.parametrize(
    ("modes", "minutes", "intensity", "advised", "mode"),
    [
        (BOTH, 180, 0.86, "gc", "breakaway"),  # 222 points
        (BOTH, 50, 0.90, "", "breakaway"),  # 68 points
        (BOTH, 59, 0.86, "", "breakaway"),  # 73 points; short and hard
        (BOTH, 240, 0.84, "breakaway", "gc"),
        (BOTH, 120, 0.5, "", "gc"),
        (BOTH, 120, None, "breakaway", "breakaway"),
        (BOTH, 120, None, "", None),
        (("gc", "rest"), 60, None, "", "gc"),
        (("steady", "attack"), 60, 0.9, "attack", "attack"),
        (("steady", "attack"), 60, 0.9, "gc", None),
        (("rest",), 60, 0.9, "", None),
    ],
)
def test_how_a_stage_was_ridden(modes, minutes, intensity, advised, mode):
    assert mode_of(modes, moving_s=minutes * 60, intensity=intensity, advised=advised) == mode


@pytest.mark.parametrize(
    ("sport", "minutes", "counts"),
    [
        ("cycling", 30, True), ("cycling", 29, False), ("VirtualRide", 60, True), ("Biking", 60, True),
        ("", 60, True), ("running", 60, False), ("Walking", 60, False),
    ],
)  # fmt: skip
def test_which_recordings_are_rides(sport, minutes, counts):
    assert is_ride(sport, moving_s=minutes * 60) is counts


@pytest.fixture
def mission(user) -> Mission:
    AthleteNumbers.objects.create(owner=user, threshold_w=200)
    mission = make_mission(user)
    Mission.objects.filter(pk=mission.pk).update(state="TRAINING", started_at=timezone.now())
    mission.refresh_from_db()
    return mission


def ride(user, on=date(2026, 6, 14), *, hour=8, watts=175.0, minutes=120, source="bike", **more):
    return Activity.objects.create(
        owner=user, source=source, kind="cycling", on=on,
        starts_at=datetime(on.year, on.month, on.day, hour, tzinfo=UTC),
        elapsed_s=minutes * 60, moving_s=minutes * 60, normalised_w=watts, **more,
    )  # fmt: skip


def score(mission, now=EVENING) -> dict[int, str]:
    mission_results.score_activities(mission_id=mission.pk, now=now)
    return dict(mission.stage_results.values_list("number", "ride_mode"))


@pytest.mark.django_db
def test_the_tick_scores_what_was_recorded_and_doubles_nothing(mission, user):
    ride(user)
    ride(user, date(2026, 6, 15), watts=140)

    mission_upkeep.tick(real_now=EVENING)
    Mission.objects.update(next_check_at=EVENING)
    mission_upkeep.tick(real_now=EVENING)

    rows = mission.stage_results.values_list("number", "ride_mode", "source", "local_date")
    assert list(rows) == [
        (1, "breakaway", "activity", date(2026, 6, 14)),
        (2, "gc", "activity", date(2026, 6, 15)),
    ]


@pytest.mark.django_db
def test_two_recordings_of_one_ride_are_one_stage(mission, user):
    ride(user)
    ride(user, source="watch")

    assert score(mission) == {1: "breakaway"}


@pytest.mark.django_db
def test_rides_outside_the_event_or_too_late_or_kept_from_the_coach_score_nothing(mission, user):
    ride(user, date(2026, 6, 13))
    ride(user, llm_allowed=False)
    assert score(mission) == {}

    score(mission, EVENING + timedelta(days=3))
    ride(user, hour=15)
    assert score(mission, EVENING + timedelta(days=8)) == {}


@pytest.mark.django_db
def test_a_late_upload_counts_within_three_days_of_the_end(mission, user):
    ride(user)

    assert score(mission, EVENING + timedelta(days=5)) == {1: "breakaway"}


@pytest.mark.django_db
def test_what_an_athlete_entered_or_took_back_stays_so(mission, user):
    first = ride(user)
    mission_results.record_stage(
        mission_id=mission.pk, number=1, ride_mode="gc", by=user, now=EVENING
    )
    assert score(mission) == {1: "gc"}

    mission_results.remove_stage(mission_id=mission.pk, number=1, by=user, now=EVENING)
    assert score(mission) == {1: "breakaway"}
    assert mission.stage_results.get().activity_ref == f"activity:{first.pk}"
    mission_results.remove_stage(mission_id=mission.pk, number=1, by=user, now=EVENING)

    assert score(mission) == {}


@pytest.mark.django_db
def test_without_power_the_morning_s_advice_tells_the_mode_else_the_athlete(mission, user):
    ride(user, watts=None)
    assert score(mission) == {}

    MissionRun.objects.create(
        mission=mission, local_date=date(2026, 6, 14), kind="daily", tz=mission.tz,
        run_at=mission.run_at, due_at=EVENING, closes_at=EVENING, next_attempt_at=EVENING,
        status="succeeded", guidance={"ride_mode": "breakaway"},
    )  # fmt: skip

    assert score(mission) == {1: "breakaway"}


@pytest.mark.django_db
def test_an_upload_scores_its_stage_at_once(mission, user, monkeypatch):
    monkeypatch.setattr(tasks, "now", lambda: EVENING)
    monkeypatch.setattr(
        tasks.athlete, "read_upload", lambda **_: {"activities": 1} if ride(user) else {}
    )
    job = jobs.enqueue("coaching.tasks.read_athlete_upload", "0", owner=user)

    tasks.read_athlete_upload(
        jobs.Running(Job.objects.get(pk=job.pk)), "00000000-0000-0000-0000-000000000000"
    )

    assert mission.stage_results.get().number == 1


@pytest.mark.django_db
def test_the_board_says_what_was_recorded(mission, user, client):
    ride(user)
    score(mission)

    page = client.get(f"/coaching/missions/{mission.pk}/board/")
    assert "from a recording" in page.content.decode()
    line = client.get(f"/api/v1/missions/{mission.pk}/progress").json()["lines"][0]
    assert (line["status"], line["is_recorded"]) == ("done", True)
