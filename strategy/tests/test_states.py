"""States are known ones, whoever writes the row; the history tells them in words."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.urls import reverse

from racecontrol.testing.pages import Page
from strategy import history
from strategy.models import EventParticipation, LiveRun, RaceStrategy, StintPlan
from strategy.services import plans
from strategy.tests.builders import make_strategy
from strategy.tests.live_builders import make_run

CHECKED = [
    (EventParticipation, "status", "signup_status_known"),
    (EventParticipation, "kind", "signup_kind_known"),
    (RaceStrategy, "status", "strategy_status_known"),
    (StintPlan, "status", "stint_status_known"),
    (LiveRun, "state", "race_state_known"),
]


@pytest.mark.parametrize(("model", "field", "name"), CHECKED, ids=[c[2] for c in CHECKED])
def test_the_database_knows_the_states_the_code_knows(model, field, name):
    rule = next(c for c in model._meta.constraints if c.name == name)

    values = rule.condition.children[0][1]

    assert set(values) == set(dict(model._meta.get_field(field).choices))


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "field", "name"), CHECKED, ids=[c[2] for c in CHECKED])
def test_no_other_state_is_kept(user, model, field, name):
    make_run(user)

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        apps.get_model(model._meta.label).objects.update(**{field: "odd"})


@pytest.mark.django_db
def test_the_history_of_a_strategy_is_told_in_words(client, user):
    row = make_strategy(user)
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="move", stint=1, value=-1, by=user)

    page = Page(client.get(reverse("strategy:strategy", args=[row.pk]))).text("board")

    assert "moved the end stint 1 to -1" in page
    assert "made the strategy" in page
    assert "plan.move" not in page


def test_what_has_no_words_yet_is_told_plainly():
    line = SimpleNamespace(at=None, by=None, reason="", verb="plan.turned_around", after={"x": {}})

    assert history.told([line])[0]["words"] == "plan: turned around"
