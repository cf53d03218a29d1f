"""The mission pages: what they show, that a swap equals a reload, and who may not enter."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import (
    AthleteUpload,
    Consent,
    LlmAccount,
    Mission,
    MissionDraft,
    MissionRun,
    StageResult,
)
from coaching.services import mission_demo, mission_runs, mission_upkeep
from coaching.tests.mission_builders import (
    NOW,
    check_in,
    days,
    give_model,
    make_mission,
    start,
)
from racecontrol.testing.pages import Page, assert_swap_equals_reload

pytestmark = pytest.mark.django_db
MORNING = NOW + timedelta(hours=1, minutes=10)


@pytest.fixture
def at(monkeypatch):
    """Sets the clock the pages and tasks read."""

    def set_to(moment):
        for module in (
            "views.missions",
            "views.mission_wizard",
            "views.mission_settings",
            "tasks.missions",
        ):
            monkeypatch.setattr(f"coaching.{module}.now", lambda: moment)

    set_to(MORNING)
    return set_to


@pytest.fixture
def mission(user, fake, quick, at):
    give_model(user, fake)
    return start(make_mission(user))


def page(name, mission, **kwargs):
    return reverse(f"coaching:{name}", kwargs={"mission_id": mission.pk} | kwargs)


def write_today(mission, now=MORNING) -> MissionRun:
    check_in(mission, now)
    mission_upkeep.tick(real_now=now)
    run = MissionRun.objects.get(kind="daily", local_date=mission.today(now))
    mission_runs.run_mission(
        mission_id=mission.pk, local_date=run.local_date, kind="daily", real_now=now
    )
    run.refresh_from_db()
    return run


def test_today_shows_the_words_the_facts_and_what_to_answer(client, mission):
    run = write_today(mission)
    text = client.get(page("mission_today", mission)).content.decode()

    assert run.guidance["headline"] in text
    assert "Readiness" in text
    assert "70 of 100" in text
    assert "done differently" in text
    assert "no-store" in client.get(page("mission_today", mission)).headers["Cache-Control"]


def test_before_the_morning_and_without_words_the_page_says_so(client, mission, at):
    at(NOW)
    assert "Not yet" in client.get(page("mission_today", mission)).content.decode()

    LlmAccount.objects.update(model="fake-401")
    run = write_today(mission)
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


def test_a_bad_check_in_is_refused_in_place(client, mission):
    response = client.post(page("mission_check_in", mission), {"readiness": "140"})

    assert response.status_code == 422
    assert not mission.owner.check_ins.exists()


def test_the_answer_of_the_day_swaps_as_a_reload(client, mission):
    run = write_today(mission)
    data = {"choice": "adjusted", "note": "shorter", "on": run.local_date.isoformat()}

    assert_swap_equals_reload(
        client, page("mission_answer", mission), data, part="guidance",
        path=page("mission_today", mission),
    )  # fmt: skip
    run.refresh_from_db()
    assert (run.response.choice, run.response.note) == ("adjusted", "shorter")


def test_an_earlier_day_can_still_be_answered(client, mission, at):
    run = write_today(mission)
    at(MORNING + days(1))
    response = client.post(
        page("mission_answer", mission), {"choice": "done", "on": run.local_date.isoformat()}
    )

    assert response.url == page("mission_day", mission, on="2026-06-01")
    assert "You said: <strong>done</strong>" in client.get(response.url).content.decode()


def test_a_day_shows_what_was_sent(client, mission):
    write_today(mission)
    text = client.get(page("mission_day", mission, on="2026-06-01")).content.decode()

    assert "FACTS" in text
    assert "100 + 20 tokens" in text
    assert "sk-test" not in text


def test_the_calendar_shows_gaps_stages_and_today(client, mission, at):
    write_today(mission)
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
    client.post(page("mission_stage_remove", mission, number=1))
    assert not StageResult.objects.exists()


def test_stages_cannot_be_entered_before_the_event(client, mission):
    response = client.post(page("mission_board", mission), {"number": "1", "ride_mode": "gc"})
    assert response.status_code == 422


def test_moves_by_page_and_a_forbidden_one_says_what_is_allowed(client, mission):
    response = client.post(page("mission_move", mission), {"move": "start"})
    assert response.status_code == 409
    assert "finish" in response.content.decode()

    client.post(page("mission_move", mission), {"move": "finish", "why": "ill"})
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


# -- the wizard ------------------------------------------------------------------------------

EVENT = {
    "event_name": "Coast Ride", "mission_type": "road_stage_race", "event_start": "2026-07-04",
    "event_end": "2026-07-06", "timezone": "Europe/Berlin", "goals": "Enjoy it.",
}  # fmt: skip
PLAN = "2026-07-04 flat Harbour\n2026-07-05 rest\n2026-07-06 hilly"


def wizard(client, **answers) -> MissionDraft:
    response = client.post(reverse("coaching:mission_new"), EVENT | answers)
    assert response.status_code == 302, response.content
    return MissionDraft.objects.get()


def step(draft, name):
    return reverse("coaching:mission_draft", args=[draft.pk, name])


def fill(client, draft):
    client.post(step(draft, "stages"), {"stages": PLAN})
    client.post(
        step(draft, "time"),
        {"run_at": "06:00", "monday": "60", "blocked_days": "2026-06-10", "email": "on"},
    )
    client.post(step(draft, "rider"), {"ftp": "210"})
    client.post(
        step(draft, "limits"),
        {"force_rest_readiness": "40", "area_0": "knee", "zone_0": "4", "avoid_0": ["vo2max"]},
    )


def test_the_wizard_keeps_its_answers_from_step_to_step(client, fake, at):
    draft = wizard(client)
    fill(client, draft)
    draft.refresh_from_db()

    assert draft.answers["stage_plan"]["rest_days"] == ["2026-07-05"]
    assert draft.answers["constraints"]["blocked_days"] == ["2026-06-10"]
    assert draft.answers["constraints"]["injuries"][0]["area"] == "knee"
    again = client.get(step(draft, "time")).content.decode()
    assert 'value="60"' in again
    assert 'value="06:00"' in again
    assert "Harbour" in client.get(step(draft, "stages")).content.decode()
    assert "Coast Ride" in client.get(step(draft, "event")).content.decode()


def test_from_the_wizard_to_a_mission_with_a_letter(client, user, fake, quick, at, run_jobs):
    give_model(user, fake)
    draft = wizard(client)
    fill(client, draft)
    assert client.post(step(draft, "review")).status_code == 422  # no consent yet
    response = client.post(step(draft, "review"), {"consent": "1"})
    assert response.url == step(draft, "draft")
    assert "is writing" in client.get(response.url).content.decode()

    run_jobs()
    assert not Mission.objects.exists()  # nothing is saved before it is confirmed
    form = client.get(step(draft, "draft")).context["form"]
    data = {f.html_name: f.value() or "" for f in form} | {"name": "My coast"}
    response = client.post(step(draft, "draft"), data)

    mission = Mission.objects.get()
    assert response.url == page("mission", mission)
    assert (mission.name, mission.state, mission.run_at.hour) == ("My coast", "PREP", 6)
    assert [s.type for s in mission.current_rules.plan.stages] == ["flat", "hilly"]
    assert mission.constraints["force_rest_readiness"] == 40
    assert mission.constraints["injuries"][0]["max_zone"] == 4
    run_jobs()
    letter = MissionRun.objects.get(kind="onboarding")
    assert letter.status == "succeeded"
    assert letter.guidance["headline"] in client.get(response.url).content.decode()


def test_a_draft_with_problems_is_shown_with_them_by_field(client, user, fake, quick, at, run_jobs):
    give_model(user, fake, "lies-number")
    draft = wizard(client)
    client.post(step(draft, "review"), {"consent": "1"})
    run_jobs()
    text = client.get(step(draft, "draft")).content.decode()

    assert "does not hold in every part" in text
    assert "goal_statement" in text
    assert "487" in text


def test_a_model_that_is_down_leaves_a_form_to_fill_in(client, user, fake, quick, at, run_jobs):
    give_model(user, fake, "500-forever")
    draft = wizard(client)
    client.post(step(draft, "review"), {"consent": "1"})
    run_jobs()
    page_ = client.get(step(draft, "draft"))

    assert "There is no draft" in page_.content.decode()
    assert page_.context["form"]["event_name"].value() == "Coast Ride"


def test_missing_answers_are_named_before_the_model_is_asked(client, user, fake, at):
    give_model(user, fake)
    draft = wizard(client, event_end="2026-07-01")
    response = client.post(step(draft, "review"), {"consent": "1"})

    assert response.status_code == 422
    assert "event_end" in response.content.decode()
    assert fake.asked == []


def test_bad_lines_are_refused_by_line(client, at):
    draft = wizard(client)
    response = client.post(step(draft, "stages"), {"stages": "2026-07-04 flat\nsoon hilly"})

    assert response.status_code == 422
    assert "Line 2" in response.content.decode()


def test_without_a_model_the_wizard_says_so(client, at):
    draft = wizard(client)
    response = client.post(step(draft, "review"), {"consent": "1"})

    assert response.status_code == 422
    assert "No language model" in response.content.decode()


# -- settings --------------------------------------------------------------------------------


def test_a_key_is_kept_sealed_and_only_its_end_is_shown(client, user, settings):
    url = reverse("coaching:settings")
    data = {"base_url": "https://api.openai.com/v1", "model": "gpt", "api_key": "sk-abcdefghij1234"}
    assert client.post(url, data).status_code == 302
    text = client.get(url).content.decode()

    assert "1234" in text
    assert "sk-abcdefghij" not in text
    assert LlmAccount.objects.get().api_key == "sk-abcdefghij1234"
    # another address does not inherit the key
    client.post(url, data | {"base_url": "https://api.mistral.ai/v1", "api_key": ""})
    assert LlmAccount.objects.get().api_key == ""


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/v1", "https://10.0.0.1/v1", "https://evil.example/v1", "file:///etc"],
)
def test_an_address_that_is_not_allowed_is_refused(client, url):
    response = client.post(reverse("coaching:settings"), {"base_url": url, "model": "m"})

    assert response.status_code == 422
    assert not LlmAccount.objects.exists()


def test_testing_the_connection_finds_the_mode(client, user, fake, quick, run_jobs):
    give_model(user, fake, "no-schema")
    client.post(reverse("coaching:settings_test"))
    run_jobs()

    account = LlmAccount.objects.get()
    assert (account.mode, account.status) == ("json_object", "good")


def test_testing_a_bad_key_says_so_without_the_key(client, user, fake, quick, run_jobs):
    give_model(user, fake, "401")
    client.post(reverse("coaching:settings_test"))
    run_jobs()
    text = client.get(reverse("coaching:settings")).content.decode()

    assert "does not accept the key" in text
    assert "sk-test" not in text


def test_consent_is_given_and_taken_back(client, user):
    url = reverse("coaching:settings_consent")
    client.post(url, {"purpose": "health", "give": "1"})
    assert Consent.objects.get().withdrawn_at is None
    client.post(url, {"purpose": "health", "give": "0"})
    assert Consent.objects.get().withdrawn_at is not None


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
    run = write_today(mission)
    client.post(page("mission_check_in", mission), {"readiness": "60", "note": "I fainted earlier"})
    text = client.get(page("mission_today", mission)).content.decode()

    assert "belongs in a doctor" in text
    assert run.guidance["headline"] not in Page(client.get(page("mission_today", mission))).text(
        "guidance"
    )


def test_a_second_try_that_fails_keeps_the_first_words(client, mission):
    run = write_today(mission)
    client.post(page("mission_run_now", mission))
    LlmAccount.objects.update(model="fake-404")
    mission_runs.run_mission(
        mission_id=mission.pk, local_date=run.local_date, kind="daily", real_now=MORNING
    )
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
