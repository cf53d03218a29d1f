"""The pictures of docs/img, taken anew from the demo: start `make run`, then run this beside it.

    .venv/bin/python scripts/pictures.py --url http://127.0.0.1:8000 [--only wall report]

It signs in as the demo person and does what a newcomer would: connects the stand-ins, starts a mission,
has a race simulated. What is there already stays, so it may run again on the same demo.
"""

import argparse
import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "img"
sys.path.insert(0, str(ROOT))
from racecontrol.testing.find_browser import find_browser

DESK, PHONE = (1180, 760), (390, 760)
QUALITY = 82  # of WebP: letters stay sharp, a page needs 20 to 80 kB
Shot = Callable[..., None]


def timing(page: Page, shot: Shot) -> None:
    page.goto("/timing/")
    page.click("#main a[href^='/timing/events/']")
    event = page.url
    page.click("#main table a:text('1/8 Nitro Buggy A-Main')")
    shot("race")
    page.goto(f"{event}bump-ups/")
    shot("bump-ups", scheme="light")


def practice(page: Page, shot: Shot) -> None:
    page.goto("/timing/practice/")
    page.click("#main table a[href^='/timing/practice/'] >> nth=0")
    shot("practice-day", scheme="light")


def run_plan(page: Page, shot: Shot) -> None:
    page.goto("/run-plans/")
    page.click("#main a:text('A-main, nitro buggy')")
    shot("run-plan", scheme="light")


def garage(page: Page, shot: Shot) -> None:
    page.goto("/coaching/")
    page.click("#main a[href^='/coaching/sessions/']:has-text('Nitro') >> nth=0")
    shot("run-log")


def strategy(page: Page, shot: Shot) -> None:
    open_strategy(page)
    shot("strategy", scheme="light")


def wall(page: Page, shot: Shot) -> None:
    """Three hours into a race of six; the race then goes on to its flag."""
    number = open_strategy(page)
    race = subprocess.Popen(
        [sys.executable, "manage.py", "simulate_race", number, "--speed", "400", "--again",
         "--url", page.evaluate("location.origin"), "--rain", "2:00-2:40", "--caution", "1:15-1:30"],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while race.poll() is None and not is_in_the_middle(page, number):
            page.wait_for_timeout(1_000)
        shot("pit-wall")
        page.goto(f"/strategy/{number}/wall/me/")
        shot("my-turn", size=PHONE, scheme="light")
    finally:
        race.wait()


def is_in_the_middle(page: Page, number: str) -> bool:
    """The car is on its way, on one of the laps 80 to 89."""
    page.goto(f"/strategy/{number}/wall/")
    seen = page.inner_text("#main")
    return (
        "In the pits now" in seen and re.search(r"\blap 8\d done", seen, re.IGNORECASE) is not None
    )


def report(page: Page, shot: Shot) -> None:
    number = open_strategy(page)
    page.goto(f"/strategy/{number}/report/")
    expect(page.get_by_text("Measure the race")).to_have_count(0)
    shot("race-report", scheme="light")


def open_strategy(page: Page) -> str:
    page.goto("/strategy/")
    page.click("#main a:text('Plan A') >> nth=0")
    page.wait_for_url("**/strategy/*/")
    return page.url.rstrip("/").rpartition("/")[2]


def athlete(page: Page, shot: Shot) -> None:
    page.goto("/coaching/athlete/connections/")
    if page.get_by_role("button", name="I agree").count():
        page.get_by_role("button", name="I agree").click()
    for provider in ("Oura", "intervals.icu"):
        door = page.get_by_role("link", name=f"Connect {provider}", exact=True)
        if door.count():
            door.click()
            page.get_by_role("link", name="Allow").click()
    expect(page.get_by_text("Last fetched").first).to_be_visible()
    page.goto("/coaching/athlete/numbers/")
    page.get_by_label("Threshold power").fill("250")
    page.get_by_role("button", name="Save").click()
    page.goto("/coaching/athlete/")
    while page.get_by_text("No training load yet").count():
        page.wait_for_timeout(2_000)
        page.reload()
    shot("athlete")


def mission(page: Page, shot: Shot) -> None:
    page.goto("/coaching/missions/")
    if not page.get_by_role("link", name="Today").count():
        make_mission(page)
        page.goto("/coaching/missions/")
    page.get_by_role("link", name="Today").first.click()
    shot("mission", scheme="light")


def make_mission(page: Page) -> None:
    first, last = date.today() + timedelta(days=21), date.today() + timedelta(days=22)
    page.goto("/coaching/missions/new/")
    page.get_by_label("Event", exact=True).fill("Harbour Tour")
    page.get_by_label("First event day").fill(first.isoformat())
    page.get_by_label("Last event day").fill(last.isoformat())
    page.get_by_label("What do you want from it?").fill("Finish both days.")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Stages").fill(f"{first} flat Harbour\n{last} mountain Top")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Monday (min)").fill("75")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("FTP (W)").fill("205")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Ask for a draft").click()
    page.get_by_role("link", name="Show the form with it").click()
    page.get_by_label("Name", exact=True).fill("Harbour Tour")
    page.get_by_role("button", name="Save the mission").click()
    page.get_by_role("button", name="Start the mission").click()
    page.get_by_role("button", name="Next morning").click()
    expect(page.locator("#guidance h2")).to_contain_text("DEMO")


def dashboard(page: Page, shot: Shot) -> None:
    page.goto("/")
    shot("dashboard", scheme="light")


# In this order: what one makes, a later one may show.
SCENES = (
    timing, practice, run_plan, garage, strategy, wall, report, athlete, mission, dashboard,
)  # fmt: skip


def sign_in(browser: Browser, url: str) -> Page:
    page = browser.new_context(base_url=url, reduced_motion="reduce").new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "demo")
    page.fill("input[name=password]", "demo")
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{url}/")
    return page


def camera(page: Page, taken: list[Path]) -> Shot:
    """Takes what is seen now as docs/img/NAME.webp."""

    def shot(name: str, *, scheme: str = "dark", size: tuple[int, int] = DESK) -> None:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_load_state("load")
        page.evaluate("document.fonts.ready")
        told = page.context.new_cdp_session(page).send(
            "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
        )
        taken.append(FOLDER / f"{name}.webp")
        taken[-1].write_bytes(base64.b64decode(told["data"]))

    return shot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--only", nargs="*", choices=[scene.__name__ for scene in SCENES])
    told = parser.parse_args()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    taken: list[Path] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=sandbox)
        page = sign_in(browser, told.url)
        page.set_default_timeout(60_000)
        shot = camera(page, taken)
        for scene in SCENES:
            if not told.only or scene.__name__ in told.only:
                scene(page, shot)
        browser.close()
    for path in taken:
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
