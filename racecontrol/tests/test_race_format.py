"""How numbers and moments are written, and how cards and sections find their way onto a page."""

import datetime as dt

import pytest
import time_machine
from django.template import engines
from django.test import RequestFactory
from django.utils.html import strip_tags
from django.utils.timezone import now
from waffle.testutils import override_flag

from racecontrol import navigation
from racecontrol.shared import flags
from racecontrol.shared.cards import Card, cards_of
from racecontrol.shared.names import format_name
from racecontrol.templatetags import race_format
from racecontrol.templatetags.race_format import ago, litres, localtime_in, race_time

NOON = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0:00"), (302_145, "5:02"), (7_201_000, "2:00:01"), (-61_000, "−1:01"), (None, "–")],
)
def test_race_time_is_in_whole_seconds(ms, words):
    assert race_time(ms) == words


@pytest.mark.parametrize(
    ("ml", "words"), [(90, "90 ml"), (100, "0.10 L"), (1250, "1.25 L"), (None, "–")]
)
def test_fuel_is_read_in_the_size_people_think_in(ml, words):
    assert litres(ml) == words


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("IDRIS ZIMMERAKER", "Idris Zimmeraker"),
        ("PERRIN O'DELL-MCKAY", "Perrin O'Dell-McKay"),
        ("J. P. ÅBERG", "J. P. Åberg"),
        ("Jo van der Berg", "Jo van der Berg"),
        ("McKay", "McKay"),
        ("", ""),
    ],
)
def test_names_are_not_shouted(name, written):
    assert format_name(name) == written


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({"seconds": 20}, "just now"),
        ({"seconds": 50}, "1 min ago"),
        ({"minutes": 4}, "4 min ago"),
        ({"minutes": 59}, "1 h ago"),
        ({"hours": 23}, "23 h ago"),
        ({"days": 1}, "1 day ago"),
        ({"days": 9}, "9 days ago"),
        ({"minutes": -30}, "in 30 min"),
    ],
)
def test_ago_says_how_long_in_few_words(before, words):
    with time_machine.travel(NOON, tick=False):
        assert strip_tags(ago(now() - dt.timedelta(**before))) == words


def test_what_never_happened_was_never():
    assert ago(None) == "never"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "Wed 1 Jul 2026, 14:00 CEST"),
        ("America/Chicago", "Wed 1 Jul 2026, 07:00 CDT"),
        ("No/Where", "Wed 1 Jul 2026, 12:00 UTC"),
        ("../../etc/passwd", "Wed 1 Jul 2026, 12:00 UTC"),
        ("", "Wed 1 Jul 2026, 12:00 UTC"),
    ],
)
def test_a_moment_is_read_on_the_clock_of_a_zone(zone, words):
    assert strip_tags(localtime_in(NOON, zone)) == words


def second_card(request):
    return Card("components/_notice.html", {"text": "second", "level": "info"}, order=20)


def first_card(request):
    return Card("components/_notice.html", {"text": "<first>", "level": "info"}, order=10)


def no_card(request):
    return None


def test_cards_come_in_order_and_keep_their_words_apart(settings):
    settings.HOME_CARDS = [
        f"{__name__}.{name}" for name in ("second_card", "no_card", "first_card")
    ]
    request = RequestFactory().get("/")

    cards = cards_of(request)

    assert [card.order for card in cards] == [10, 20]
    template = engines["django"].from_string(
        "{% for card in cards %}{% render_card card %}{% endfor %}"
    )
    html = template.render({"cards": cards, "text": "not mine"})
    assert html.index("&lt;first&gt;") < html.index("second")
    assert "not mine" not in html


def names_for(user, path="/", view_name="home") -> dict[str, bool]:
    request = RequestFactory().get(path)
    request.user = user
    request.resolver_match = type("Match", (), {"view_name": view_name})
    return {link.name: link.is_current for link in navigation.navigation(request)["sections"]}


def test_a_section_without_a_page_is_not_shown(user, monkeypatch):
    ghost = navigation.Section("Ghost", "no:such", "ghost", ("no:",))
    monkeypatch.setattr(navigation, "SECTIONS", (*navigation.SECTIONS, ghost))

    assert "Ghost" not in names_for(user)
    assert "Home" in names_for(user)


def test_a_section_behind_a_flag_is_shown_with_the_flag(user, monkeypatch):
    gated = navigation.Section("Gated", "home", "flag", ("gated:",), flag=flags.RUN_PLANS_V1)
    monkeypatch.setattr(navigation, "SECTIONS", (gated,))

    assert names_for(user) == {}
    with override_flag(flags.RUN_PLANS_V1, active=True):
        assert names_for(user) == {"Gated": False}


def test_the_section_that_fits_best_is_the_current_one(user, monkeypatch):
    strategy = navigation.Section("Strategy", "home", "route", ("strategy:",))
    team = navigation.Section("Team", "home", "users", ("strategy:team",))
    monkeypatch.setattr(navigation, "SECTIONS", (strategy, team))

    assert names_for(user, view_name="strategy:plan") == {"Strategy": True, "Team": False}
    assert names_for(user, view_name="strategy:teams") == {"Strategy": False, "Team": True}
    assert names_for(user, view_name="elsewhere") == {"Strategy": False, "Team": False}


def test_a_part_of_a_page_does_not_look_for_sections(user, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = user

    with django_assert_num_queries(0):
        engines["django"].from_string("{{ request.path }}").render({}, request)


@pytest.mark.parametrize(
    ("ms", "text"), [(302_145, "+5:02"), (-4_000, "−0:04"), (0, "+0:00"), (None, "–")]
)
def test_a_drift_has_its_sign(ms, text):
    assert race_format.signed_time(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(1_234, "+1.234"), (-90, "−0.090"), (61_500, "+61.500"), (None, "–")]
)
def test_seconds_gained_or_lost_have_their_sign(ms, text):
    assert race_format.signed_seconds(ms) == text


def test_the_hour_is_the_readers():
    moment = dt.datetime(2026, 6, 13, 22, 14, tzinfo=dt.UTC)

    assert race_format.hour_in(moment, "Europe/Berlin") == (
        '<time datetime="2026-06-14T00:14:00+02:00" title="Sun 14 Jun 2026, 00:14 CEST">00:14 CEST</time>'
    )
    assert strip_tags(race_format.hour_in(moment, "Nowhere/Land")) == "22:14 UTC"
    assert strip_tags(race_format.bare_hour_in(moment, "Europe/Berlin")) == "00:14"
    assert race_format.hour_in(None, "UTC") == "–"


def test_a_mean_is_written_as_a_whole_number():
    assert race_format.whole(24_318.5) == 24_318
    assert race_format.whole(None) is None


def test_a_share_is_written_in_percent():
    assert race_format.percent(0.624) == "62 %"
    assert race_format.percent(None) == "–"
