"""The race pace of a timed driver, from imported laps."""

from decimal import Decimal

import pytest
from waffle.testutils import override_flag

from coaching.queries import timing
from coaching.tests.builders import STEADY, make_driver, make_event, make_result
from racecontrol.testing.pages import Page
from racecontrol.testing.shared_cases import shared_json

pytestmark = pytest.mark.django_db


def page_of(client, driver, query=""):
    return Page(client.get(f"/coaching/drivers/{driver.pk}/orp/{query}"))


def test_the_score_of_a_race_is_shown_with_its_parts(client):
    driver = make_driver()
    main = make_result(driver, [64.4, *STEADY], basis="from_lap_2", consistency=Decimal("99.817"))

    page = page_of(client, driver, f"?race={main.race_id}")

    assert "98.4" in page.text("orp-v2")
    assert "97.0" in page.text("orp-v1")
    assert "published 99.817 %" in page.text("driver-orp")


def test_only_this_drivers_laps_count(client):
    """The forerunner took every lap of the page's first script: the whole field's."""
    driver, rival = make_driver(), make_driver("RIVAL", "1002")
    mine = make_result(driver, STEADY, label="1/8 Buggy Q", code="Q")
    make_result(rival, [70.0] * 12, race=mine.race)

    page = page_of(client, driver, f"?race={mine.race_id}")

    assert "98.4" in page.text("orp-v2")
    assert timing.runs_of(driver)[0].laps_s == STEADY


def test_without_a_choice_the_latest_run_with_laps_enough_is_shown(client):
    driver, event = make_driver(), make_event()
    make_result(driver, STEADY, event=event, label="Heat one", code="Q")
    make_result(driver, [58.0, 58.1], event=event, label="Heat two", code="Q", number=2)

    assert "Q1 Heat one" in page_of(client, driver).text("driver-orp")


def test_a_driver_without_laps_has_no_score(client):
    assert "No laps yet" in page_of(client, make_driver()).text("driver-orp")


def test_a_merged_driver_leads_to_the_one_they_are(client):
    kept = make_driver()
    merged = make_driver("S RACER", "1003", merged_into=kept)
    make_result(kept, STEADY)
    make_result(merged, STEADY, event=make_event("Other"))

    assert "Sam Racer" in client.get(f"/coaching/drivers/{merged.pk}/orp/").text
    assert len(timing.runs_of(kept)) == 2


@pytest.mark.parametrize("race", ["0", "x", "99999999999999999999", "-1", "\x00"])
def test_an_unknown_race_shows_the_latest(client, race):
    driver = make_driver()
    make_result(driver)

    answer = client.get(f"/coaching/drivers/{driver.pk}/orp/", {"race": race})

    assert answer.status_code in (200, 400, 422)


def test_unknown_drivers_are_not_found(client, stranger):
    driver = make_driver()

    assert client.get("/coaching/drivers/999999/orp/").status_code == 404
    assert stranger.get(f"/coaching/drivers/{driver.pk}/orp/").status_code == 302


def test_the_number_of_queries_is_fixed(client, django_assert_max_num_queries):
    driver, event = make_driver(), make_event()
    for n in range(20):
        make_result(driver, STEADY, event=event, label=f"Heat {n}", code="Q")

    with django_assert_max_num_queries(14):
        page_of(client, driver)


def test_withdrawn_results_are_left_out():
    driver = make_driver()
    result = make_result(driver)
    type(result).objects.filter(pk=result.pk).update(missing_since="2026-01-01T00:00Z")

    assert timing.runs_of(driver) == []


def test_in_a_race_the_pace_is_seen_against_the_field(client):
    driver = make_driver()
    mine = make_result(driver, [60.0, *[59.0] * 11])
    for n in range(5):
        make_result(make_driver(f"R{n}", f"20{n}"), [60.0, *[58.0] * 11], race=mine.race)

    page = page_of(client, driver, f"?race={mine.race_id}")

    assert "Pace in the field" in page.text("driver-orp")
    assert "86.6" in page.text("driver-orp")


def test_the_timing_page_leads_to_the_race_pace_and_on_to_a_plan(client):
    driver = make_driver()
    main = make_result(driver, [64.4, *STEADY])
    here = f"/coaching/drivers/{driver.pk}/orp/"
    on_to_a_plan = f"?driver={driver.pk}&amp;race={main.race_id}"

    timing_page = client.get(f"/timing/drivers/{driver.pk}/").text
    assert f'href="{here}"' in timing_page
    assert f'href="{here}?race={main.race_id}"' in timing_page
    with override_flag("RUN_PLANS_V1", active=True):
        assert on_to_a_plan in client.get(here).text
    with override_flag("RUN_PLANS_V1", active=False):
        assert on_to_a_plan not in client.get(here).text


RECORDED = shared_json("liverc/dev/race_6304829_amain_2025.expected.json")


@pytest.mark.skipif(RECORDED is None, reason="the shared cases are not beside this project")
def test_the_consistency_a_driver_knows_from_liverc_is_on_the_page(client):
    """A recorded main: three decimals, as in LiveRC's own script."""
    for place, row in enumerate(RECORDED["results"][:3]):
        laps = [lap["time"] for lap in RECORDED["laps"][row["driver_id"]]]
        driver = make_driver(row["driver_name"], row["driver_id"])
        published = Decimal(str(row["js"]["consistency"]))
        make_result(
            driver,
            laps,
            event=make_event(f"Event {place}"),
            basis=row["stats_basis"],
            consistency=published,
        )

        text = page_of(client, driver).text("driver-orp")

        assert f"{published:.3f} % from lap 2 · published {published:.3f} %" in text
