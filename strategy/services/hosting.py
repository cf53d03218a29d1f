"""What a host does with an event by hand: names, starts, who drives for whom, deleting what is not used."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models.deletion import ProtectedError

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady
from strategy import access
from strategy.models import (
    Car,
    EventInstance,
    EventParticipation,
    LiveRun,
    RaceStrategy,
    StrategyEvent,
    Team,
)
from strategy.services.teams import clean_name

Status = EventParticipation.Status
MOST_STARTS = 20


@transaction.atomic
def change_event(
    *,
    event_id: int,
    name: str | None = None,
    track: str | None = None,
    is_signup_open: bool | None = None,
    by: Any,
) -> StrategyEvent:
    """Rename an event, name its track, open or close its sign-up; None leaves as it is."""
    access.event_for(by, event_id, access.PLANNERS)
    event = StrategyEvent.objects.select_for_update().get(pk=event_id)
    wanted: dict[str, Any] = {"is_signup_open": is_signup_open}
    wanted["name"] = None if name is None else clean_name(name, longest=120)
    wanted["track"] = None if track is None else " ".join(track.split())[:120]
    changed = {n: v for n, v in wanted.items() if v is not None and v != getattr(event, n)}
    if changed:
        before = {n: getattr(event, n) for n in changed}
        for field, value in changed.items():
            setattr(event, field, value)
        event.save(update_fields=list(changed))
        audit.record(by=by, verb="event.changed", obj=event, before=before, after=changed)
    return event


@transaction.atomic
def set_link(*, event_id: int, is_on: bool, by: Any) -> StrategyEvent:
    """A new link by which drivers sign up themselves, or none; the one before stops to work."""
    access.event_for(by, event_id, access.PLANNERS)
    event = StrategyEvent.objects.select_for_update().get(pk=event_id)
    event.signup_token = uuid4() if is_on else None
    event.save(update_fields=["signup_token"])
    audit.record(by=by, verb="event.link_made" if is_on else "event.link_withdrawn", obj=event)
    return event


@transaction.atomic
def add_start(*, event_id: int, starts_at: datetime, name: str = "", by: Any) -> EventInstance:
    """Another start of the event; raises InvalidInput for one that is there or has no zone."""
    event = access.event_for(by, event_id, access.PLANNERS)
    if starts_at.tzinfo is None:
        raise InvalidInput("A start needs its time zone.", fields={"starts_at": ["No time zone."]})
    if event.instances.count() >= MOST_STARTS:
        raise InvalidInput("Twenty starts are enough.", fields={"starts_at": ["At most twenty."]})
    try:
        with transaction.atomic():
            row = EventInstance.objects.create(
                event=event, starts_at=starts_at, name=" ".join(name.split())[:80]
            )
    except IntegrityError:
        raise InvalidInput(
            "There is a start at that moment.", fields={"starts_at": ["There already."]}
        ) from None
    audit.record(by=by, verb="event.start_added", obj=event, after={"starts_at": starts_at})
    return row


@transaction.atomic
def remove_start(*, event_id: int, instance_id: int, by: Any) -> None:
    """Take a start away that no strategy uses; the last one stays."""
    event = access.event_for(by, event_id, access.PLANNERS)
    StrategyEvent.objects.select_for_update().get(pk=event_id)
    row = event.instances.filter(pk=instance_id).first()
    if row is None:
        raise NotFound("There is no such start.")
    if event.instances.count() == 1:
        raise NotReady("An event keeps one start: add another first.")
    if row.strategies.exists():
        raise NotReady("A strategy is made for this start.")
    row.delete()
    audit.record(by=by, verb="event.start_removed", obj=event, before={"starts_at": row.starts_at})


@transaction.atomic
def assign(
    *,
    signup_id: int,
    team_id: int,
    instance_id: int | None = None,
    car_id: int | None = None,
    by: Any,
) -> EventParticipation:
    """Put a person who waits, or is in another team, into a team of the event by hand.

    The team is the host's own or one formed for this event; start and car are optional.
    """
    row = (
        EventParticipation.objects.select_for_update(of=["self"])
        .select_related("event", "user")
        .filter(pk=signup_id)
        .first()
    )
    if row is None:
        raise NotFound("There is no such signup.")
    access.require(by, row.event.host_id, access.PLANNERS)
    team = Team.objects.filter(pk=team_id).first()
    known = {row.event.host_id, *row.event.signups.values_list("assigned_team_id", flat=True)}
    if team is None or team.pk not in known:
        raise InvalidInput("That team is not in this event.", fields={"team_id": ["Not here."]})
    if instance_id is not None and not row.event.instances.filter(pk=instance_id).exists():
        raise InvalidInput("There is no such start.", fields={"instance_id": ["Not here."]})
    teams = {team.pk, row.event.host_id}
    if car_id is not None and not Car.objects.filter(pk=car_id, team_id__in=teams).exists():
        raise InvalidInput("There is no such car.", fields={"car_id": ["Not of this team."]})
    if row.status not in (Status.SIGNED_UP, Status.WAITLIST, Status.ASSIGNED):
        raise NotReady(f"{row.user} is {row.get_status_display()}: move the signup first.")
    before = {"team": row.assigned_team_id, "status": row.status}
    row.status, row.assigned_team = Status.ASSIGNED, team
    row.assigned_instance_id, row.assigned_car_id = instance_id, car_id
    row.version += 1
    row.save()
    audit.record(by=by, verb="signup.assigned", obj=row, before=before, after={"team": team.pk})
    return row


@transaction.atomic
def delete_strategy(*, strategy_id: int, by: Any) -> None:
    """Delete a strategy with its versions; not the active one, a locked one, or one that was driven."""
    access.strategy_for(by, strategy_id, access.PLANNERS)
    row = RaceStrategy.objects.select_for_update(of=["self"]).get(pk=strategy_id)
    if row.status == RaceStrategy.Status.ACTIVE or row.is_locked:
        raise NotReady(f"{row.name} is active or locked: make it a draft and unlock it first.")
    if LiveRun.objects.filter(strategy=row).exists():
        raise NotReady(f"{row.name} was driven: archive it, its race stays to read.")
    audit.record(by=by, verb="strategy.deleted", obj=row, before={"name": row.name})
    row.delete()


@transaction.atomic
def delete_event(*, event_id: int, by: Any) -> None:
    """Delete an event with its signups, for owners of the host; refused once there are strategies."""
    event = access.event_for(by, event_id, access.OWNERS)
    if event.strategies.exists():
        raise NotReady("The event has strategies: delete them first.")
    audit.record(by=by, verb="event.deleted", obj=event, before={"name": event.name})
    event.delete()


@transaction.atomic
def remove_car(*, team_id: int, car_id: int, by: Any) -> None:
    """Take a car away that no strategy uses."""
    team = access.team_for(by, team_id, access.PLANNERS)
    car = team.cars.filter(pk=car_id).first()
    if car is None:
        raise NotFound("There is no such car in this team.")
    try:
        with transaction.atomic():
            car.delete()
    except ProtectedError:
        raise NotReady(f"A strategy is made for {car}.") from None
    audit.record(by=by, verb="team.car_removed", obj=team, before={"car": car.name})


@transaction.atomic
def rename_team(*, team_id: int, name: str, by: Any) -> Team:
    access.require(by, team_id, access.OWNERS)
    team = Team.objects.select_for_update(of=["self"]).get(pk=team_id)
    before, team.name = team.name, clean_name(name)
    team.save(update_fields=["name"])
    audit.record(by=by, verb="team.renamed", obj=team, before={"name": before},
                 after={"name": team.name})  # fmt: skip
    return team
