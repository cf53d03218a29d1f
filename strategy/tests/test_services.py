"""Teams, signups, formation and plans as people use them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from racecontrol.shared.access import shares_team
from racecontrol.shared.audit import trail_of
from racecontrol.shared.errors import (
    ImpossiblePlan,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotReady,
    StaleWrite,
)
from strategy.domain.stints.conflict import Conflict
from strategy.models import EventParticipation, Membership, RaceStrategy, Role, StintPlan, Team
from strategy.services import events, formation, news, plans, teams, what_if
from strategy.services.plans import solving
from strategy.tests.builders import (
    START,
    make_car,
    make_event,
    make_person,
    make_strategy,
    make_team,
    sign_up,
)
from strategy.webhooks import signature

pytestmark = pytest.mark.django_db


def test_people_of_a_team_share_it_and_strangers_do_not(user, other):
    make_team(user, members={other: Role.DRIVER})

    assert shares_team(user, other.pk)
    assert not shares_team(make_person("nobody"), user.pk)


def test_an_invitation_lets_one_person_in_once(user, other):
    team = make_team(user)
    row = teams.invite(team_id=team.pk, role=Role.STRATEGIST, by=user)

    teams.accept(token=row.token, by=other)
    teams.accept(token=row.token, by=other)

    assert Membership.objects.get(team=team, user=other).role == Role.STRATEGIST
    with pytest.raises(NotFound, match="ask for a new one"):
        teams.accept(token=row.token, by=make_person("third"))


def test_an_invitation_by_mail_only_fits_its_reader(user, other):
    team = make_team(user)
    row = teams.invite(team_id=team.pk, email="someone@example.org", by=user)

    with pytest.raises(NotAllowed, match="another email"):
        teams.accept(token=row.token, by=other)


def test_the_last_owner_stays(user):
    team = make_team(user)

    with pytest.raises(NotAllowed, match="needs an owner"):
        teams.change_role(team_id=team.pk, user_id=user.pk, role="", by=user)


def test_drivers_do_not_invite(user, other):
    team = make_team(user, members={other: Role.DRIVER})

    with pytest.raises(NotAllowed, match="owner"):
        teams.invite(team_id=team.pk, by=other)


def test_a_signup_over_the_change_of_clocks_keeps_every_hour(user):
    user.time_zone = "Europe/Berlin"
    user.save()
    night = datetime(2026, 10, 24, 20, tzinfo=UTC)  # clocks go back at 01:00 UTC
    event = make_event(user, hours=12, starts_at=[night])
    slots = events.slots_of(event)

    row = sign_up(event, user, [(slot, slot + events.SLOT) for slot in slots])

    only = row.windows.get()
    assert only.ends_at - only.starts_at == timedelta(hours=12)
    assert len(slots) == 24


def test_four_zones_meet_on_one_race_clock(user):
    event = make_event(user, hours=24, lap_ms=300_000)
    for n, hour in enumerate((0, 6, 12, 18)):
        start = START + timedelta(hours=hour)
        sign_up(event, make_person(f"zone{n}"), [(start, start + timedelta(hours=6))])

    judged = formation.Signups(formation.people_of(event), race_ms=event.duration_ms)

    assert judged.judge([0, 1, 2, 3]).parts["cover_one"] == 1.0
    assert judged.judge([0, 1]).weakest_ms == 12 * 3_600_000


def test_signups_move_along_the_allowed_ways_only(user, other):
    event = make_event(user)
    row = sign_up(event, other)

    with pytest.raises(NotReady, match="not next"):
        events.move(signup_id=row.pk, to="participated", by=user)
    with pytest.raises(NotAllowed):
        events.move(signup_id=row.pk, to="waitlist", by=other)
    assert events.move(signup_id=row.pk, to="withdrawn", by=other).status == "withdrawn"


def test_an_old_window_does_not_overwrite_a_newer_signup(user):
    event = make_event(user)
    row = sign_up(event, user, lap_ms=150_000)
    sign_up(event, user, lap_ms=149_000, base_version=row.version)

    with pytest.raises(StaleWrite):
        sign_up(event, user, lap_ms=160_000, base_version=row.version)
    assert EventParticipation.objects.get().lap_ms == 149_000


def test_windows_cannot_overlap_even_past_the_service(user):
    row = sign_up(make_event(user), user)
    window = row.windows.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        row.windows.create(starts_at=window.starts_at, ends_at=window.ends_at)


def test_a_first_plan_keeps_every_rule_and_says_where_the_pace_is_from(user):
    row = make_strategy(user)

    assert plans.validate_plan(row).violations == []
    assert row.drivers[0]["source"] == "typed in at sign-up"
    assert [s.number for s in row.current.stints.all()] == list(
        range(1, row.current.stints.count() + 1)
    )


def test_a_race_nobody_can_drive_names_the_rules(user, other):
    event = make_event(user)
    car = make_car(user, event.host)
    start = event.instances.first().starts_at
    for one in (user, other):
        sign_up(event, one, [(start, start + timedelta(hours=1))])

    with pytest.raises(ImpossiblePlan, match="availability of sam"):
        plans.create_strategy(
            team_id=event.host_id, event_id=event.pk, car_id=car.pk, name="A",
            instance_id=event.instances.first().pk, user_ids=[user.pk, other.pk], by=user,
        )  # fmt: skip
    assert RaceStrategy.objects.count() == 0


def test_the_optimiser_adds_a_version_and_leaves_the_current_one(user, run_jobs):
    row = make_strategy(user)
    job = plans.request_optimisation(strategy_id=row.pk, seconds=5, by=user)

    run_jobs()

    job.refresh_from_db()
    row.refresh_from_db()
    assert job.state == "done"
    assert row.current.number == 1
    found = row.versions.get(number=2)
    assert (found.is_proven, found.bound_ms) == (True, found.z1_ms)
    assert found.z1_ms <= row.current.z1_ms
    line = trail_of(row).get(verb="plan.optimised")
    assert (line.by, line.after) == (user, {"number": 2})


def test_the_optimiser_names_what_contradicts_and_what_would_free_it(user, monkeypatch):
    told = Conflict(["minimum drive time of sam", "rest"], ["rest"], is_smallest=True)
    monkeypatch.setattr(solving, "explain", lambda instance: told)
    row = make_strategy(user)
    for driver in row.problem["drivers"]:
        driver["min_drive_ms"] = 2 * 3_600_000  # two drivers, three hours
    row.save(update_fields=["problem"])

    with pytest.raises(ImpossiblePlan, match=r"sam, rest\. Loosening one of these frees it: rest"):
        plans.optimise(strategy_id=row.pk, seconds=60, even_out=False, by=user)

    assert row.versions.count() == 1


def test_the_optimiser_run_twice_by_one_job_is_one_version(user):
    row = make_strategy(user)

    for _ in range(2):
        plans.optimise(strategy_id=row.pk, seconds=3, even_out=False, by=user, job_key="abc")

    assert row.versions.count() == 2


def test_two_people_editing_one_gets_a_conflict_and_nothing_is_lost(user, other):
    row = make_strategy(user)
    Membership.objects.create(team=row.team, user=other, role=Role.STRATEGIST)

    change = {"strategy_id": row.pk, "base_version": 1, "change": "move", "stint": 1}
    plans.edit_stint(value=-1, by=user, **change)
    with pytest.raises(StaleWrite, match="look at theirs"):
        plans.edit_stint(value=-2, by=other, **change)

    row.refresh_from_db()
    assert (row.version, row.current.number, row.versions.count()) == (2, 2, 2)


def test_a_bad_edit_is_kept_and_shown_with_its_broken_rules(user):
    row = make_strategy(user)
    laps = row.current.stints.get(number=1).laps

    version = plans.edit_stint(strategy_id=row.pk, base_version=1, change="split", stint=1,
                               value=laps - 1, by=user)  # fmt: skip

    assert version.broken_rules >= 1
    row.refresh_from_db()
    assert "min_stint_laps" in {v.rule for v in plans.validate_plan(row).violations}


def test_a_held_stint_refuses_changes(user):
    row = make_strategy(user)
    plans.lock_stint(strategy_id=row.pk, base_version=1, stint=1, is_locked=True, by=user)

    with pytest.raises(plans.Locked, match="release it"):
        plans.edit_stint(
            strategy_id=row.pk, base_version=2, change="move", stint=1, value=-1, by=user
        )


def test_a_locked_strategy_refuses_everything_but_unlocking(user):
    row = make_strategy(user)
    plans.set_state(strategy_id=row.pk, base_version=1, is_locked=True, by=user)

    with pytest.raises(plans.Locked):
        plans.use_version(strategy_id=row.pk, base_version=2, number=1, by=user)
    plans.set_state(strategy_id=row.pk, base_version=2, is_locked=False, by=user)


def test_only_one_strategy_of_a_start_is_active(user):
    row = make_strategy(user)
    second = plans.create_strategy(
        team_id=row.team_id, event_id=row.event_id, car_id=row.car_id, name="Plan B",
        instance_id=row.instance_id, user_ids=[d["user_id"] for d in row.drivers], by=user,
    )  # fmt: skip

    for one in (row, second):
        plans.set_state(strategy_id=one.pk, base_version=1, status="active", by=user)

    row.refresh_from_db()
    assert (row.status, RaceStrategy.objects.filter(status="active").count()) == ("draft", 1)


def test_a_strategy_has_one_running_stint_at_most(user):
    row = make_strategy(user)
    StintPlan.objects.filter(plan=row.current, number=1).update(status="in_progress")

    with pytest.raises(IntegrityError), transaction.atomic():
        StintPlan.objects.filter(plan=row.current, number=2).update(status="in_progress")


def test_what_if_compares_versions_with_the_same_luck(user):
    row = make_strategy(user)
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="move", stint=1, value=-1, by=user)

    first, second = what_if.simulate(strategy_id=row.pk, numbers=[1, 2], races=50, by=user)
    slower = what_if.simulate(strategy_id=row.pk, numbers=[1], races=50, by=user, pace_percent=102)

    assert second.against is not None
    assert slower[0].outcome.laps_p50 < first.outcome.laps_p50
    assert slower[0].score.z1_ms > first.score.z1_ms


def test_teams_are_formed_confirmed_told_and_undone(user, run_jobs):
    event = make_event(user)
    for n in range(6):
        sign_up(event, make_person(f"p{n}"), skill=n * 10)
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 2, "largest": 3, "seconds": 0.2}, by=user
    )
    run_jobs()
    draft.refresh_from_db()
    mail.outbox.clear()

    formation.confirm(draft_id=draft.pk, base_version=draft.version, by=user)
    run_jobs()

    assert len(draft.teams) == 2
    assert event.signups.filter(status="team_assigned").count() == 6
    assert sorted(m.to[0] for m in mail.outbox) == [f"p{n}@example.org" for n in range(6)]
    draft.refresh_from_db()
    formation.undo(draft_id=draft.pk, base_version=draft.version, by=user)
    assert event.signups.filter(status="signed_up").count() == 6
    assert Team.objects.count() == 1


def test_a_changed_signup_stops_the_confirmation_and_nothing_is_made(user, run_jobs):
    event = make_event(user)
    people = [make_person(f"p{n}") for n in range(4)]
    for one in people:
        sign_up(event, one)
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 2, "largest": 2, "seconds": 0.1}, by=user
    )
    run_jobs()
    sign_up(event, people[0], may_spot=True)

    with pytest.raises(StaleWrite, match="p0 changed"):
        formation.confirm(draft_id=draft.pk, base_version=1, by=user)
    assert Team.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "https://user@example.org/", "https://example.org:8443/", "ftp://x"],
)
def test_a_webhook_is_an_https_address(user, url):
    with pytest.raises(InvalidInput, match="https"):
        news.add_webhook(team_id=make_team(user).pk, url=url, by=user)


def test_a_webhook_to_a_private_address_is_refused_when_delivered(user, run_jobs):
    team = make_team(user)
    hook, _ = news.add_webhook(team_id=team.pk, url="https://localhost/hook", by=user)
    news.tell_hooks(team, "The plan changed.")

    run_jobs()

    hook.refresh_from_db()
    assert "not a public address" in hook.last_status


def test_the_signature_covers_moment_and_body():
    assert signature("s", "1", b"{}") != signature("s", "2", b"{}") != signature("s", "2", b"{ }")
    assert signature("s", "1", b"{}").startswith("sha256=")
