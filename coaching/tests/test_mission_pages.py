"""The mission pages: what they show, that a swap equals a reload, and who may not enter."""

import re

import pytest

from coaching.models import (
    AthleteUpload,
    LlmAccount,
    Mission,
    MissionRun,
    StageResult,
)
from coaching.services import mission_demo, mission_upkeep
from coaching.tests.mission_builders import (
    MORNING,
    NOW,
    days,
    make_mission,
    morning,
    work,
)
from coaching.tests.mission_pages import page, step, wizard
from racecontrol.testing.pages import Page, assert_swap_equals_reload

pytestmark = pytest.mark.django_db


@pytest.fixture
def mission(mission, at):
    """Under way, and the pages read its clock."""
    return mission


def test_today_shows_the_words_the_facts_and_what_to_answer(client, mission):
    run = morning(mission)
    text = client.get(page("mission_today", mission)).content.decode()

    assert run.guidance["headline"] in text
    assert "Readiness" in text
    assert "70 of 100" in text
    assert "done differently" in text
    assert "no-store" in client.get(page("mission_today", mission)).headers["Cache-Control"]


def test_before_the_morning_and_without_words_the_page_says_so(client, mission, at):
    at(NOW)
    assert "Not yet" in client.get(page("mission_today", mission)).content.decode()

    run = morning(mission, "401")
    at(MORNING)
    text = client.get(page("mission_today", mission)).content.decode()
    assert run.status == "failed"
    assert "No guidance today" in text
    assert "Nothing is made up" in text
    assert "70 of 100" in text  # their own numbers stand


def test_a_check_in_by_page_is_kept_and_the_swap_is_what_a_reload_shows(client, mission):
    url = page("mission_check_in", mission)
    data = {"readiness": "64", "sleep_h": "7.5", "note": "slept well"}

    assert_swap_equals_reload(
        client, url, data, part="check-in", path=page("mission_today", mission)
    )
    said = mission.owner.check_ins.get()
    assert (said.values, said.note) == ({"readiness": 64, "sleep_h": 7.5}, "slept well")


def test_each_label_of_today_leads_to_its_own_field(client, mission):
    morning(mission)
    text = client.get(page("mission_today", mission)).text

    ids = re.findall(r'\bid="([^"]+)"', text)
    assert sorted(ids) == sorted(set(ids))
    assert set(re.findall(r'<label[^>]* for="([^"]+)"', text)) <= set(ids)


def test_a_bad_check_in_is_refused_in_place(client, mission):
    response = client.post(page("mission_check_in", mission), {"readiness": "140"})

    assert response.status_code == 422
    assert not mission.owner.check_ins.exists()


def test_the_answer_of_the_day_swaps_as_a_reload(client, mission):
    run = morning(mission)
    data = {"choice": "adjusted", "note": "shorter", "on": run.local_date.isoformat()}

    assert_swap_equals_reload(
        client, page("mission_answer", mission), data, part="guidance",
        path=page("mission_today", mission),
    )  # fmt: skip
    run.refresh_from_db()
    assert (run.response.choice, run.response.note) == ("adjusted", "shorter")


def test_an_earlier_day_can_still_be_answered(client, mission, at):
    run = morning(mission)
    at(MORNING + days(1))
    response = client.post(
        page("mission_answer", mission), {"choice": "done", "on": run.local_date.isoformat()}
    )

    assert response.url == page("mission_day", mission, on="2026-06-01")
    assert "You said: <strong>done</strong>" in client.get(response.url).content.decode()


def test_a_day_shows_what_was_sent(client, mission):
    morning(mission)
    text = client.get(page("mission_day", mission, on="2026-06-01")).content.decode()

    assert "FACTS" in text
    assert "100 + 20 tokens" in text
    assert "sk-test" not in text


def test_the_calendar_shows_gaps_stages_and_today(client, mission, at):
    morning(mission)
    mission_upkeep.tick(real_now=MORNING + days(2))
    at(MORNING + days(2))
    text = client.get(page("mission_calendar", mission)).content.decode()

    assert "3 today" in text
    assert "missed" in text
    assert "stage 1" in text
    assert client.get(page("mission_calendar", mission) + "?month=nonsense").status_code == 404


def test_a_stage_is_entered_corrected_and_taken_back(client, mission, at):
    at(MORNING + days(14))
    url = page("mission_board", mission)

    assert_swap_equals_reload(client, url, {"number": "1", "ride_mode": "gc"}, part="board")
    client.post(url, {"number": "1", "ride_mode": "breakaway"})
    assert StageResult.objects.get().ride_mode == "breakaway"
    assert "8" in Page(client.get(url)).text("board")

    assert client.post(url, {"number": "4", "ride_mode": "gc"}).status_code == 422  # not yet ridden
    client.post(page("mission_stage_remove", mission, number=1), {"sure": "yes"})
    assert not StageResult.objects.exists()


def test_stages_cannot_be_entered_before_the_event(client, mission):
    response = client.post(page("mission_board", mission), {"number": "1", "ride_mode": "gc"})
    assert response.status_code == 422


def test_moves_by_page_and_a_forbidden_one_says_what_is_allowed(client, mission):
    response = client.post(page("mission_move", mission), {"move": "start"})
    assert response.status_code == 409
    assert "finish" in response.content.decode()

    client.post(page("mission_move", mission), {"move": "finish", "why": "ill", "sure": "yes"})
    mission.refresh_from_db()
    assert mission.state == "MISSION_COMPLETE"
    assert mission.transitions.last().why == "ill"


def test_edit_shows_only_what_may_change_and_keeps_the_rest(client, mission):
    url = page("mission_edit", mission)
    form = client.get(url).context["form"]
    data = {
        name: value
        for name, value in ((f.html_name, f.value()) for f in form)
        if value is not None and value is not False
    }
    data |= {"name": "New name", "tuesday": "45", "area_0": "knee", "zone_0": "3"}
    response = client.post(url, data)

    assert response.status_code == 302, response.context["form"].errors
    mission.refresh_from_db()
    assert mission.name == "New name"
    assert mission.availability == {"monday": 75, "tuesday": 45}
    assert mission.constraints["injuries"] == [{"area": "knee", "avoid_types": [], "max_zone": 3}]
    assert mission.rules.count() == 1  # the plan was sent back unchanged

    assert client.post(url, data).status_code == 422  # an old version of the page


def test_a_stranger_and_staff_find_no_mission(client, staff, mission, other):
    for person in (other, staff):
        client.force_login(person)
        for name in (
            "mission",
            "mission_today",
            "mission_calendar",
            "mission_board",
            "mission_edit",
        ):
            assert client.get(page(name, mission)).status_code == 404


# -- the demonstration -----------------------------------------------------------------------


@pytest.fixture
def demo(django_user_model, client):
    person = django_user_model.objects.create_user(username="demo", email="d@example.org")
    client.force_login(person)
    return person


def test_the_whole_story_on_scripted_replies(client, demo, run_jobs, mailoutbox):
    """Wizard → PREP → TRAINING → event → points → wrap-up, stepping the clock, no key anywhere."""
    from django.utils import timezone

    today = timezone.now().date()
    first, last = today + days(3), today + days(4)
    draft = wizard(
        client, event_start=first.isoformat(), event_end=last.isoformat(), timezone="UTC"
    )
    client.post(step(draft, "stages"), {"stages": f"{first} flat\n{last} mountain Top"})
    client.post(step(draft, "review"))
    run_jobs()
    form = client.get(step(draft, "draft")).context["form"]
    client.post(step(draft, "draft"), {f.html_name: f.value() or "" for f in form})
    mission = Mission.objects.get()
    assert mission.is_demo
    client.post(page("mission_move", mission), {"move": "start"})
    for _ in range(2):
        client.post(page("mission_clock", mission), {"to": "morning"})
        run_jobs()
    run = MissionRun.objects.filter(kind="daily", status="succeeded").first()
    assert run.provider == "scripted"
    assert (
        "Demonstration replies, not coaching"
        in client.get(page("mission_today", mission)).content.decode()
    )

    for n in (1, 2):
        client.post(page("mission_clock", mission), {"to": "event" if n == 1 else "morning"})
        run_jobs()
        mission.refresh_from_db()
        assert mission.state == "EVENT_ACTIVE"
        assert client.post(
            page("mission_board", mission), {"number": str(n), "ride_mode": "breakaway"}
        ).status_code == 302  # fmt: skip
    client.post(page("mission_clock", mission), {"to": "morning"})
    run_jobs()
    mission.refresh_from_db()

    assert mission.state == "MISSION_COMPLETE"
    wrapup = MissionRun.objects.get(kind="wrapup")
    assert wrapup.status == "succeeded"
    assert "33 points" in wrapup.guidance["story"]  # 8 + 15 + the bonus of 10, counted by code
    text = client.get(page("mission", mission)).content.decode()
    assert wrapup.guidance["headline"] in text
    assert all("DEMO" in m.subject and "Demonstration replies" in m.body for m in mailoutbox)
    assert len(mailoutbox) >= 5


def test_only_the_demo_login_gets_scripted_replies(user, demo, settings):
    assert mission_demo.is_for(demo)
    assert not mission_demo.is_for(user)
    make_mission(demo)
    assert not mission_demo.is_for(demo)  # it has something of its own now
    Mission.objects.all().delete()
    file = AthleteUpload.objects.create(owner=demo, kind="apple", size=1)
    assert not mission_demo.is_for(demo)
    file.delete()
    assert mission_demo.is_for(demo)
    settings.COACHING_SCRIPTED_DEMO = False
    assert not mission_demo.is_for(demo)


def test_a_real_mission_has_no_clock_to_step(client, mission):
    assert client.post(page("mission_clock", mission)).status_code == 403


def test_a_red_flag_told_after_the_words_hides_them(client, mission):
    run = morning(mission)
    client.post(page("mission_check_in", mission), {"readiness": "60", "note": "I fainted earlier"})
    text = client.get(page("mission_today", mission)).content.decode()

    assert "belongs in a doctor" in text
    assert run.guidance["headline"] not in Page(client.get(page("mission_today", mission))).text(
        "guidance"
    )


def test_a_second_try_that_fails_keeps_the_first_words(client, mission):
    run = morning(mission)
    client.post(page("mission_run_now", mission))
    LlmAccount.objects.update(model="fake-404")
    work(run)
    text = Page(client.get(page("mission_today", mission))).text("guidance")

    assert run.guidance["headline"] in text
    assert "The newer try failed" in text
    answer = client.post(page("mission_answer", mission), {"choice": "done"})
    assert answer.status_code == 302


def test_a_demo_draft_is_refused_once_the_login_has_something_of_its_own(client, demo):
    draft = wizard(client)
    make_mission(demo)
    response = client.post(step(draft, "review"))

    assert response.status_code == 422
    assert "begin anew" in response.content.decode()
