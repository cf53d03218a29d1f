"""The demo's endurance race: signups in six time zones, formed teams, an active plan for Saturday."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.timezone import now

from strategy.models import FormationDraft, RaceStrategy, StrategyEvent, Team
from strategy.services import events, formation, plans, teams

TEAM, EVENT, HOURS, LAP_MS = "Lantern Endurance", "Lantern Six Hours", 6, 118_000
# name, zone, from and to hour of the race, s over the quickest, rating, spots, strategist
PEOPLE = (
    ("Mara Lindqvist", "Europe/Stockholm", 0, 4, 0.4, 2100, False, True),
    ("Tomasz Rey", "Europe/Warsaw", 0, 6, 0.9, 2010, True, False),
    ("June Okafor", "Africa/Lagos", 2, 6, 0.2, 2240, False, False),
    ("Eli Brandt", "America/New_York", 1, 6, 1.6, 1850, True, False),
    ("Sora Hanabi", "Asia/Tokyo", 0, 3, 1.1, 1930, False, False),
    ("Nikau Tawera", "Pacific/Auckland", 3, 6, 0.7, 2060, False, True),
    ("Priya Menon", "Asia/Kolkata", 0, 6, 1.3, 1900, True, False),
)


def load_demo(*, by: Any) -> None:
    """A team with an event, signups, formed teams and an active strategy; once."""
    if Team.objects.filter(name=TEAM, memberships__user=by).exists():
        return
    team = teams.create_team(name=TEAM, by=by)
    car = teams.save_car(team_id=team.pk, name="Prototype 7", burn_ml=2_900, tank_ml=75_000, by=by)
    event = events.create_event(
        team_id=team.pk, name=EVENT, hours=HOURS, lap_ms=LAP_MS, starts_at=[_saturday(now())],
        track="Lantern Park", time_zone="Europe/Berlin", preset="spa-24", by=by,
        regulations={
            "key": "lantern-6h", "source": "invented for the demo", "rest_s": 1_800,
            "continuous_max_s": 9_000, "min_drive_s": 2_700, "fewest_drivers": 2,
        },
        conditions=[[4 * 3_600_000, HOURS * 3_600_000, "N"]],
    )  # fmt: skip
    _sign_up(event, by, ("", by.time_zone, 0, HOURS, 0.0, 2150, False, True), car.pk)
    for person in PEOPLE:
        _sign_up(event, _account(person), person, car.pk)
    draft = FormationDraft.objects.create(
        event=event, created_by=by, options={"smallest": 4, "largest": 4, "seconds": 0.2}
    )
    draft = formation.form(draft_id=draft.pk)
    formation.confirm(draft_id=draft.pk, base_version=draft.version, by=by)
    mine = event.signups.get(user=by).assigned_team
    assert mine is not None
    row = plans.create_strategy(
        team_id=mine.pk, event_id=event.pk, car_id=car.pk, name="Plan A", by=by,
        instance_id=event.instances.get().pk,
        user_ids=list(event.signups.filter(assigned_team=mine).values_list("user_id", flat=True)),
    )  # fmt: skip
    plans.set_state(strategy_id=row.pk, base_version=row.version, by=by,
                    status=str(RaceStrategy.Status.ACTIVE))  # fmt: skip


def _saturday(moment: datetime) -> datetime:
    """14:00 UTC of the next Saturday that is more than a day away."""
    day = moment.astimezone(UTC).replace(hour=14, minute=0, second=0, microsecond=0)
    day += timedelta(days=(5 - day.weekday()) % 7)
    return day if day - moment > timedelta(days=1) else day + timedelta(days=7)


def _account(person: tuple) -> Any:
    """A login nobody can use: no password, no mail."""
    name, zone = person[:2]
    user, is_new = get_user_model().objects.get_or_create(
        username=f"demo-{name.split()[0].lower()}",
        defaults={"display_name": name, "time_zone": zone},
    )
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _sign_up(event: StrategyEvent, user: Any, person: tuple, car_id: int) -> None:
    _, _, first, last, over, skill, spots, strategist = person
    start = event.instances.get().starts_at
    # whoever signs up is invited first: the event is the host team's
    teams.accept(token=teams.invite(team_id=event.host_id, by=event.host.memberships.get(
        role="owner").user).token, by=user)  # fmt: skip
    events.sign_up(
        event_id=event.pk, by=user, lap_ms=LAP_MS + round(1000 * over), skill=skill,
        windows=[(start + timedelta(hours=first), start + timedelta(hours=last))],
        may_spot=spots, may_strategize=strategist, preferred_car_id=car_id,
    )  # fmt: skip
