"""The rules as forms: what is typed is what is kept, and nothing is lost on the way."""

import pytest
from django.urls import reverse

from racecontrol.testing.pages import Page
from racecontrol.testing.people import signed_in
from strategy.domain.regulations import PRESETS, Regulations, read_regulations
from strategy.forms.rules import ROWS, RulesForm, RuleSheet, SpanField
from strategy.models import Membership, Role
from strategy.tests.builders import make_event, sign_up

FULL = {
    "key": "full", "source": "somebody, 2026", "min_drive_s": 3600, "max_drive_s": 14_400,
    "continuous_max_s": 7200, "max_stints_in_a_row": 3, "rest_s": 3661, "fair_share_pct": 25,
    "rolling": {"max_s": 14_400, "window_s": 21_600}, "max_share_pct": 70, "fewest_drivers": 2,
    "most_drivers": 5, "mandatory_stops": 6, "min_stint_laps": 4, "max_stint_laps": 40,
    "pit_lane_s": 31.5, "min_service_s": 90, "refuel_ml_per_s": 2_000, "tyre_change_s": 0,
    "driver_change_s": 30, "service_order": "parallel", "tyres": "optional", "tyre_sets": 6,
    "pit_closed_laps": [0, 1, 2], "start_drivers": ["sam"], "finish_drivers": ["olga", "sam"],
    "by_category": [{"category": ["Bronze", "Silver"], "min_s": 6300}],
    "groups": [{"name": "amateurs", "category": ["Bronze"], "min_s": 10_800,
                "block_s": 21_600, "block_min_s": 3_600}],
    "max_stint_s": 3_900, "min_refuel_s": 40, "min_stop_s": 75,
    "no_night_categories": ["Bronze"], "no_wet_categories": ["Bronze", "Silver"],
    "pit_windows": [{"name": "technical", "from_s": 43_200, "to_s": 79_200, "min_total_s": 240}],
    "parts": [{"name": "second half", "category": ["Bronze"], "min_s": 3600}],
    "heat": {"is_on": True, "continuous_max_s": 4800, "rest_s": 1800},
}  # fmt: skip
WEATHER = [[3_600_000, 7_200_000, "N"], [5_400_000, 9_000_000, "X"]]


def posted(sheet: RuleSheet) -> dict:
    """What a browser sends if somebody saves the page as it is."""
    data = {}
    for form in [sheet.form, *(row for table in sheet.tables.values() for row in table)]:
        for bound in form:
            value = bound.value()
            if value not in (None, "", False):
                data[bound.html_name] = "on" if value is True else value
    for table in sheet.tables.values():
        data |= {f.html_name: f.value() for f in table.management_form}
    return data


@pytest.mark.parametrize("rules", [FULL, *PRESETS.values()], ids=["full", *PRESETS])
@pytest.mark.django_db
def test_a_page_saved_as_it_is_changes_nothing(client, user, rules):
    event = make_event(user, regulations=rules, conditions=WEATHER)
    before = event.regulations
    sheet = RuleSheet(names=["sam"], regulations=event.regulations, conditions=WEATHER)

    answer = client.post(reverse("strategy:event-rules", args=[event.pk]), posted(sheet))

    assert answer.status_code == 302
    event.refresh_from_db()
    assert read_regulations(event.regulations) == read_regulations(before)
    assert event.conditions == WEATHER


def test_every_rule_has_a_field():
    spelled_out = {"rolling", "heat"}  # two fields each
    assert Regulations.model_fields.keys() - spelled_out <= (
        RulesForm.base_fields.keys() | ROWS.keys()
    )
    shown = {name for _, names in RulesForm.GROUPS for name in names}
    assert shown == RulesForm.base_fields.keys()


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("4:30", 16_200), ("0:00", 0), ("1:01:01", 3661), ("90", 5400), ("45s", 45), ("2 h", 7200)],
)
def test_spans_are_typed_as_people_write_them(typed, seconds):
    assert SpanField().clean(typed) == seconds


@pytest.mark.parametrize("typed", ["4:75", "soon", "-1", "1:2:3"])
@pytest.mark.django_db
def test_a_span_that_is_none_is_refused_beside_its_field(client, user, typed):
    event = make_event(user)
    sheet = RuleSheet(names=[], regulations=event.regulations, conditions=[])

    answer = client.post(
        reverse("strategy:event-rules", args=[event.pk]), posted(sheet) | {"rest_s": typed}
    )

    assert answer.status_code == 422
    assert "Write 4:30" in answer.text
    event.refresh_from_db()
    assert event.regulations["rest_s"] == 3600


@pytest.mark.django_db
def test_rules_that_contradict_are_refused_and_nothing_changes(client, user):
    event = make_event(user)
    sheet = RuleSheet(names=[], regulations=event.regulations, conditions=[])
    data = posted(sheet) | {"min_drive_s": "2:00", "max_drive_s": "1:00"}

    answer = client.post(reverse("strategy:event-rules", args=[event.pk]), data)

    assert answer.status_code == 422
    assert "max_drive_s is 3600, below 7200" in answer.text
    event.refresh_from_db()
    assert "min_drive_s" not in event.regulations


@pytest.mark.django_db
def test_a_preset_fills_the_form_and_saves_nothing(client, user):
    event = make_event(user)
    before = event.regulations

    page = client.get(reverse("strategy:event-rules", args=[event.pk]) + "?preset=spa-24")

    assert 'value="3:15"' in page.text
    event.refresh_from_db()
    assert event.regulations == before


@pytest.mark.django_db
def test_the_event_tells_its_rules_in_words_to_drivers_who_may_not_change_them(client, user, other):
    event = make_event(user, regulations=FULL)
    sign_up(event, other)
    Membership.objects.filter(user=other).update(role=Role.DRIVER)
    theirs = signed_in(other)
    url = reverse("strategy:event", args=[event.pk])

    told = Page(theirs.get(url)).text("main")

    for words in ("2 to 5", "1 stop from 12 h to 22 h, each 4 min or longer", "in force: at most"):
        assert words in told
    assert theirs.get(reverse("strategy:event-rules", args=[event.pk])).status_code == 403
