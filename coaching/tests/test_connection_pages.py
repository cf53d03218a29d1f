"""The connections page, the way to a provider and back, the hook, and a browser walking it all."""

import json
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command

from coaching.models import Activity, Connection, DailyMetric
from coaching.services import athlete
from coaching.tests.connected import connect, stand_ins
from racecontrol.shared.jobs import Job
from racecontrol.testing.browser import PHONE
from racecontrol.testing.pages import HTMX, Page
from racecontrol.testing.people import signed_in

pytestmark = pytest.mark.django_db
HOME = "/coaching/athlete/connections/"
INTO = HTMX | {"HX-Target": "connections"}
HOOK_SECRET = "s3cret-of-the-hook"
HOOK = f"/coaching/hooks/strava/{HOOK_SECRET}/"


@pytest.fixture
def agreed(user):
    athlete.set_health_consent(by=user, is_given=True)


def sent_to(answer) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def test_consent_comes_first(client, providers):
    page = client.get(HOME).text

    assert "I agree" in page
    assert "Connect Oura" not in page
    assert client.get(f"{HOME}oura/connect/").status_code == 403

    client.post("/coaching/athlete/consent/", {"give": "yes", "next": "connections"})
    assert "Connect Oura" in client.get(HOME).text


def test_the_page_says_why_strava_enters_nothing(client, providers, agreed, settings):
    assert "API policy" in client.get(HOME).text

    settings.STRAVA_DATA_IN_COACHING = True
    assert "API policy" not in client.get(HOME).text


def test_a_provider_nobody_registered_says_so(client, agreed):
    assert "has not registered this site with Strava" in client.get(HOME).text
    assert client.get(f"{HOME}strava/connect/").status_code == 409
    assert client.get(f"{HOME}garmin/connect/").status_code == 404


def test_health_pages_are_kept_by_nobody(client, providers, agreed):
    for path in (HOME, f"{HOME}oura/connect/"):
        assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.parametrize("provider", ["strava", "oura", "intervals"])
def test_there_and_back(client, user, providers, agreed, run_jobs, provider):
    there = client.get(f"{HOME}{provider}/connect/")
    asked = sent_to(there)
    assert there["Location"].startswith(providers.origin)
    assert asked["redirect_uri"] == f"http://testserver{HOME}{provider}/back/"
    assert len(asked["state"]) > 40
    code, given = providers.house(provider).new_code(asked["scope"].replace(",", " ").split())

    back = {"code": code, "state": asked["state"], "scope": ",".join(given)}
    answer = client.get(f"{HOME}{provider}/back/", back)

    assert answer["Location"] == HOME
    run_jobs()
    assert Connection.objects.get().owner == user
    assert "up to" in client.get(HOME).text
    again = client.get(f"{HOME}{provider}/back/", back)  # the state is good once
    assert again.status_code == 422


def test_a_state_of_another_session_or_provider_or_none_is_refused(
    client, other, providers, agreed
):
    asked = sent_to(client.get(f"{HOME}oura/connect/"))
    code, _ = providers.oura.new_code([])
    thief = signed_in(other)

    for browser, path, state in [
        (thief, f"{HOME}oura/back/", asked["state"]),
        (client, f"{HOME}strava/back/", asked["state"]),
        (client, f"{HOME}oura/back/", ""),
        (client, f"{HOME}oura/back/", "ö"),
    ]:
        answer = browser.get(path, {"code": code, "state": state})
        assert answer.status_code == 422
    assert Connection.objects.count() == 0
    assert providers.calls("/token") == 0


def test_another_site_cannot_start_it(client, providers, agreed):
    answer = client.get(f"{HOME}oura/connect/", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


def test_saying_no_there_is_heard(client, providers, agreed):
    asked = sent_to(client.get(f"{HOME}oura/connect/"))

    answer = client.get(
        f"{HOME}oura/back/", {"error": "access_denied", "state": asked["state"]}, follow=True
    )

    assert "did not allow" in answer.text
    assert Connection.objects.count() == 0


def test_a_broken_provider_on_the_way_back_is_said(client, providers, agreed):
    asked = sent_to(client.get(f"{HOME}oura/connect/"))
    providers.fail("500", path="/token")

    answer = client.get(f"{HOME}oura/back/", {"code": "x", "state": asked["state"]}, follow=True)

    assert "busy or broken" in answer.text


def test_a_key_connects_and_a_wrong_one_stays_in_the_form(client, providers, agreed, run_jobs):
    wrong = client.post(f"{HOME}key/", {"api_key": "nope"}, headers=INTO)
    assert wrong.status_code == 422
    assert "does not accept this key" in Page(wrong).text("connections")
    assert "nope" not in wrong.text

    assert client.post(f"{HOME}key/", {"api_key": "icu-key"}).status_code == 302
    run_jobs()
    page = client.get(HOME).text
    assert "with your key" in page
    assert "icu-key" not in page


def test_the_last_error_is_shown_in_plain_words(client, user, providers, run_jobs):
    row = connect(providers, user, "oura")
    providers.fail("426", times=-1, path="usercollection")

    run_jobs()

    assert "asks you to update its app" in client.get(HOME).text
    providers.faults.clear()
    client.post(f"{HOME}oura/test/")
    run_jobs()
    assert "Oura answers." in client.get(HOME).text
    row.refresh_from_db()
    assert row.last_error == ""


def test_fetching_now_queues_one_job(client, user, providers, run_jobs):
    connect(providers, user, "oura")
    run_jobs()

    client.post(f"{HOME}oura/fetch/")
    client.post(f"{HOME}oura/fetch/")

    assert Job.objects.filter(func="coaching.tasks.sync_connection", state="queued").count() == 1


def test_ending_takes_what_came_with_it_on_demand(client, user, providers, run_jobs):
    connect(providers, user, "oura")
    run_jobs()

    client.post(f"{HOME}oura/end/", {"drop": "on", "sure": "yes"})

    assert Connection.objects.count() == DailyMetric.objects.count() == 0
    assert client.post(f"{HOME}oura/end/").status_code == 404


# -- the hook ----------------------------------------------------------------------------------


def hear(browser, body, path=HOOK):
    return browser.post(path, body, content_type="application/json")


def test_the_hook_proves_itself_and_hides_without_the_secret(stranger, settings):
    proof = {"hub.mode": "subscribe", "hub.challenge": "abc", "hub.verify_token": HOOK_SECRET}
    assert stranger.get(HOOK, proof).status_code == 404

    settings.STRAVA_WEBHOOK_SECRET = HOOK_SECRET
    assert stranger.get(HOOK, proof).json() == {"hub.challenge": "abc"}
    assert stranger.get(HOOK, proof | {"hub.verify_token": "x"}).status_code == 404
    assert stranger.get("/coaching/hooks/strava/wrong/", proof).status_code == 404
    assert hear(stranger, "{}", "/coaching/hooks/strava/wrong/").status_code == 404


def test_a_hint_queues_a_look_and_nonsense_is_answered_and_left(
    stranger, user, providers, settings, run_jobs, queued
):
    settings.STRAVA_WEBHOOK_SECRET = HOOK_SECRET
    connect(providers, user, "strava")
    run_jobs()
    hint = {"object_type": "activity", "object_id": 9_000_000_000, "aspect_type": "update",
            "owner_id": 4242, "subscription_id": 1, "event_time": 1, "updates": {}}  # fmt: skip
    before = Job.objects.count()

    for body in ["", "[]", "{", "null", json.dumps(hint | {"owner_id": 1}),
                 json.dumps(hint | {"object_id": "../../x"}), json.dumps({"object_type": "x"}),
                 json.dumps(hint | {"object_id": "9" * 50}), "x" * 20_000]:  # fmt: skip
        assert hear(stranger, body).status_code == 200
    assert Job.objects.count() == before

    assert hear(stranger, json.dumps(hint)).status_code == 200
    assert hear(stranger, json.dumps(hint)).status_code == 200
    assert Job.objects.count() == before + 1
    providers.rides[0]["name"] = "Renamed"
    run_jobs()
    assert Activity.objects.get(external_id="9000000000").detail.title == "Renamed"


def test_the_subscription_is_made_shown_and_ended_by_command(providers, settings):
    def run(action):
        out = StringIO()
        call_command("strava_webhook", action, stdout=out)
        return out.getvalue().strip()

    with pytest.raises(CommandError, match="STRAVA_WEBHOOK_SECRET"):
        run("show")
    settings.STRAVA_WEBHOOK_SECRET = HOOK_SECRET
    settings.PUBLIC_URL = "https://race.example.org"

    assert run("show") == "subscriptions: none"
    assert run("create") == run("create") == "subscriptions: 1"
    assert providers.subscriptions == {1: f"https://race.example.org{HOOK}"}
    assert run("delete") == "subscriptions: none"
    providers.fail("401", times=-1)
    with pytest.raises(CommandError, match="does not accept"):
        run("show")


# -- in a browser ------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_connecting_and_disconnecting_in_a_browser(settings, browser_client, user, run_jobs):
    with stand_ins(settings, is_asking=True) as providers:
        page = browser_client
        page.set_viewport_size(PHONE)
        page.goto(HOME)
        page.click("text=I agree")
        page.click("text=Connect Oura")
        page.wait_for_url(f"{providers.origin}/**")
        page.click("text=Deny")
        page.wait_for_selector("text=did not allow it there")
        page.click("text=Connect Oura")
        page.click("text=Allow")
        page.wait_for_selector("text=Oura is connected")
        assert page.inner_text("#oura .badge") == "connected"
        run_jobs()
        page.reload()
        assert "up to" in page.inner_text("#oura")
        assert DailyMetric.objects.filter(owner=user).exists()

        page.click("summary:has-text('Disconnect Oura')")
        page.check("#oura input[name=drop]")
        page.click("#oura button:has-text('Disconnect')")
        page.click("dialog button:has-text('Disconnect')")
        page.wait_for_selector("text=Oura is disconnected")
        assert page.inner_text("#oura .badge") == "not connected"
        run_jobs()
        assert len(providers.oura.revoked) == 1
    assert not Connection.objects.exists()
    assert not DailyMetric.objects.exists()
