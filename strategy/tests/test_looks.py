"""The same driver, the same line: on board, wall, print and report, in every strategy of the event."""

import re

import pytest
from django.urls import reverse

from racecontrol.shared.charts.looks import colour_of
from strategy.models import RaceStrategy
from strategy.services import analytics
from strategy.tests.builders import make_strategy
from strategy.tests.race_builders import drive

pytestmark = pytest.mark.django_db
ROW = re.compile(r'<svg class="pen (c\d)"[^>]*><path[^>]*/></svg>([\w ]+)')


def pens(client, name: str, row: RaceStrategy) -> dict[str, str]:
    """Who stands beside which colour on a page of the strategy."""
    page = client.get(reverse(f"strategy:{name}", args=[row.pk])).text
    return {who.strip(): colour for colour, who in ROW.findall(page)}


def bars(client, name: str, row: RaceStrategy) -> set[str]:
    page = client.get(reverse(f"strategy:{name}", args=[row.pk])).text
    return set(re.findall(r'class="(?:bar|strip-bar)[^"]*?(c\d)', page))


def test_a_driver_keeps_the_line_whatever_seat_another_strategy_gives(user):
    first = make_strategy(user, drivers=3)
    second = RaceStrategy.objects.create(
        team=first.team, event=first.event, car=first.car, name="Plan B",
        drivers=[*reversed(first.drivers), {"user_id": None, "name": "Guest"}],
    )  # fmt: skip
    elsewhere = make_strategy(user, name="Plan C", drivers=2)

    assert [first.look_of(seat) for seat in range(3)] == [0, 1, 2]
    assert [second.look_of(seat) for seat in range(4)] == [2, 1, 0, 3]
    assert [elsewhere.look_of(seat) for seat in range(2)] == [0, 1]
    assert first.look_of(7) == 7, "a seat the plan of then had"


def test_every_page_of_a_strategy_draws_a_driver_the_same(client, user):
    run = drive(user)
    analytics.measure(run_id=run.pk, seconds=0.5)
    row = run.strategy
    names = {who["name"]: colour_of(seat) for seat, who in enumerate(row.drivers)}

    for name in ("strategy", "wall", "print", "report"):
        assert pens(client, name, row) == names, name
    for name in ("strategy", "wall", "report"):
        assert bars(client, name, row) == set(names.values()), name


def test_the_look_costs_one_query_however_often_it_is_asked(user, django_assert_num_queries):
    row = RaceStrategy.objects.get(pk=make_strategy(user, drivers=3).pk)

    with django_assert_num_queries(1):
        assert [row.look_of(seat) for seat in (0, 1, 2, 1, 0)] == [0, 1, 2, 1, 0]
