"""Changes by hand: what they cost, taking them back, holding stints, and who hears of them."""

from datetime import UTC, datetime

import pytest
from django.core import mail
from django.utils.timezone import now

from racecontrol.shared import jobs
from racecontrol.shared.audit import trail_of
from racecontrol.shared.errors import NotReady
from strategy.models import RaceStrategy
from strategy.services import plans
from strategy.services.standing import standing_of
from strategy.tests.builders import make_strategy

pytestmark = pytest.mark.django_db


def edit(row, by, change="move", stint=1, value=-1, **more):
    row.refresh_from_db()
    plans.edit_stint(strategy_id=row.pk, base_version=row.version, change=change, stint=stint,
                     value=value, by=by, **more)  # fmt: skip
    row.refresh_from_db()
    return row


def activate(row, by):
    return plans.set_state(
        strategy_id=row.pk, base_version=row.version, status=RaceStrategy.Status.ACTIVE, by=by
    )


def run_held_back(run_jobs):
    """Run what waits for its minute."""
    jobs.Job.objects.filter(state="queued").update(run_at=now())
    run_jobs()


def test_a_change_is_shown_with_its_cost_against_the_optimum(user):
    row = make_strategy(user)
    plans.optimise(strategy_id=row.pk, seconds=5, even_out=False, by=user)
    best = row.versions.get(number=2)
    assert best.is_proven

    row = edit(row, user)
    found = standing_of(row)

    assert found.is_against_proven
    assert found.cost_ms == row.current.z1_ms - best.z1_ms > 0
    assert found.off_bound_ms == found.cost_ms
    assert found.step_ms == row.current.z1_ms - row.versions.get(number=1).z1_ms


def test_changes_are_undone_one_by_one_and_stay_to_see(user):
    row = make_strategy(user)
    row = edit(edit(row, user), user, "split", 1, 4)

    for wanted in (2, 1):
        row = plans.undo(strategy_id=row.pk, base_version=row.version, by=user)
        assert row.current.number == wanted
    with pytest.raises(NotReady, match="no change by hand"):
        plans.undo(strategy_id=row.pk, base_version=row.version, by=user)

    assert row.versions.count() == 3
    assert [line.verb for line in trail_of(row)[:2]] == ["plan.undone", "plan.undone"]


def test_a_held_stint_stays_held_when_its_number_shifts(user):
    row = make_strategy(user)
    plans.lock_stint(strategy_id=row.pk, base_version=1, stint=2, is_locked=True, by=user)

    row = edit(row, user, "split", 1, 5)

    held = row.current.stints.get(is_driver_pinned=True)
    assert held.number == 3
    for change, stint in (("move", 3), ("merge", 3), ("move", 2)):
        with pytest.raises(plans.Locked, match="is held"):
            edit(row, user, change, stint)


def test_changes_of_the_active_plan_reach_those_they_concern_once(user, run_jobs):
    row = activate(make_strategy(user, drivers=3), user)
    run_held_back(run_jobs)
    mate = row.team.members.get(username="mate1")
    mate.time_zone = "Asia/Tokyo"
    mate.save()
    stint = row.current.stints.filter(driver=mate).first()
    assert stint is not None
    mail.outbox.clear()

    row = edit(row, user, "split", stint.number, 5)
    row = edit(row, user, "split", stint.number, 3)
    run_held_back(run_jobs)

    told = {m.to[0]: m.body for m in mail.outbox}
    assert list(told) == ["mate1@example.org"]
    first = row.current.stints.filter(driver=mate).first()
    start = datetime.fromtimestamp(
        row.instance.starts_at.timestamp() + first.planned_start_ms / 1000, tz=UTC
    )
    assert "changed (by sam)" in told["mate1@example.org"]
    assert f"{(start.hour + 9) % 24:02}:{start.minute:02} JST" in told["mate1@example.org"]


def test_everybody_hears_of_a_plan_that_becomes_the_active_one(user, run_jobs):
    mail.outbox.clear()
    activate(make_strategy(user), user)

    run_held_back(run_jobs)

    assert sorted(m.to[0] for m in mail.outbox) == ["mate1@example.org", "sam@example.org"]
    assert all("Stint 1: laps 1 to" in m.body for m in mail.outbox if "mate1" in m.to[0])


def test_what_was_undone_meanwhile_is_not_told(user, run_jobs):
    row = activate(make_strategy(user), user)
    run_held_back(run_jobs)
    mail.outbox.clear()
    row = edit(row, user)
    plans.undo(strategy_id=row.pk, base_version=row.version, by=user)

    run_held_back(run_jobs)

    assert mail.outbox == []


def test_drafts_tell_nobody_but_a_name_in_the_note(user, run_jobs):
    row = make_strategy(user)
    mail.outbox.clear()

    row = edit(row, user, note="@mate1 you start earlier, ask @nobody")
    run_held_back(run_jobs)

    assert [m.to for m in mail.outbox] == [["mate1@example.org"]]
    assert "you start earlier" in mail.outbox[0].body
    assert row.current.reason == "move stint 1: @mate1 you start earlier, ask @nobody"
    assert trail_of(row)[0].reason.startswith("@mate1")
