"""Pages of strategy: what they show, swaps like reloads, bad forms, who may not enter."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from icalendar import Calendar

from racecontrol.testing.pages import Page, assert_swap_equals_reload, queries_of
from racecontrol.testing.people import signed_in
from strategy.models import EventParticipation, Membership, Role, Team
from strategy.services import drivers, formation, plans, what_if
from strategy.tests.builders import (
    START,
    make_car,
    make_event,
    make_person,
    make_strategy,
    make_team,
    sign_up,
)

pytestmark = pytest.mark.django_db


def test_a_team_is_made_and_a_link_brings_somebody_in(client, user, other):
    client.post(reverse("strategy:teams"), {"name": "Night Owls"})
    team = Team.objects.get()
    page = reverse("strategy:team", args=[team.pk])
    client.post(page, {"do": "invite", "role": "driver", "email": ""})
    join = reverse("strategy:team-join", args=[team.invitations.get().token])

    theirs = signed_in(other)
    assert "Join Night Owls?" in theirs.get(join).text
    theirs.post(join)

    assert Membership.objects.get(team=team, user=other).role == "driver"
    assert "olga" in client.get(page).text


def test_a_car_that_cannot_drive_is_refused_beside_its_field(client, user):
    team = make_team(user)
    numbers = {"tank_ml": 1000, "reserve_ml": 2000, "burn_ml": 3000, "wet_burn_percent": 90,
               "fuel_us_per_ml": 27, "tyre_life_laps": 60, "tyre_deg_ms": 0, "tyre_deg2_us": 0,
               "tyre_cold_ms": 0, "tyre_wrong_ms": 0}  # fmt: skip

    answer = client.post(
        reverse("strategy:team", args=[team.pk]), {"do": "car", "name": "A"} | numbers
    )

    assert answer.status_code == 422
    assert team.cars.count() == 0


def test_an_event_is_made_in_its_own_time_zone(client, user):
    team = make_team(user)

    client.post(reverse("strategy:event-new"), {
        "team": team.pk, "name": "Six hours", "hours": 6, "lap_ms": 100,
        "time_zone": "Europe/Berlin", "starts": "2026-06-13 16:00", "preset": "house",
    })  # fmt: skip

    event = team.events.get()
    assert event.instances.get().starts_at.isoformat() == "2026-06-13T14:00:00+00:00"


def test_painted_half_hours_become_windows(client, user):
    event = make_event(user)
    start = int(event.instances.get().starts_at.timestamp())
    url = reverse("strategy:signup", args=[event.pk])
    assert client.get(url).text.count('name="slot"') == 6

    client.post(url, {"slot": [start, start + 1800, start + 5400], "lap_ms": "150.5"})

    row = event.signups.get(user=user)
    lengths = [w.ends_at - w.starts_at for w in row.windows.all()]
    assert lengths == [timedelta(hours=1), timedelta(minutes=30)]
    assert row.lap_ms == 150_500


def test_the_board_shows_plan_rules_and_pace(client, user):
    row = make_strategy(user)

    page = client.get(reverse("strategy:strategy", args=[row.pk]))

    assert "Every rule is kept" in Page(page).text("board")
    assert "typed in at sign-up" in Page(page).text("board")


def test_a_change_on_the_board_swaps_in_what_a_reload_shows(client, user):
    row = make_strategy(user)
    url = reverse("strategy:strategy", args=[row.pk])

    assert_swap_equals_reload(
        client, url, {"do": "move", "stint": 1, "value": -1, "base_version": 1}, part="board"
    )


def test_an_old_board_gets_a_clear_conflict(client, user):
    row = make_strategy(user)
    url = reverse("strategy:strategy", args=[row.pk])
    client.post(url, {"do": "move", "stint": 1, "value": -1, "base_version": 1})

    answer = client.post(url, {"do": "move", "stint": 1, "value": -1, "base_version": 1})

    assert answer.status_code == 422
    assert "Somebody changed this strategy" in Page(answer).text("board")


def test_a_viewer_sees_the_board_without_buttons(user, other):
    row = make_strategy(user)
    Membership.objects.create(team=row.team, user=other, role=Role.VIEWER)
    theirs = signed_in(other)
    url = reverse("strategy:strategy", args=[row.pk])

    page = theirs.get(url)
    refused = theirs.post(url, {"do": "move", "stint": 1, "value": -1, "base_version": 1})

    assert "Optimise" not in page.text
    assert refused.status_code == 422
    assert row.versions.count() == 1


@pytest.mark.parametrize("name", ["schedule", "print", "simulate"])
def test_the_other_pages_of_a_strategy_open(client, user, name):
    row = make_strategy(user)

    assert client.get(reverse(f"strategy:{name}", args=[row.pk])).status_code == 200


def test_what_if_shows_the_outcome_of_the_races(client, user):
    row = make_strategy(user)
    asked = {"races": 50, "pace_percent": 101, "burn_percent": 100, "pit_loss_s": 0, "version": 1}

    page = client.get(reverse("strategy:simulate", args=[row.pk]), asked)

    assert "Outcome" in page.text
    outcome = what_if.simulate(strategy_id=row.pk, numbers=[1], races=50, by=user, pace_percent=101)
    assert 1 < len(what_if.laps_at_flag(outcome)) <= what_if.MOST_LAP_ROWS
    for laps, (percent,) in what_if.laps_at_flag(outcome):
        cells = f'<th scope="row" class="num">{laps}</th><td class="num">{percent} %</td>'
        assert cells in page.text


def test_after_a_split_only_the_stints_that_changed_differ(client, user):
    row = make_strategy(user)
    stints = row.current.stints.count()
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="split", stint=1, value=5, by=user)

    page = client.get(reverse("strategy:compare", args=[row.pk, 1]))

    assert page.text.count("differs</span>") == 2
    assert page.text.count("same</td>") == stints - 1


def test_a_version_can_be_compared_and_used(client, user):
    row = make_strategy(user)
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="move", stint=1, value=-1, by=user)
    page = client.get(reverse("strategy:compare", args=[row.pk, 1]))
    assert "differs" in page.text
    assert "Use this version" in page.text
    assert "Use this version" not in client.get(reverse("strategy:compare", args=[row.pk, 2])).text

    client.post(reverse("strategy:strategy", args=[row.pk]),
                {"do": "use", "number": 1, "base_version": 2})  # fmt: skip

    row.refresh_from_db()
    assert row.current.number == 1


def test_the_files_tell_the_plan_and_the_json_reads_back(client, user):
    row = make_strategy(user)
    stints = row.current.stints.count()

    table = list(
        csv.DictReader(io.StringIO(client.get(reverse("strategy:csv", args=[row.pk])).text))
    )
    calendar = Calendar.from_ical(client.get(reverse("strategy:ics", args=[row.pk])).content)
    data = client.get(reverse("strategy:json", args=[row.pk])).json()
    client.post(reverse("strategy:import", args=[row.pk]),
                {"plan": json.dumps(data), "base_version": 1})  # fmt: skip

    assert len(table) == len(data["plan"]) == stints
    uids = [str(entry["uid"]) for entry in calendar.walk("VEVENT")]
    assert len(set(uids)) == stints
    row.refresh_from_db()
    assert (row.current.number, row.current.z1_ms) == (2, data["z1_ms"])


def test_splitting_one_drivers_stint_leaves_the_calendar_of_the_other_alone(client, user):
    row = make_strategy(user)
    first = row.current.stints.get(number=1).driver_id
    other = row.current.stints.exclude(driver=first).latest("number").driver_id

    def uids(driver):
        asked = client.get(reverse("strategy:ics", args=[row.pk]), {"driver": driver})
        return [str(entry["uid"]) for entry in Calendar.from_ical(asked.content).walk("VEVENT")]

    theirs, own = uids(other), uids(first)
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="split", stint=1, value=5, by=user)

    assert uids(other) == theirs
    assert uids(first)[: len(own)] == own
    assert len(uids(first)) == len(own) + 1


def test_the_proposal_shows_teams_and_moving_somebody_swaps_like_a_reload(client, user, run_jobs):
    event = make_event(user)
    for n in range(5):
        sign_up(event, make_person(f"p{n}"))
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 2, "largest": 3, "seconds": 0.1}, by=user
    )
    run_jobs()
    draft.refresh_from_db()
    url = reverse("strategy:formation", args=[event.pk, draft.pk])
    big = max(range(2), key=lambda n: len(draft.teams[n]))
    change = {"do": "move", "signup": draft.teams[big][0], "team": 1 - big,
              "base_version": draft.version}  # fmt: skip

    assert_swap_equals_reload(client, url, change, part="formation")


def test_events_and_teams_show_on_the_first_page(client, user):
    make_strategy(user)

    words = client.get(reverse("strategy:home")).text

    assert "Three hours" in words
    assert "Plan A" in words
    assert client.get(reverse("strategy:teams")).status_code == 200
    event = make_team(user, "Second")
    assert client.get(reverse("strategy:team", args=[event.pk])).status_code == 200


def test_an_event_page_lists_signups_and_offers_planning(client, user):
    row = make_strategy(user)

    page = client.get(reverse("strategy:event", args=[row.event_id])).text

    assert "mate1" in page
    assert client.get(reverse("strategy:strategy-new", args=[row.event_id])).status_code == 200


def test_the_grid_shows_both_hours_of_the_night_the_clocks_go_back(client, user):
    user.time_zone = "Europe/Berlin"
    user.save()
    event = make_event(user, hours=6, starts_at=[datetime(2026, 10, 24, 22, tzinfo=UTC)])

    page = client.get(reverse("strategy:signup", args=[event.pk])).text
    cells = re.findall(r'value="(\d+)"[^>]*><span title="(\w+)">(\d\d:\d\d)<', page)

    at_two = [(int(value), zone) for value, zone, text in cells if text == "02:00"]
    assert [zone for _, zone in at_two] == ["CEST", "CET"]
    assert at_two[1][0] - at_two[0][0] == 3600
    assert len(cells) == 12


def test_hours_painted_before_the_clocks_go_forward_are_those_driven(client, user):
    """In New York 02:00 to 03:00 of 8 March 2026 does not exist: five hours on the clock are four."""
    user.time_zone = "America/New_York"
    user.save()
    start = datetime(2026, 3, 8, 5, tzinfo=UTC)  # midnight there
    event = make_event(user, hours=4, starts_at=[start])
    url = reverse("strategy:signup", args=[event.pk])
    cells = re.findall(r'value="(\d+)"[^>]*><span title="\w+">(\d\d:\d\d)<', client.get(url).text)

    client.post(url, {"slot": [value for value, _ in cells], "lap_ms": "150"})

    assert [text for _, text in cells][3:6] == ["01:30", "03:00", "03:30"]
    window = event.signups.get(user=user).windows.get()
    assert (window.starts_at, window.ends_at - window.starts_at) == (start, timedelta(hours=4))
    event_driver = drivers.drivers_of(event, event.instances.get(), [user.pk])[0]
    assert event_driver["available_ms"] == [[0, 4 * 3_600_000]]


def test_a_start_in_each_zone_reads_as_one_moment_everywhere(client, user):
    """Four zones of one team: every schedule shows its own clock, all calendars the same moment."""
    row = make_strategy(user)
    moments, clocks = set(), set()
    for zone in ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"):
        user.time_zone = zone
        user.save()
        told = client.get(reverse("strategy:print", args=[row.pk])).text
        clocks |= set(re.findall(r"\d\d:\d\d [A-Z]{3,4}", told))
        calendar = Calendar.from_ical(client.get(reverse("strategy:ics", args=[row.pk])).content)
        moments.add(calendar.walk("VEVENT")[0]["dtstart"].dt.astimezone(UTC))

    assert moments == {START}
    assert {"16:00 CEST", "10:00 EDT", "19:30 IST", "02:00 NZST"} <= clocks


def test_however_many_teams_somebody_has_they_are_asked_for_once(client, user, other):
    event = make_strategy(user).event
    urls = (reverse("strategy:event-new"), reverse("strategy:strategy-new", args=[event.pk]),
            "/api/v1/teams")  # fmt: skip
    before = [queries_of(client, url) for url in urls[:2]]
    for name, role in (("Ours", Role.STRATEGIST), ("Theirs", Role.DRIVER), ("Mine", Role.OWNER)):
        team = make_team(other, name, members={user: role})
        make_car(other, team, name=f"Car of {name}")
        EventParticipation.objects.create(
            event=event, user=make_person(f"driver-{name}"), assigned_team=team
        )

    hosts, planned = (client.get(url).text for url in urls[:2])
    roles = {row["name"]: row["your_role"] for row in client.get(urls[2]).json()["items"]}

    for page in (hosts, planned):
        assert [name in page for name in (">Ours<", ">Mine<", ">Theirs<")] == [True, True, False]
    assert "Car of Ours" in planned
    assert "Car of Theirs" not in planned
    assert [queries_of(client, url) for url in urls[:2]] == before
    assert roles == {
        "Night Owls": "owner",
        "Ours": "strategist",
        "Theirs": "driver",
        "Mine": "owner",
    }


def test_the_list_of_teams_counts_everybody_in_them(client, user, other):
    make_team(user, "Night Owls", members={other: Role.DRIVER, make_person("third"): Role.VIEWER})

    page = client.get(reverse("strategy:teams")).text

    assert re.search(r'data-label="People">\s*3<', page)
