"""What every page must stand in a real browser, with every fold open, at two widths in two colour schemes.

Accessible by axe, no sideways scroll, no complaint in the console, and the scheme that was asked for.
A page is loaded once and looked at in four ways. Every rule meets it at both widths. Contrast is what
costs axe its time: it is asked of every element once, and in the other three ways of one element of
each pair of colours, for the schemes differ in colours alone
(`test_the_schemes_differ_in_nothing_but_colours`). On the desk the system asks for the scheme, on
the phone the person has chosen it and the system asks for the other one.
With SCREENSHOTS=<folder> set, all four ways are written there as pictures.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
OTHER = {"dark": "light", "light": "dark"}
# WCAG 2.2 asks for targets of 24 px; axe leaves its rule off until it is told.
TARGETS = {"target-size": {"enabled": True}}
OF_COLOURS = ("color-contrast", "link-in-text-block")


@dataclass(frozen=True)
class Run:
    """One run of axe: its options, and whether one element of each pair of colours is enough."""

    options: dict[str, Any]
    is_sampled: bool = False


COLOURS = Run({"runOnly": {"type": "rule", "values": OF_COLOURS}}, is_sampled=True)
ALL_BUT_COLOURS = Run({"rules": TARGETS | {name: {"enabled": False} for name in OF_COLOURS}})
EVERYTHING = Run({"rules": TARGETS})


@dataclass(frozen=True)
class Way:
    """A width and a scheme: the system's, or chosen by the person against the system's."""

    size: Any
    scheme: str
    is_chosen: bool
    runs: tuple[Run, ...]

    def __str__(self) -> str:
        return f"{self.size['width']} px, {self.scheme}"


WAYS = [
    Way(DESK, "dark", is_chosen=False, runs=(EVERYTHING,)),
    Way(DESK, "light", is_chosen=False, runs=(COLOURS,)),
    Way(PHONE, "light", is_chosen=True, runs=(ALL_BUT_COLOURS, COLOURS)),
    Way(PHONE, "dark", is_chosen=True, runs=(COLOURS,)),
]

# As `chooseTheme` of app.js does, and the server from the cookie.
THEME = "document.documentElement.dataset.theme ?? ''"
CHOOSE = """(theme) => {
    const root = document.documentElement;
    theme ? (root.dataset.theme = theme) : delete root.dataset.theme;
}"""
# The menu lies over what is below it and has a test of its own.
FOLDS = "details:not([open], [data-menu])"

# The element with the longest text of all that share their colours, size and grounds: axe leaves
# open what a single letter is like.
RUN_AXE = """async ([isSampled, options]) => {
    const grounds = new Map([[null, ""]]);
    const ground = (element) => {
        if (!grounds.has(element)) {
            const { backgroundColor, backgroundImage, opacity, filter, clipPath } = getComputedStyle(element);
            const own = [backgroundColor, backgroundImage, opacity, filter, clipPath].join(" ");
            const plain = own === "rgba(0, 0, 0, 0) none 1 none none";
            grounds.set(element, ground(element.parentElement) + (plain ? "" : `|${own}`));
        }
        return grounds.get(element);
    };
    const oneOfEach = () => {
        const longest = new Map();
        for (const element of document.querySelectorAll("body *")) {
            const words = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
            const text = element.value ?? words.map((node) => node.data.trim()).join("");
            if (!text || !element.checkVisibility() || element.closest("[aria-hidden=true]")) continue;
            const { color, fontSize, fontWeight } = getComputedStyle(element);
            const isOff = (element.control ?? element).matches(":disabled");
            const around = getComputedStyle(element.parentElement).color;
            const inside = Boolean(element.closest("dialog"));
            const key = [element.localName, color, fontSize, fontWeight, isOff, around, inside, ground(element)].join();
            if (!(longest.get(key)?.text.length >= text.length)) longest.set(key, { element, text });
        }
        return [...longest.values()].map(({ element }) => element);
    };
    const include = isSampled ? oneOfEach() : [document.documentElement];
    if (!include.length) return [];
    return (await axe.run({ include }, { resultTypes: ["violations"], ...options })).violations;
}"""


def faults_of(page: Page, url: str, *, name: str = "", status: int = 200) -> list[str]:
    """Open the page and say all that is wrong with it.

    Console messages are taken from `page.problems` (see `open_page`) and cleared there; a page that
    should answer with another `status` than 200 may be named there by the browser.
    """
    _put(page, WAYS[0])
    answer = page.goto(url)
    if answer is None or answer.status != status:
        return [f"{url}: answered {answer and answer.status}"]
    faults = faults_here(page, name=name)
    if status != 200:
        page.problems[:] = [said for said in page.problems if f"status of {status}" not in said]
    faults += [f"the console says {problem}" for problem in page.problems]
    page.problems.clear()
    return [f"{url}: {fault}" for fault in faults]


def faults_here(page: Page, *, name: str = "") -> list[str]:
    """All that is wrong with the page as it stands now, in all four ways; leaves it as it was."""
    size, theme, faults = page.viewport_size, page.evaluate(THEME), []
    for way in WAYS:
        _put(page, way, "" if theme in OTHER else theme)  # the admin has a word for "as the system"
        _unfold(page)
        found = axe_faults(page, *way.runs) + overflow_faults(page) + _scheme_faults(page, way)
        faults += [f"at {way}: {fault}" for fault in found]
        take_picture(page, f"{name or 'page'}-{way.size['width']}-{way.scheme}")
    _fold(page)
    page.evaluate(CHOOSE, theme)
    page.emulate_media(color_scheme="null", reduced_motion="null")
    if size:
        page.set_viewport_size(size)
    return faults


def _put(page: Page, way: Way, unchosen: str = "") -> None:
    """Show the page in this way. Without motion, or colours would be measured half way."""
    asked = OTHER[way.scheme] if way.is_chosen else way.scheme
    page.set_viewport_size(way.size)
    page.emulate_media(color_scheme=asked, reduced_motion="reduce")
    page.evaluate(CHOOSE, way.scheme if way.is_chosen else unchosen)


def _unfold(page: Page) -> None:
    """Open what is folded; before each look, for a part that came meanwhile comes folded.

    From the top, or the bar there would lie over what axe measures.
    """
    page.evaluate(
        """(folds) => {
            scrollTo(0, 0);
            window.unfolded ??= new Set();
            for (const fold of document.querySelectorAll(folds)) {
                fold.open = true;
                window.unfolded.add(fold);
            }
        }""",
        FOLDS,
    )


def _fold(page: Page) -> None:
    page.evaluate(
        """() => {
            for (const fold of window.unfolded) fold.open = false;
            delete window.unfolded;
        }"""
    )


def axe_faults(page: Page, *runs: Run) -> list[str]:
    """Violations axe finds on the page as it stands, one line per element; without `runs` of everything."""
    # axe waits for timers, which such a page has not
    assert not page.evaluate("matchMedia('(scripting: none)').matches"), "axe needs scripts"
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)  # half a megabyte: once per page, not once per look
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))} {_reason(node)}"
        for run in runs or (EVERYTHING,)
        for violation in page.evaluate(RUN_AXE, [run.is_sampled, run.options])
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


def _scheme_faults(page: Page, way: Way) -> list[str]:
    """The ground of the page must be of the scheme that was asked for."""
    grounds = page.evaluate(
        """() => [document.body, document.documentElement]
            .map((e) => getComputedStyle(e).backgroundColor)
            .filter((colour) => colour !== "rgba(0, 0, 0, 0)")
            .map((colour) => colour.match(/[0-9.]+/g).map(Number))"""
    )
    if not grounds:
        return ["the page has no ground of its own"]
    red, green, blue = grounds[0][:3]
    shown = "light" if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else "dark"
    return [] if shown == way.scheme else [f"the ground is {shown}: {grounds[0]}"]


def assert_fine(page: Page, url: str, *, name: str = "", status: int = 200) -> None:
    """The page at this address has no fault at all."""
    faults = faults_of(page, url, name=name, status=status)
    assert not faults, "\n".join(faults)


def assert_fine_here(page: Page, *, name: str = "") -> None:
    """The page as it stands now has no fault at all."""
    faults = faults_here(page, name=name)
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
