"""An athlete's season: sign up, bring data, a mission with its mornings and its event, and leave.

Once as a person in a browser, once as a program over the API. Nobody helps from behind but the
clock, the worker, and stand-ins of the ring's service and of the model.
"""

import io
import re
import sys
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from playwright.sync_api import expect

import racecontrol.urls  # noqa: F401 - loads every page and operation, whose clocks are set below
from coaching import tasks
from coaching.connections.fakes import FakeProviders, world
from coaching.llm.fake_openai import FakeOpenAI
from coaching.models import Connection, Mission, MissionRun
from coaching.tests.activity_bytes import gpx
from racecontrol.models import User
from racecontrol.shared import jobs
from racecontrol.testing.leftovers import places_of
from racecontrol.tests.journeys.ways import Api, make_account, program_of_newcomer

pytestmark = pytest.mark.django_db(transaction=True)
BERLIN = ZoneInfo("Europe/Berlin")
NAME, EMAIL, PASSWORD = "xanthippe", "xanthippe@quirk.example", "long-Hill-repeats-7"
MORNINGS = 7
FIRST, LAST = MORNINGS + 1, MORNINGS + 2  # the days of the event


class Season:
    """The days that pass: coaching's clock, what the services know by then, and the worker."""

    def __init__(self, monkeypatch, ring: FakeProviders):
        self.ring = ring
        self.first = timezone.now().astimezone(BERLIN).date()
        self.set(0, time(9))
        for name, module in list(sys.modules.items()):
            is_ours = name.startswith("coaching.") and ".tests" not in name
            if is_ours and getattr(module, "now", None) is timezone.now:
                monkeypatch.setattr(module, "now", lambda: self.moment)

    def day(self, number: int) -> date:
        """Local date of a day of the story; 0 is the day of signing up."""
        return self.first + timedelta(days=number)

    def at(self, number: int, clock: time) -> datetime:
        return datetime.combine(self.day(number), clock, BERLIN).astimezone(UTC)

    def set(self, number: int, clock: time) -> None:
        self.moment, today = self.at(number, clock), self.day(number)
        self.ring.readiness, self.ring.nights = world.readiness(today), world.nights(today)
        self.ring.beats, self.ring.wellness = world.beats(today), world.wellness(today)
        self.ring.trainings = world.trainings(today)

    def morning(self, number: int) -> None:
        """05:45 in Berlin: what the schedules do every morning, then the worker."""
        self.set(number, time(5, 45))
        tasks.sync_connections()
        self.work()
        tasks.tick()
        self.work()

    def work(self) -> None:
        """The worker: every due job, until none is left."""
        while job := self._next():
            jobs.run_now(job)

    def _next(self) -> jobs.Job | None:
        due = jobs.Job.objects.filter(state="queued", run_at__lte=timezone.now())
        return due.order_by("run_at").first()

    def ride(self, number: int) -> bytes:
        """A recording of an hour's ride in the forenoon of that day."""
        return gpx(361, step_s=10, bpm=150, start=self.at(number, time(10, 30)))

    def stages(self) -> str:
        return f"{self.day(FIRST)} flat Harbour\n{self.day(LAST)} mountain Top"


@pytest.fixture
def season(settings, monkeypatch, own_storage, providers):
    with FakeOpenAI() as model:
        settings.LLM_BASE_URL, settings.LLM_MODEL = model.base_url, "fake-happy"
        settings.LLM_API_KEY = "sk-operator-0123456789"
        yield Season(monkeypatch, providers)


# -- in a browser ------------------------------------------------------------------------------


def sign_up(page):
    page.goto("/accounts/signup/")
    make_account(page, NAME, PASSWORD, EMAIL)
    expect(page.get_by_role("heading", name=f"Hello {NAME}")).to_be_visible()


def to(page, *links: str) -> None:
    """Follow these links, one page after the other."""
    for name in links:
        page.locator("#main, nav").get_by_role("link", name=name, exact=True).first.click()


def send_file(page, season, name: str, content: bytes) -> None:
    page.goto("/coaching/athlete/uploads/")
    file = {"name": name, "mimeType": "application/gpx+xml", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#upload-history")).to_contain_text(name)
    season.work()
    # what came of it stands there by itself
    expect(page.locator("#upload-history article").first).to_contain_text("1 activity")


def bring_data(page, season):
    to(page, "Coaching", "Athlete", "Connections")
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("link", name="Connect Oura").click()
    expect(page.get_by_text("Oura is connected")).to_be_visible()
    season.work()
    expect(page.locator("#oura")).to_contain_text(f"up to {season.day(0):%-d %b %Y}")
    send_file(page, season, "ride.gpx", season.ride(-1))


def build_mission(page, season):
    page.goto("/coaching/missions/")
    to(page, "New mission")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")  # the browser's own
    page.get_by_label("Event", exact=True).fill("Harbour Tour")
    page.get_by_label("First event day").fill(season.day(FIRST).isoformat())
    page.get_by_label("Last event day").fill(season.day(LAST).isoformat())
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Stages").fill(season.stages())
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Monday (min)").fill("90")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("FTP (W)").fill("205")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Review").click()
    page.get_by_label("I agree that my check-ins").check()
    page.get_by_role("button", name="Ask for a draft").click()
    expect(page.get_by_text("is writing your draft")).to_be_visible()
    season.work()
    page.get_by_label("Name", exact=True).fill("My harbour")  # the form comes by itself
    page.get_by_role("button", name="Save the mission").click()
    page.get_by_role("button", name="Start the mission").click()
    expect(page.get_by_text("My harbour is now training")).to_be_visible()
    season.work()


def mornings(page, season):
    for number in range(1, MORNINGS + 1):
        season.morning(number)
        if number == 1:
            page.goto("/")
            to(page, "Today")
            expect(page.locator("#guidance")).to_contain_text("Your readiness is 70 this morning")
        elif number == 2:
            page.reload()
            page.get_by_label("How ready do you feel?").fill("64")
            page.get_by_label("Anything the coach should know?").fill("legs like wood")
            page.get_by_role("button", name="Check in").click()
            expect(page.locator("#check-in .badge")).to_have_text("done")
    page.reload()
    page.get_by_label("done", exact=True).check()
    page.locator("#guidance").get_by_role("button", name="Tell").click()
    expect(page.get_by_text("You said:")).to_be_visible()


def event(page, season):
    season.morning(FIRST)
    page.reload()
    expect(page.locator("#guidance")).to_contain_text("ride mode:")
    season.set(FIRST, time(12))
    send_file(page, season, "stage.gpx", season.ride(FIRST))
    page.goto("/coaching/missions/")
    to(page, "Board")
    board = page.locator("#board")
    expect(board).to_contain_text("from a recording")

    page.get_by_label("Stage", exact=True).select_option("1")
    page.get_by_label("Ridden as").select_option("gc")
    page.get_by_role("button", name="Save").click()
    expect(board).to_contain_text("1 of 2 ridden")
    expect(board.locator("tr", has_text="Harbour")).to_contain_text("gc")
    season.morning(LAST)
    page.reload()
    page.get_by_label("Stage", exact=True).select_option("2")
    page.get_by_label("Ridden as").select_option("breakaway")
    page.get_by_role("button", name="Save").click()
    expect(board.get_by_text("earned")).to_be_visible()
    season.morning(LAST + 1)
    page.locator("nav.tabs").get_by_role("link", name="Mission").click()
    expect(page.get_by_role("heading", name="DEMO: looking back")).to_be_visible()
    expect(page.locator("#main")).to_contain_text("You leave it with 30 points")  # 5 + 15 + 10


def take_everything_along(page, season) -> zipfile.ZipFile:
    page.goto("/account/")
    to(page, "Your data")
    page.get_by_role("button", name="Pack my data").click()
    expect(page.locator("#exports .badge")).to_be_visible()
    season.work()
    with page.expect_download() as got:
        page.get_by_role("link", name="Fetch").click()  # comes by itself
    return zipfile.ZipFile(io.BytesIO(Path(got.value.path()).read_bytes()))


def leave(page, season):
    to(page, "Delete my account")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("I know that nothing").check()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", name="Your account is locked")).to_be_visible()
    season.work()


def check_season(season) -> list[MissionRun]:
    """One run a morning, all written; one mail for each of them."""
    mission = Mission.objects.get()
    assert (mission.state, mission.tz) == ("MISSION_COMPLETE", "Europe/Berlin")
    runs = list(mission.runs.filter(kind="daily", local_date__gt=season.first))
    assert sorted(run.local_date for run in runs) == [season.day(n) for n in range(1, LAST + 1)]
    assert {run.status for run in runs} == {"succeeded"}
    subjects = [letter.subject for letter in mail.outbox]
    for number in range(1, LAST + 1):
        assert sum(s.startswith(f"{season.day(number):%a %-d %b}:") for s in subjects) == 1
    return runs


def check_box(box: zipfile.ZipFile) -> None:
    """Everything is in it and readable, and nothing that opens doors."""
    names = {name.split("/")[-1] for name in box.namelist()}
    rooms = (
        "mission",
        "missionrun",
        "checkin",
        "activity",
        "dailymetric",
        "stageresult",
        "connection",
    )
    assert names >= {f"coaching.{name}.json" for name in rooms}
    text = " ".join(box.read(name).decode() for name in box.namelist())
    assert "legs like wood" in text
    assert not re.search(r"\b(?:at|rt)-[0-9a-f]{24}|sk-operator|icu-key", text)


@pytest.mark.browser
def test_a_season_in_a_browser(open_page, season):
    page = open_page(timezone_id="Europe/Berlin")
    sign_up(page)
    bring_data(page, season)
    build_mission(page, season)
    mornings(page, season)
    event(page, season)
    check_season(season)
    token = Connection.objects.get().access_token

    check_box(take_everything_along(page, season))
    leave(page, season)

    assert not User.objects.exists()
    assert season.ring.oura.revoked == [token]
    assert places_of(NAME, "quirk") == []
    page.goto("/accounts/login/")
    page.get_by_label("Login").fill(NAME)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("#main button").first.click()
    expect(page.locator("#main")).to_contain_text("not correct")
    page.problems.clear()  # the browser tells of the refused sign-in


# -- over the API ------------------------------------------------------------------------------


def bring(api, name: str, content: bytes) -> str:
    file = SimpleUploadedFile(name, content)
    return api.client.post("/api/v1/athlete/uploads", {"file": file}).json()["id"]


def test_a_season_over_the_api(stranger, season):
    at = "athlete"
    told = {"email": EMAIL, "time_zone": "Europe/Berlin"}
    api = Api(program_of_newcomer(stranger, NAME, PASSWORD, **told), good=(200,))
    assert api("get", "me")["time_zone"] == "Europe/Berlin"

    # data: a service by its key, a recording, the numbers that make load of both
    for purpose in ("health", "model"):
        api("put", f"{at}/consents/{purpose}", {"is_given": True})
    api("put", f"{at}/connections/intervals/key", {"api_key": "icu-key"})
    upload = bring(api, "ride.gpx", season.ride(-1))
    season.work()
    assert api("get", f"{at}/connections/intervals")["synced_until"] == season.day(0).isoformat()
    assert api("get", f"{at}/uploads/{upload}")["message"] == "1 activity"
    api("put", f"{at}/numbers", {"threshold_w": 205})
    assert api("get", f"{at}/form")["days"][-1]["ctl"] > 0

    # the mission: drafted by the model, confirmed as edited, started
    answers = {
        "event_name": "Harbour Tour", "mission_type": "road_stage_race", "timezone": "Europe/Berlin",
        "event_start": season.day(FIRST).isoformat(), "event_end": season.day(LAST).isoformat(),
        "stage_plan": {"stages": [
            {"number": 1, "on": season.day(FIRST).isoformat(), "type": "flat", "name": "Harbour"},
            {"number": 2, "on": season.day(LAST).isoformat(), "type": "mountain", "name": "Top"},
        ], "rest_days": []},
    }  # fmt: skip
    draft = api("post", "missions/drafts", answers, status=202)
    season.work()
    ready = api("get", f"missions/drafts/{draft['id']}")
    assert ready["status"] == "ready"
    edited = answers | {"name": "My harbour", "prep_start": ready["proposal"]["prep_start"]}
    mission = api("post", f"missions/drafts/{draft['id']}/confirm", edited, status=201)
    of = f"missions/{mission['id']}"
    assert api("post", f"{of}/start", {})["state"] == "TRAINING"
    season.work()

    # a week of mornings
    for number in range(1, MORNINGS + 1):
        season.morning(number)
        if number == 2:
            note = {"readiness": 64, "note": "legs like wood"}
            api("put", f"{of}/check-in", note)
    today = season.day(MORNINGS).isoformat()
    assert api("get", f"{of}/runs/{today}")["guidance"]["headline"]
    assert api("post", f"{of}/runs/{today}/answer", {"choice": "done"})["choice"] == "done"

    # the event, scored from a recording and by word; the look back
    season.morning(FIRST)
    season.set(FIRST, time(12))
    bring(api, "stage.gpx", season.ride(FIRST))
    season.work()
    assert api("get", f"{of}/progress")["done"] == 1
    api("put", f"{of}/stages/1", {"ride_mode": "gc"})
    season.morning(LAST)
    assert api("put", f"{of}/stages/2", {"ride_mode": "breakaway"})["total"] == 30
    season.morning(LAST + 1)
    assert api("get", of)["state"] == "MISSION_COMPLETE"
    look_back = api("get", f"{of}/runs/{season.day(LAST + 1)}?kind=wrapup")
    assert "You leave it with 30 points" in look_back["guidance"]["story"]
    check_season(season)

    # everything along, and away
    packed = api("post", "me/exports", status=202)["id"]
    season.work()
    assert api("get", f"me/exports/{packed}")["is_ready"]
    answer = api.client.get(f"/api/v1/me/exports/{packed}/file")
    check_box(zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))))
    api("post", "me/deletion", {"password": PASSWORD, "is_sure": True}, status=202)
    api("get", "me", status=401)
    season.work()
    assert not User.objects.exists()
    assert places_of(NAME, "quirk") == []
