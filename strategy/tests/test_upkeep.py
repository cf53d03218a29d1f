"""What the clock clears away of strategy: links long over, ways on that nobody took."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from strategy import tasks
from strategy.models import Invitation, LiveProposal, LiveRun
from strategy.tests.live_builders import make_run

pytestmark = pytest.mark.django_db


def invitation(team, user, **values) -> Invitation:
    return Invitation.objects.create(
        team=team, created_by=user, **({"expires_at": now() + timedelta(days=7)} | values)
    )


def test_links_that_ended_long_ago_go_and_open_ones_stay(user, settings):
    run = make_run(user)
    long_over = now() - timedelta(days=settings.TOKENS_KEPT_DAYS + 1)
    for values in (
        {"expires_at": long_over},
        {"revoked_at": long_over},
        {"accepted_at": long_over},
    ):
        invitation(run.strategy.team, user, **values)
    yesterday = invitation(run.strategy.team, user, revoked_at=now() - timedelta(days=1))
    fresh = invitation(run.strategy.team, user)

    assert tasks.prune()["invitations"] == 3
    assert tasks.prune()["invitations"] == 0
    assert set(Invitation.objects.all()) == {yesterday, fresh}


def test_ways_on_that_nobody_took_go_once_the_race_is_long_over(user, settings):
    run = make_run(user)
    old = now() - timedelta(days=settings.PROPOSALS_KEPT_DAYS + 1)
    values = {"run": run, "base_version": 1, "at_ms": 0}
    unused = LiveProposal.objects.create(**values, created_at=old)
    taken = LiveProposal.objects.create(**values, created_at=old, accepted=0, accepted_at=old)
    young = LiveProposal.objects.create(**values)

    assert tasks.prune()["proposals"] == 0  # the race is under way

    LiveRun.objects.filter(pk=run.pk).update(state="finished", finished_ms=1)
    assert tasks.prune()["proposals"] == 1
    assert set(LiveProposal.objects.all()) == {taken, young}
    assert unused not in LiveProposal.objects.all()
