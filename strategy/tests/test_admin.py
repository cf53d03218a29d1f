"""Every table of strategy in the admin, with its history; secrets stay secret."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from racecontrol.shared.audit import trail_of
from strategy.models import StrategyEvent, Team
from strategy.services import news, teams
from strategy.tests import matrix

pytestmark = pytest.mark.django_db
MODELS = list(apps.get_app_config("strategy").get_models())


def test_every_table_is_there():
    assert [m.__name__ for m in MODELS if not admin.site.is_registered(m)] == []


def test_lists_and_rows_open(boss, user):
    matrix.samples(user)
    opened = 0
    for model in MODELS:
        name = f"admin:strategy_{model._meta.model_name}"
        assert boss.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200, name
        row = model.objects.first()
        if row is not None:
            assert boss.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
            opened += 1
    assert opened >= 12


def test_secrets_and_links_are_not_shown(boss, user):
    team = teams.create_team(name="Night Owls", by=user)
    hook, secret = news.add_webhook(team_id=team.pk, url="https://hooks.example.org/1", by=user)
    link = teams.invite(team_id=team.pk, by=user)

    pages = [boss.get(reverse("admin:strategy_webhook_change", args=[hook.pk])),
             boss.get(reverse("admin:strategy_invitation_change", args=[link.pk]))]  # fmt: skip

    assert not any(str(word) in page.text for page in pages for word in (secret, link.token))


def test_mending_leaves_a_line_and_what_is_not_to_be_mended_stays(boss, user):
    team = teams.create_team(name="Night Owls", by=user)
    url = reverse("admin:strategy_team_change", args=[team.pk])
    rows = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}

    boss.post(url, {"name": "Day Owls", "club": ""} | rows)

    assert Team.objects.get().name == "Day Owls"
    line = trail_of(team)[0]
    assert (line.verb, line.before, line.after) == (
        "admin.mended", {"name": "Night Owls"}, {"name": "Day Owls"},
    )  # fmt: skip
    page = boss.get(url).text
    assert "team.created" in page
    assert "admin.mended" in page
    assert not StrategyEvent.objects.exists()
    assert boss.get(reverse("admin:strategy_team_add")).status_code == 403
