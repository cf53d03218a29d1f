"""A plan's pace taken from laps that were driven."""

import pytest

from ingestion.tests.builders import make_driver, make_event, make_race, make_result
from racecontrol.testing.pages import Page
from runplans.models import RunPlan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("feature")]

NEW = "/run-plans/new/"
# a standing start, clean laps around 24.3, one crash; the median clean lap is 24.318
LAPS = [27_400, 24_318, 24_250, 24_400, 24_301, 41_000, 24_333]


@pytest.fixture
def driven(db):
    race = make_race(event=make_event(name="Spring Cup"), label="Buggy A-Main")
    return make_result(race=race, driver=make_driver("RAE DUCKER"), laps_ms=LAPS)


def where(result):
    return {"driver": result.driver_id, "race": result.race_id}


def test_the_median_clean_lap_is_the_pace_and_its_session_is_named(client, driven):
    page = client.get(NEW, where(driven))

    form = page.context["form"]
    assert form["target_pace"].value() == "24.318"
    assert form["driver"].value() == "Rae Ducker"
    assert "median of 5 clean laps" in Page(page).text("pace-picker")
    typed = {name: form[name].value() or "" for name in form.fields}
    client.post(NEW, typed | {"run_duration_min": "8", "burn": "3.5", "unit": "ml"})

    plan = RunPlan.objects.get()
    assert plan.inputs["target_pace_s"] == 24.318
    told = plan.inputs["driver"]["pace_from"]
    assert told["session"] == "Spring Cup, Buggy A-Main, 14 Nov 2026"
    assert (told["race_id"], told["clean_laps"]) == (driven.race_id, 5)
    assert "median clean lap, Spring Cup" in client.get(plan.get_absolute_url()).text


def test_another_pace_is_not_said_to_come_from_those_laps(client, driven):
    laps = f"{driven.driver_id}:{driven.race_id}"
    typed = {"required_laps": "10", "target_pace": "25", "burn": "1", "pace_laps": laps}
    client.post(NEW, typed | {"driver": "Rae"})

    assert RunPlan.objects.get().inputs["driver"] == {"name": "Rae"}


def test_what_a_browser_claims_about_the_laps_is_not_believed(client):
    for claim in ("1:1", "x", "9" * 40, ":", "٣:٣"):
        typed = {"required_laps": "10", "target_pace": "25", "burn": "1", "pace_laps": claim}
        assert client.post(NEW, typed).status_code == 302
    assert all("driver" not in plan.inputs for plan in RunPlan.objects.all())


def test_a_duplicate_keeps_its_session_while_the_pace_stays(client, driven):
    form = client.get(NEW, where(driven)).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"burn": "1"}
    client.post(NEW, typed | {"required_laps": "10"})
    first = RunPlan.objects.get()

    form = client.get(NEW, {"from": first.pk}).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    client.post(NEW, typed | {"required_laps": "12"})
    client.post(NEW, typed | {"target_pace": "30"})

    told = [("pace_from" in plan.inputs["driver"]) for plan in RunPlan.objects.order_by("pk")]
    assert sorted(told) == [False, True, True]


def test_a_name_leads_to_the_driver_and_the_driver_to_sessions(client, driven):
    found = Page(client.get(NEW, {"q": "rae"})).part("pace-picker")
    assert f"driver={driven.driver_id}" in str(found)

    sessions = Page(client.get(NEW, {"driver": driven.driver_id})).text("pace-picker")
    assert "Spring Cup, Buggy A-Main (7 laps)" in sessions
    nobody = Page(client.get(NEW, {"q": "zzz"})).text("pace-picker")
    assert "Nobody by that name" in nobody
    for odd in ({"driver": "x"}, {"driver": "9" * 30}, {"driver": "1", "race": "-1"}):
        assert client.get(NEW, odd).status_code == 200


def test_no_clean_lap_no_pace(client):
    race = make_race()
    result = make_result(race=race, driver=make_driver("SLOW ONE"), laps_ms=[30_000])

    page = client.get(NEW, where(result))

    assert "No clean lap" in Page(page).text("pace-picker")
    assert page.context["form"]["target_pace"].value() is None
