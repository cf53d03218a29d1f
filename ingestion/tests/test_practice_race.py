"""Practice beside a race: figures worked out by hand, the page, and the same over the API."""

from datetime import date

import pytest

from coaching.models import RacerProfile
from ingestion.domain.pace import PaceLap
from ingestion.domain.practice_race import PRACTICE, QUALIFYING, RACE, Run, practice_and_race
from ingestion.models import BumpUp
from ingestion.tests.builders import make_driver, make_event, make_race, make_result, make_track
from ingestion.tests.practice_builders import make_practice_day, make_practice_session

CLASS = "1/8 Nitro Buggy"


def run(key, kind, *times) -> Run:
    return Run(key, kind, tuple(PaceLap(n, ms) for n, ms in enumerate(times, start=1)))


def test_a_race_is_compared_without_its_standing_start():
    told = practice_and_race(
        [
            run(1, PRACTICE, 40_000, 41_000, 42_000),
            run(2, PRACTICE, 43_000, 44_000),
            run(3, QUALIFYING, 50_000, 41_500, 41_500),
            run(4, RACE, 47_000, 42_500, 42_000, 42_400),
        ]
    )

    # The clean laps of all practice: 40 41 42 43 44 s, median 42; of the race 42, 42.4, 42.5.
    assert [row.figures.laps for row in told.runs] == [3, 2, 2, 3]
    assert [row.gap_ms for row in told.runs] == [-1_000, 1_500, -500, 400]
    assert told.total(PRACTICE).figures.pace_ms == 42_000
    assert told.total(PRACTICE).gap_ms is None
    assert (told.total(RACE).figures.best_ms, told.total(RACE).gap_ms) == (42_000, 400)
    assert told.run_to_plan_with.key == 4


def test_without_practice_there_is_no_gap_and_without_laps_no_pace():
    told = practice_and_race([run(1, QUALIFYING, 50_000, 41_500), run(2, RACE, 60_000)])

    assert [row.gap_ms for row in told.runs] == [None, None]
    assert told.total(RACE).figures.pace_ms is None
    assert told.run_to_plan_with.key == 1


@pytest.fixture
def driver(practice_on):
    return make_driver("CLIO QUARLES")


@pytest.fixture
def weekend(driver):
    """Practice on Friday and a week before; on Saturday a heat, and a B-Main that led into the A."""
    track = make_track("redgum")
    for day, pace in ((date(2026, 11, 6), 41_000), (date(2026, 11, 13), 40_000)):
        event = make_practice_day(track=track, day=day)
        make_practice_session(event, [pace, pace + 100, pace + 200], driver=driver)
    too_old = make_practice_day(track=track, day=date(2026, 8, 1))
    make_practice_session(too_old, [39_000, 39_000], driver=driver)
    elsewhere = make_practice_day(track=make_track("kiln"), day=date(2026, 11, 12))
    make_practice_session(elsewhere, [15_000, 15_000], driver=driver)
    event = make_event(track=track, day=date(2026, 11, 14), name="Harvest Cup")
    races = [
        make_race(event=event, label=f"{CLASS} {label}", class_name=CLASS, **values)
        for label, values in [
            ("(Heat 1/3)", {"round_code": "Q", "round_number": 1}),
            ("B-Main", {}),
            ("A-Main", {}),
        ]
    ]
    for race in races:
        make_result(race, [45_000, 40_400, 40_500, 40_600], driver=driver)
    BumpUp.objects.create(
        event=event,
        race_class=races[1].race_class,
        driver=driver,
        source_race=races[1],
        target_race=races[2],
        source_position=2,
        confidence="high",
        status="detected",
    )
    return event


def test_the_page_shows_both_with_the_way_up(client, driver, weekend):
    page = client.get(f"/timing/events/{weekend.pk}/drivers/{driver.pk}/practice/")

    assert page.status_code == 200
    assert "practice of Fri 13 Nov 2026" in page.text
    assert "Pace in practice" in page.text
    assert "+0.400" in page.text  # 40.500 in the race, 40.100 in practice
    assert "from B-Main (2nd)" in page.text
    earlier = client.get(page.request["PATH_INFO"], {"day": "not a day", "class": "no class"})
    assert "practice of Fri 13 Nov 2026" in earlier.text


def test_it_is_found_from_the_driver_and_from_ones_own_race(client, user, driver, weekend):
    url = f"/timing/events/{weekend.pk}/drivers/{driver.pk}/practice/"
    race = weekend.races.get(main="A")
    assert url in client.get(f"/timing/drivers/{driver.pk}/").text
    assert url not in client.get(f"/timing/races/{race.pk}/").text

    profile = RacerProfile.objects.create(user=user, name="Clio", is_default=True, driver=driver)
    profile.claims.create(driver=driver, state="approved")

    assert url in client.get(f"/timing/races/{race.pk}/").text


def test_the_same_over_the_api(client, driver, weekend):
    url = f"/api/v1/drivers/{driver.pk}/events/{weekend.pk}/practice"
    told = client.get(url).json()

    assert (told["day"], told["days"]) == (
        "redgum-practice-2026-11-13",
        ["redgum-practice-2026-11-13", "redgum-practice-2026-11-06"],
    )
    assert [(row["label"], row["kind"], row["pace_ms"], row["gap_ms"]) for row in told["runs"]][1:] == [
        ("Q1 Heat 1/3", "qualifying", 40_500, 400),
        ("B-Main", "race", 40_500, 400),
        ("A-Main", "race", 40_500, 400),
    ]  # fmt: skip
    assert told["runs"][-1]["bumped_from"] == "B-Main"
    assert [(one["kind"], one["pace_ms"]) for one in told["totals"]] == [
        ("practice", 40_100),
        ("qualifying", 40_500),
        ("race", 40_500),
    ]
    earlier = client.get(url, {"day": "redgum-practice-2026-11-06", "class": "1-8 nitro buggy"})
    assert earlier.json()["totals"][0]["pace_ms"] == 41_100
    assert client.get(url, {"day": "redgum-practice-2020-01-01"}).status_code == 404
    somebody = make_driver()
    assert client.get(url.replace(str(driver.pk), str(somebody.pk), 1)).status_code == 404


def test_off_means_there_is_nothing(client, driver, weekend):
    from waffle.models import Flag

    Flag.objects.update(everyone=False)

    for url in (
        f"/timing/events/{weekend.pk}/drivers/{driver.pk}/practice/",
        f"/api/v1/drivers/{driver.pk}/events/{weekend.pk}/practice",
    ):
        assert client.get(url).status_code == 404
    assert "Beside practice" not in client.get(f"/timing/drivers/{driver.pk}/").text
