"""The endurance strategist: from a new account to a race on the wall, its report and the next plan.

The race is one that was driven already: its clock is what the timing bridge told last.
"""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import expect

from ingestion.tests import builders as timing
from racecontrol.testing.browser import PHONE, take_picture
from racecontrol.testing.people import make_person, program, signed_in
from racecontrol.tests.journeys.ways import Api, make_account
from strategy.models import RaceStrategy, StrategyEvent
from strategy.services.live import changes

pytestmark = [pytest.mark.django_db(transaction=True)]

# Three hours over the night in which Berlin's clocks go back.
STARTS_AT = datetime(2025, 10, 25, 23, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
LAP_MS, STINT_LAPS, STOP_MS = 120_000, 15, 70_000
PASSWORD = "five-lap-Heat-9"
# Four of the six: zone, and the half hours of the race they are free in.
OTHERS = {
    "ana": ("America/Sao_Paulo", range(6)),
    "ben": ("Australia/Sydney", range(1, 6)),
    "cleo": ("Europe/Berlin", range(4)),
    "dan": ("Asia/Tokyo", range(2, 6)),
}


def windows(half_hours):
    moments = [STARTS_AT + n * HALF_HOUR for n in half_hours]
    return [
        {"starts_at": at.isoformat(), "ends_at": (at + HALF_HOUR).isoformat()} for at in moments
    ]


class Bridge:
    """Tells laps and stops of a car to the wall, with a token that may do nothing else."""

    def __init__(self, strategy_id, by):
        self.call, self.path = Api(program(by, "feed")), f"strategies/{strategy_id}/live/feed/batch"
        self.lap = self.at_ms = 0

    def send(self, *events):
        assert self.call("post", self.path, {"source": "bridge", "events": events})["refused"] == []

    def drive(self, laps, lap_ms=LAP_MS, fuel_ml=None):
        """So many laps of about `lap_ms`; 3.1 l a lap where the fuel at the first is given."""
        told = []
        for n in range(laps):
            self.lap, self.at_ms = self.lap + 1, self.at_ms + lap_ms + 100 * (n % 3)
            told.append(
                {"key": f"lap-{self.lap}", "kind": "lap", "lap": self.lap, "at_ms": self.at_ms}
            )
        if fuel_ml:
            told[0]["fuel_ml"], told[-1]["fuel_ml"] = fuel_ml, fuel_ml - (laps - 1) * 3_100
        self.send(*told)

    def stop(self):
        into = {"key": f"in-{self.lap}", "kind": "pit_in", "at_ms": self.at_ms, "lap": self.lap}
        self.at_ms += STOP_MS
        self.send(into, {"key": f"out-{self.lap}", "kind": "pit_out", "at_ms": self.at_ms})

    def to_the_flag(self):
        while self.at_ms < 3 * 3_600_000:
            self.stop()
            left = -(-(3 * 3_600_000 - self.at_ms) // LAP_MS)
            self.drive(min(STINT_LAPS, left), fuel_ml=47_000)


@pytest.fixture
def laps_of_kim():
    """Twelve clean laps of 1:59 at the track, a month before the race."""
    track = timing.make_track("lantern", name="Lantern Park")
    kim = timing.make_driver("KIM STONE")
    race = timing.make_race(event=timing.make_event(track=track, day=date(2025, 9, 6)))
    timing.make_result(race, [130_000] + [119_000 + 10 * n for n in range(12)], driver=kim)


def four_more_sign_up(token):
    for n, (name, (zone, free)) in enumerate(OTHERS.items()):
        call = Api(signed_in(make_person(name, time_zone=zone)))
        told = {"windows": windows(free), "lap_ms": 120_500 + 300 * n}
        call("put", f"sign-up-links/{token}/participation", told)


def sign_up(page, **typed):
    page.get_by_role("button", name="All hours").click()
    for label, value in typed.items():
        page.get_by_label(label.replace("_", " ")).fill(value)


def a_team_with_a_car_and_an_event(kim):
    kim.goto("/strategy/")
    kim.get_by_role("link", name="Make a team").first.click()
    kim.get_by_label("Name").fill("Night Owls")
    kim.get_by_role("button", name="Make the team").click()
    kim.locator("details").get_by_label("Name").fill("Blue 7")
    kim.get_by_role("button", name="Add the car").click()
    expect(kim.get_by_role("rowheader", name="Blue 7")).to_be_visible()
    make_an_event(kim, "Autumn night", "2025-10-26 01:00")


def make_an_event(kim, name, start, hours=3):
    kim.get_by_role("link", name="New event").first.click()
    kim.get_by_label("Name").fill(name)
    kim.get_by_label("Track").fill("Lantern Park")
    kim.get_by_label("Hours").fill(str(hours))
    kim.get_by_label("Typical lap").fill("120")
    expect(kim.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    kim.get_by_label("Starts").fill(start)
    kim.get_by_role("button", name="Make the event").click()
    expect(kim.get_by_role("heading", name=name, exact=True)).to_be_visible()


def form_the_team(kim, run_jobs):
    kim.get_by_role("link", name="Form teams").click()
    kim.get_by_label("Smallest").fill("6")
    kim.get_by_label("Largest").fill("6")
    kim.get_by_role("button", name="Propose teams").click()
    expect(kim.get_by_role("heading", name="Teams for")).to_be_visible()
    run_jobs()
    kim.reload()
    kim.get_by_role("button", name="Confirm these teams").click()
    expect(kim.get_by_text("confirmed", exact=True)).to_be_visible()
    kim.get_by_role("link", name="Plan stints").first.click()


def plan_and_optimise(kim, run_jobs):
    expect(kim.locator("input[name=drivers]:checked")).to_have_count(6)
    kim.get_by_label("Longest stint").fill(str(STINT_LAPS))
    kim.get_by_role("button", name="Make a first plan").click()
    expect(kim.locator("#board")).to_contain_text("imported: median of 12 clean laps")
    kim.get_by_label("Seconds").fill("5")
    kim.get_by_role("button", name="Optimise").click()
    expect(kim.locator("#board [id^=job-]").first).to_be_visible()
    run_jobs()
    kim.reload()
    kim.get_by_role("button", name="Use it").first.click()
    expect(kim.locator("[data-version='2']")).to_be_visible()
    kim.get_by_role("button", name="Make it the active one").click()
    expect(kim.get_by_role("button", name="Back to draft")).to_be_visible()


def queue_is_empty(page):
    expect(page.locator("#wall-queue li")).to_have_count(0)


def wall(page, value):
    return page.locator(f"#wall [data-value={value}]")


def race_on_the_wall(kim, yuki, bridge):
    """A swap, rain and a caution, each told by one and seen by the other."""
    kim.get_by_role("link", name="Pit wall").click()
    yuki.goto(kim.url)
    expect(yuki.get_by_text("Not on the wall yet")).to_be_visible()
    kim.get_by_label("Driven already").check()
    kim.get_by_role("button", name="Open the wall").click()
    kim.get_by_role("button", name="To the grid").click()
    kim.get_by_role("button", name="Green flag").click()
    expect(wall(yuki, "flag")).to_have_text("Green")

    bridge.drive(8, fuel_ml=47_000)
    expect(yuki.get_by_role("button", name="Lap 9 done")).to_be_visible()
    other = "yuki" if wall(kim, "in-car").inner_text() != "yuki" else "ana"
    fold = kim.locator("#do-swap")
    fold.locator("summary").click()
    fold.get_by_label("Who takes over").select_option(label=other)
    fold.get_by_label("Reason").fill("stomach")
    fold.get_by_role("button", name="What would follow").click()
    expect(fold.locator("#preview-swap")).to_contain_text("What would follow")
    take_picture(kim, "strategist-swap")
    fold.get_by_label("Even if a rule or a pin breaks").check()
    fold.get_by_role("button", name="Swap", exact=True).click()
    queue_is_empty(kim)
    expect(wall(yuki, "next")).to_have_text(other)
    bridge.drive(1)
    bridge.stop()
    expect(wall(yuki, "in-car")).to_have_text(other)

    bridge.drive(4, fuel_ml=45_000)
    expect(yuki.get_by_role("button", name="Lap 14 done")).to_be_visible()
    yuki.get_by_role("button", name="It rains").click()
    queue_is_empty(yuki)
    expect(kim.get_by_role("button", name="It is dry")).to_be_visible()
    bridge.drive(3, lap_ms=132_000)
    expect(kim.get_by_role("button", name="Lap 17 done")).to_be_visible()
    kim.get_by_role("button", name="It is dry").click()
    queue_is_empty(kim)
    expect(yuki.get_by_role("button", name="It rains")).to_be_visible()

    kim.get_by_role("button", name="Safety car").click()
    queue_is_empty(kim)
    expect(wall(yuki, "flag")).to_have_text("Safety car")
    yuki.get_by_role("button", name="Red flag", exact=True).click()
    queue_is_empty(yuki)
    expect(wall(kim, "flag")).to_have_text("Red flag")
    kim.get_by_role("button", name="Undo the last").click()  # it was a mistake of Yuki's
    for page in (kim, yuki):
        queue_is_empty(page)
        expect(page.locator("#wall")).to_contain_text("Taken back: Red flag out.")
        expect(wall(page, "flag")).to_have_text("Safety car")


def accept_a_way(kim, strategy_id):
    proposal = RaceStrategy.objects.get(pk=strategy_id).run.proposals.first()
    changes.find_ways(proposal_id=proposal.pk, seconds=1.0)
    kim.get_by_role("button", name="Accept", exact=True).first.click()
    kim.get_by_role("button", name="Make it the plan").click()
    expect(kim.locator("#wall")).to_contain_text("accepted")


def to_the_flag(kim, yuki, bridge):
    bridge.drive(2, lap_ms=180_000)
    expect(kim.get_by_role("button", name=f"Lap {bridge.lap + 1} done")).to_be_visible()
    yuki.get_by_role("button", name="Green", exact=True).click()
    expect(wall(kim, "flag")).to_have_text("Green")
    bridge.drive(5, fuel_ml=22_000)
    bridge.to_the_flag()
    expect(kim.get_by_role("button", name=f"Lap {bridge.lap + 1} done")).to_be_visible()
    take_picture(kim, "strategist-wall")
    kim.get_by_role("button", name="Chequered flag").click()
    kim.get_by_role("dialog").get_by_role("button", name="Chequered flag").click()
    expect(wall(yuki, "finish")).to_be_visible()
    expect(yuki.get_by_role("button", name="It was not the flag yet")).to_be_visible()


@pytest.mark.browser
def test_from_a_new_account_to_the_next_plan(open_page, run_jobs, laps_of_kim, django_user_model):
    kim = open_page(timezone_id="Europe/Berlin")
    kim.goto("/accounts/signup/")
    make_account(kim, "kim", PASSWORD)
    expect(kim.get_by_role("heading", name="Hello kim")).to_be_visible()
    a_team_with_a_car_and_an_event(kim)
    link = kim.locator("#signup-link").inner_text()

    yuki = open_page(viewport=PHONE, timezone_id="Asia/Tokyo")
    yuki.goto(link)
    yuki.get_by_role("link", name="Sign up").first.click()
    make_account(yuki, "yuki", PASSWORD)
    expect(yuki.get_by_text("08:00")).to_be_visible()  # 01:00 in Berlin
    sign_up(yuki, Dry_lap="121")
    yuki.get_by_label("I can run the strategy").check()
    yuki.get_by_role("button", name="Save my signup").click()
    expect(yuki.get_by_text("Free for 3:00:00")).to_be_visible()
    four_more_sign_up(link.rstrip("/").rpartition("/")[2])
    kim.get_by_role("link", name="Sign up").click()
    sign_up(kim, Name_in_timing="kim stone")
    kim.get_by_role("button", name="Save my signup").click()
    expect(kim.get_by_role("heading", name="6 signed up")).to_be_visible()
    expect(kim.get_by_text("Australia/Sydney")).to_be_visible()

    form_the_team(kim, run_jobs)
    plan_and_optimise(kim, run_jobs)
    strategy = RaceStrategy.objects.get()
    bridge = Bridge(strategy.pk, django_user_model.objects.get(username="kim"))
    race_on_the_wall(kim, yuki, bridge)
    accept_a_way(kim, strategy.pk)
    to_the_flag(kim, yuki, bridge)

    run_jobs()
    kim.goto(f"/strategy/{strategy.pk}/report/")
    expect(kim.locator("#report")).to_contain_text("The best race there was")
    expect(kim.locator("#report")).to_contain_text("takes over stint 1")
    take_picture(kim, "strategist-report")
    kim.get_by_role("button", name=re.compile("Set Blue 7 to")).click()
    kim.goto("/strategy/")
    make_an_event(kim, "Winter night", "2025-12-06 20:00", hours=1)
    kim.get_by_role("link", name="Sign up").click()
    sign_up(kim, Name_in_timing="kim stone")
    kim.get_by_role("button", name="Save my signup").click()
    kim.get_by_role("link", name="Plan stints").click()
    kim.get_by_role("button", name="Make a first plan").click()
    expect(kim.locator("#board")).to_contain_text("measured in Autumn night, 2025-10-25")
    strategy.car.refresh_from_db()
    assert strategy.car.burn_ml != 3_000
    assert StrategyEvent.objects.count() == 2


@pytest.fixture
def many_calls(settings):
    settings.API_WRITES_PER_MINUTE = 10_000


def test_the_same_by_the_api(user, run_jobs, laps_of_kim, many_calls):
    user.time_zone = "Europe/Berlin"
    user.save()
    kim = Api(signed_in(user))
    yuki = Api(signed_in(make_person("yuki", time_zone="Asia/Tokyo")))
    team = kim("post", "teams", {"name": "Night Owls"})["id"]
    car = kim("post", f"teams/{team}/cars", {"name": "Blue 7"})["id"]
    told = {"team_id": team, "name": "Autumn night", "track": "Lantern Park", "hours": 3,
            "lap_ms": LAP_MS, "starts_at": [STARTS_AT.isoformat()]}  # fmt: skip
    event = kim("post", "strategy-events", told)
    at_event = f"strategy-events/{event['id']}"
    token = kim("get", f"{at_event}/link")["token"]
    four_more_sign_up(token)
    own = {"windows": windows(range(6)), "lap_ms": 121_000, "may_strategize": True}
    yuki("put", f"sign-up-links/{token}/participation", own)
    mine = {"windows": windows(range(6)), "timing_driver": "kim stone"}
    signed = kim("put", f"{at_event}/participations/mine", mine)
    assert signed["pace"]["source"].startswith("imported: median of 12 clean laps")

    draft = kim("post", f"{at_event}/formations", {"smallest": 6, "largest": 6})["id"]
    run_jobs()
    formed = kim("get", f"formations/{draft}")
    kim("post", f"formations/{draft}/confirm", {"base_version": formed["version"]})
    people = kim("get", f"{at_event}/participations")
    people = people["items"] if isinstance(people, dict) else people
    theirs = people[0]["assigned_team_id"]
    plan = kim("post", "strategies", {
        "team_id": theirs, "event_id": event["id"], "car_id": car, "name": "Plan A",
        "instance_id": event["instances"][0]["id"], "driver_ids": [p["user_id"] for p in people],
        "wishes": {"stint_laps": STINT_LAPS},
    })  # fmt: skip
    at = f"strategies/{plan['id']}"
    kim("post", f"{at}/optimise", {"seconds": 5})
    run_jobs()
    plan = kim("get", at)
    kim("post", f"{at}/use", {"base_version": plan["version"], "number": 2})

    kim("post", f"{at}/live", {"is_retold": True})
    kim("post", f"{at}/live/state", {"state": "racing"})
    bridge = Bridge(plan["id"], user)
    bridge.drive(8, fuel_ml=47_000)
    seen = yuki("get", f"{at}/live")
    driver = next(p["user_id"] for p in people if p["name"] not in (seen["in_car"]["name"], "kim"))
    swap = {"driver_id": driver, "reason": "stomach", "override": True}
    kim("post", f"{at}/live/stints/1/swap", swap)
    bridge.drive(1)
    bridge.stop()
    yuki("post", f"{at}/live/weather", {"is_wet": True})
    kim("post", f"{at}/live/flags", {"flag": "sc"})
    run_jobs()
    found = yuki("get", f"{at}/live/proposals/{yuki('get', f'{at}/live')['proposal_id']}")
    yuki("post", f"{at}/live/proposals/{found['id']}/accept", {"option": 0})
    undone = kim("post", f"{at}/live/undo", {})
    assert undone["command"]["words"].startswith("Taken back: New plan")
    bridge.drive(2, lap_ms=180_000)
    kim("post", f"{at}/live/flags", {"flag": "green", "at_ms": bridge.at_ms})
    bridge.to_the_flag()
    kim("post", f"{at}/live/state", {"state": "finished", "at_ms": bridge.at_ms})
    run_jobs()

    report = kim("get", f"{at}/report")
    assert report["report"]["laps"] == bridge.lap
    told |= {"name": "Winter night", "starts_at": ["2025-12-06T19:00:00Z"]}
    later = kim("post", "strategy-events", told)["id"]
    again = kim(
        "put", f"strategy-events/{later}/participations/mine", {"timing_driver": "kim stone"}
    )
    assert again["pace"]["source"].startswith("measured in Autumn night, 2025-10-25")
