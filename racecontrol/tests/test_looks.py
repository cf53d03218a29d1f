"""The look at every page finds what it is there to find, in whichever way it shows."""

import pytest

from racecontrol.testing.browser import faults_here

pytestmark = pytest.mark.browser

PAGE = """<!doctype html>
<html lang="en"><head><title>Looked at</title><style>
  :root {{ color-scheme: light dark; background: light-dark(#fff, #111); color: light-dark(#111, #fff) }}
  :root[data-theme="light"] {{ color-scheme: light }}
  :root[data-theme="dark"] {{ color-scheme: dark }}
  p {{ margin: 0 }}
  {style}
</style></head><body><main><h1>Looked at</h1><p>These words can be read.</p>{body}</main></body></html>"""

PALE_IN_LIGHT = "i { color: light-dark(#ddd, #ddd) }"
PALE_IN_DARK = "i { color: light-dark(#222, #222) }"
SMALL = (
    "button { width: 12px; height: 12px; padding: 0; border: 0; font-size: 1px; line-height: 1 }"
)
STUBBORN = ":root { color-scheme: light !important }"
FOLDED = "<details><summary>More of it</summary><p><i>folded words</i></p></details>"
BUTTONS = "<button>on</button><button>off</button>"


def looked_at(page, style="", body="<p><i>some words</i></p>") -> str:
    page.set_content(PAGE.format(style=style, body=body))
    return "\n".join(faults_here(page))


def test_a_page_without_fault_has_none_and_is_left_as_it_was(page):
    size = page.viewport_size

    assert looked_at(page, body=FOLDED) == ""
    assert page.viewport_size == size
    assert page.locator("details[open]").count() == 0
    assert page.locator("html[data-theme]").count() == 0


@pytest.mark.parametrize("body", ["<p><i>some words</i></p>", FOLDED], ids=["open", "folded"])
@pytest.mark.parametrize(
    ("style", "bad", "good"),
    [(PALE_IN_LIGHT, "light", "dark"), (PALE_IN_DARK, "dark", "light")],
    ids=["light", "dark"],
)
def test_words_too_pale_in_one_scheme(page, style, bad, good, body):
    found = looked_at(page, style, body)

    for width in (1280, 390):
        assert f"at {width} px, {bad}: color-contrast" in found
        assert f"at {width} px, {good}" not in found


def test_pale_words_beside_a_sign_of_the_same_colour(page):
    assert "color-contrast: i" in looked_at(page, PALE_IN_LIGHT, "<p><i>–</i> <i>words</i></p>")


def test_targets_too_small_for_a_finger(page):
    found = looked_at(page, SMALL, BUTTONS)

    assert "at 1280 px, dark: target-size" in found
    assert "at 390 px, light: target-size" in found


def test_what_is_too_wide_for_a_phone(page):
    found = looked_at(page, "i { display: block; width: 600px }")

    assert "at 390 px, dark: 2" in found
    assert "px too wide" in found
    assert "1280" not in found


def test_a_page_that_does_not_take_the_scheme(page):
    found = looked_at(page, STUBBORN)

    assert "at 1280 px, dark: the ground is light" in found
    assert "at 390 px, dark: the ground is light" in found
    assert "px, light" not in found
