"""The wizard and the settings: answers kept, problems by field, keys never shown."""

import pytest
from django.urls import reverse

from coaching.models import Consent, LlmAccount, Mission, MissionRun
from coaching.tests.mission_builders import give_model
from coaching.tests.mission_pages import page, step, wizard

pytestmark = pytest.mark.django_db


# -- the wizard ------------------------------------------------------------------------------

PLAN = "2026-07-04 flat Harbour\n2026-07-05 rest\n2026-07-06 hilly"


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
    client.post(url, {"purpose": "health", "give": "0", "sure": "yes"})
    assert Consent.objects.get().withdrawn_at is not None
