"""Every moment is shown with its zone: new pages and templates join by themselves."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from racecontrol.testing.matrix import whole_pages

TEMPLATES = Path(settings.BASE_DIR) / "templates"
# |date:"j M H:i" prints UTC and does not say so; {% moment at %} and |localtime_in:zone do
BARE_CLOCK = re.compile(r"\|date:(?:\"[^\"]*[HhGgis:][^\"]*\"|'[^']*[HhGgis:][^']*')")
# a time of day every morning, on the clock of a zone that must stand beside it
TIME_OF_DAY = re.compile(r"{{ [\w.]+\|time:\"H:i\" }}(?! \({{)")
TIME = re.compile(r'<time datetime="([^"]*)"(?: title="([^"]*)")?[^>]*>(.*?)</time>', re.DOTALL)
CLOCK_WITH_ZONE = re.compile(r"\d\d:\d\d (?:[A-Z]{2,5}|[+-]\d{2,4})$")


def test_no_template_prints_a_clock_without_its_zone():
    faults = [
        f"{path.relative_to(TEMPLATES)}: {found[0]}"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for found in [
            *BARE_CLOCK.finditer(path.read_text()),
            *TIME_OF_DAY.finditer(path.read_text()),
        ]
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.django_db
def test_every_shown_moment_says_its_zone(staff):
    _, pages = whole_pages(staff)
    faults, seen = [], 0
    for name, _, text in pages:
        for found in TIME.finditer(text):
            at, title, words = found.groups()
            if "T" not in at:
                continue  # a day of a calendar is the same everywhere
            seen += 1
            shows_clock = re.search(r"\d\d:\d\d", words)
            is_stretch = shows_clock and CLOCK_WITH_ZONE.search(_next_words(text, found.end()))
            if not CLOCK_WITH_ZONE.search(title or ""):
                faults.append(f"{name}: {found[0]} names no zone")
            elif shows_clock and not CLOCK_WITH_ZONE.search(words.strip()) and not is_stretch:
                faults.append(f"{name}: {found[0]} shows no zone")
    assert not faults, "\n".join(faults)
    assert seen > 30


def _next_words(text: str, begin: int) -> str:
    """What the next <time> says, where a stretch goes on: '09:10 – 16:20 AEST'."""
    follows = re.match(r" – <time[^>]*>([^<]*)</time>", text[begin : begin + 200])
    return follows[1] if follows else ""
