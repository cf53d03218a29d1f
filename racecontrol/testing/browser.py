"""What every page must stand in a real browser: accessible in both colour schemes, no sideways scroll.

By default a page is looked at on a phone in light and on a desk in dark colours: every rule meets
every page, and each colour and each layout half of them. With SCREENSHOTS=<folder> set, pages are
looked at in all four ways and written there as pictures.
"""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ALL_WAYS = [(size, scheme) for size in (DESK, PHONE) for scheme in ("dark", "light")]
USUAL_WAYS = [(DESK, "dark"), (PHONE, "light")]


def faults_of(page: Page, url: str, *, name: str = "") -> list[str]:
    """Open the page and say all that is wrong with it: axe, sideways scroll, console, policy.

    Console messages are taken from `page.problems` (see `open_page`) and cleared there.
    """
    # Colours that are still fading into place would be measured half way.
    page.emulate_media(reduced_motion="reduce", color_scheme="dark")
    page.set_viewport_size(DESK)
    answer = page.goto(url)
    if answer is None or answer.status >= 400:
        return [f"{url}: answered {answer and answer.status}"]
    faults = []
    for size, scheme in ALL_WAYS if os.environ.get("SCREENSHOTS") else USUAL_WAYS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        way = f"{url} at {size['width']} px, {scheme}"
        faults += [f"{way}: {fault}" for fault in axe_faults(page) + overflow_faults(page)]
        take_picture(page, f"{name or 'page'}-{size['width']}-{scheme}")
    faults += [f"{url}: the console says {problem}" for problem in page.problems]
    page.problems.clear()
    return faults


def axe_faults(page: Page) -> list[str]:
    """Violations axe finds on the page as it stands, one line per element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)  # half a megabyte: once per page, not once per look
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then((all) => all.violations)")
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))} {_reason(node)}"
        for violation in found
        for node in violation["nodes"]
    ]


def _reason(node: dict) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return checks[0]["message"] if checks else ""


def overflow_faults(page: Page) -> list[str]:
    """The page itself must not scroll sideways; what is wide scrolls in its own frame."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide <= 0:
        return []
    culprits = page.evaluate(
        """() => [...document.querySelectorAll("main *, .top *")]
            .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
            .filter((e) => !e.closest(".table-scroll, .chart-plot, .tabs, pre"))
            .slice(0, 3).map((e) => e.outerHTML.slice(0, 90))"""
    )
    return [f"{wide} px too wide: {culprits}"]


def assert_fine(page: Page, url: str, *, name: str = "") -> None:
    """The page has no fault at all."""
    faults = faults_of(page, url, name=name)
    assert not faults, "\n".join(faults)


def take_picture(page: Page, name: str) -> None:
    """A picture of the whole page into $SCREENSHOTS, if set."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or DESK
    # Full-page screenshots fail in some headless builds: a tall window shows the same.
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(max(tall, size["height"]), 6000)})
    page.screenshot(path=str(Path(folder) / f"{name}.png"))
    page.set_viewport_size(size)
