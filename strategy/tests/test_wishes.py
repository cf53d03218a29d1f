"""The team's own numbers: stricter than rules and car, kept with the strategy, shown, changed later."""

import pytest
from django.urls import reverse

from racecontrol.shared.errors import InvalidInput
from racecontrol.testing.pages import Page
from strategy.models import RaceStrategy
from strategy.services import plans, refresh
from strategy.services.problems import Wishes, problem_of, wishes_of
from strategy.tests.builders import make_car, make_event, make_strategy, sign_up

pytestmark = pytest.mark.django_db


def problem(user, wishes, **event):
    """The problem of two drivers under these wishes; the rules ask for an hour's rest."""
    row = RaceStrategy.objects.first() or make_strategy(user)
    if event:
        row.event.regulations = event
    return problem_of(row.event, row.car, row.drivers, wishes)


def test_wishes_make_the_problem_stricter_never_softer(user):
    wishes = Wishes(stint_laps=12, rest_s=1800, pit_lane_s=41.5, stint_fuel_ml=60_000)

    found = problem(user, wishes, rest_s=3600, max_stint_laps=20)

    assert found["rules"]["max_stint_laps"] == 12
    assert found["drivers"][0]["min_rest_ms"] == 3_600_000
    assert found["pit"]["lane_ms"] == 41_500
    assert found["car"]["tank_ml"] - found["car"]["reserve_ml"] == 60_000
    assert problem(user, Wishes(stint_laps=30), max_stint_laps=20)["rules"]["max_stint_laps"] == 20
    assert problem(user, Wishes(tyres="optional"), tyres="every_stop")["rules"]["tyre_policy"] == (
        "every_stop"
    )
    assert problem(user, Wishes(tyres="every_stop"), tyres="optional")["rules"]["tyre_policy"] == (
        "every_stop"
    )


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        (Wishes(stint_laps=1), "stint_laps"),
        (Wishes(stint_fuel_ml=500), "stint_fuel_ml"),
        (Wishes(rest_s=100_000), "rest_s"),
        (Wishes(tyres="none"), "tyres"),
    ],
)
def test_a_wish_that_cannot_be_is_named(user, wishes, field):
    with pytest.raises(InvalidInput) as refused:
        problem(user, wishes)
    assert list(refused.value.fields) == [field]


def test_wishes_are_typed_shown_and_changed_later(client, user):
    event = make_event(user)
    car = make_car(user, event.host)
    sign_up(event, user)
    event.regulations = {}
    event.save()
    typed = {"name": "Short runs", "team": event.host_id, "instance": event.instances.get().pk,
             "car": car.pk, "drivers": [user.pk], "stint_laps": 15, "stint_fuel_l": 70}  # fmt: skip

    refused = client.post(
        reverse("strategy:strategy-new", args=[event.pk]), typed | {"stint_laps": 1}
    )
    made = client.post(reverse("strategy:strategy-new", args=[event.pk]), typed)

    # one driver, two stints in a row at most: the rules are in conflict, and it is said
    assert refused.status_code == 422
    assert "At least 3, the shortest stint" in refused.text
    assert made.status_code == 422
    assert "No plan can keep all of" in made.text

    event.regulations = {"max_stints_in_a_row": 50}
    event.save()
    client.post(reverse("strategy:strategy-new", args=[event.pk]), typed)
    row = RaceStrategy.objects.get()
    assert wishes_of(row) == Wishes(stint_laps=15, stint_fuel_ml=70_000)
    assert max(s.laps for s in plans.plan_of(row.current)) == 15
    board = Page(client.get(reverse("strategy:strategy", args=[row.pk]))).text("board")
    assert "Longest stint 15 laps the team's own" in board

    row = refresh.refresh(strategy_id=row.pk, base_version=1, wishes=Wishes(), by=user)
    assert wishes_of(row) == Wishes()
    assert plans.validate_plan(row).violations == []
