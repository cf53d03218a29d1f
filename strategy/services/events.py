"""Endurance events: making them, their rules, signing up with hours, moving through the states."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import available_timezones

from django.db import transaction

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, NotReady, StaleWrite
from strategy import access
from strategy.domain.regulations import PRESETS, read_regulations
from strategy.models import (
    AvailabilityWindow,
    Car,
    EventInstance,
    EventParticipation,
    StrategyEvent,
)
from strategy.services.drivers import find_driver

Status = EventParticipation.Status
LONGEST_HOURS = 96
SLOT = timedelta(minutes=30)
OWN_MOVES = {Status.INTERESTED, Status.SIGNED_UP, Status.WITHDRAWN, Status.CONFIRMED}


def _conditions(spans: object, duration_ms: int) -> list[list]:
    """Spans of night and rain as [from_ms, to_ms, letter]; raises InvalidInput."""
    wrong = InvalidInput(
        "Night and rain are spans of race time: [from, to, N, W or X].",
        fields={"conditions": ['[[from_ms, to_ms, "N"]], inside the race.']},
    )
    if not isinstance(spans, list) or len(spans) > 200:
        raise wrong
    for span in spans:
        good = isinstance(span, list | tuple) and len(span) == 3 and span[2] in ("N", "W", "X")
        if not good or not all(isinstance(n, int) for n in span[:2]):
            raise wrong
        if not 0 <= span[0] < span[1] <= duration_ms * 2:
            raise wrong
    return [list(span) for span in spans]


def create_event(
    *,
    team_id: int,
    name: str,
    hours: float,
    lap_ms: int,
    starts_at: Sequence[datetime],
    track: str = "",
    time_zone: str = "UTC",
    preset: str = "house",
    regulations: dict | None = None,
    conditions: list | None = None,
    by: Any,
) -> StrategyEvent:
    """An event of a team with its starts; rules from a preset or whole."""
    access.require(by, team_id, access.PLANNERS)
    fields: dict[str, list[str]] = {}
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        fields["name"] = ["1 to 120 characters."]
    if not 0.25 <= hours <= LONGEST_HOURS:
        fields["hours"] = [f"From a quarter of an hour to {LONGEST_HOURS} hours."]
    if not 5_000 <= lap_ms <= 1_800_000:
        fields["lap_ms"] = ["A lap takes 5 seconds to 30 minutes."]
    if time_zone not in available_timezones():
        fields["time_zone"] = ["Write it like Europe/Berlin."]
    if not starts_at or len(starts_at) > 20 or len(set(starts_at)) != len(starts_at):
        fields["starts_at"] = ["One to twenty different starts."]
    elif any(s.tzinfo is None for s in starts_at):
        fields["starts_at"] = ["A start needs its time zone."]
    if regulations is None and preset not in PRESETS:
        fields["preset"] = [f"One of {', '.join(PRESETS)}."]
    if fields:
        where, why = next(iter(fields.items()))
        raise InvalidInput(f"The event cannot be made: {where}: {why[0]}", fields=fields)
    rules = read_regulations(PRESETS[preset] if regulations is None else regulations)
    duration = round(hours * 3_600_000)
    spans = _conditions(conditions or [], duration)
    with transaction.atomic():
        event = StrategyEvent.objects.create(
            host_id=team_id, name=name, track=track[:120], time_zone=time_zone,
            duration_ms=duration, lap_ms=lap_ms, regulations=rules.model_dump(exclude_defaults=True),
            conditions=spans, signup_token=uuid4(),
        )  # fmt: skip
        EventInstance.objects.bulk_create(
            EventInstance(event=event, starts_at=moment) for moment in sorted(starts_at)
        )
        audit.record(by=by, verb="event.created", obj=event)
    return event


@transaction.atomic
def save_rules(
    *, event_id: int, regulations: dict, conditions: list | None = None, by: Any
) -> StrategyEvent:
    """Replace the rules, and night and rain if given; plans made before keep theirs."""
    access.event_for(by, event_id, access.PLANNERS)
    event = StrategyEvent.objects.select_for_update().get(pk=event_id)
    rules = read_regulations(regulations).model_dump(exclude_defaults=True)
    before = {"regulations": event.regulations, "conditions": event.conditions}
    event.regulations = rules
    if conditions is not None:
        event.conditions = _conditions(conditions, event.duration_ms)
    event.save(update_fields=["regulations", "conditions"])
    after = {"regulations": event.regulations, "conditions": event.conditions}
    audit.record(by=by, verb="event.rules_changed", obj=event, before=before, after=after)
    return event


def merged_windows(
    windows: Sequence[tuple[datetime, datetime]],
) -> list[tuple[datetime, datetime]]:
    """Sorted and joined where they touch; in UTC, so a change of clocks loses nothing."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted((a.astimezone(UTC), b.astimezone(UTC)) for a, b in windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def slots_of(event: StrategyEvent) -> list[datetime]:
    """The half hours of all starts together, as UTC moments: what the sign-up grid offers."""
    moments: set[datetime] = set()
    for instance in event.instances.all():
        start = instance.starts_at.astimezone(UTC)
        at = start - timedelta(minutes=start.minute % 30, seconds=start.second)
        end = start + timedelta(milliseconds=event.duration_ms)
        while at < end:
            moments.add(at)
            at += SLOT
    return sorted(moments)


@transaction.atomic
def sign_up(
    *,
    event_id: int,
    by: Any,
    windows: Sequence[tuple[datetime, datetime]] | None = None,
    preferred_car_id: int | None = None,
    may_spot: bool = False,
    may_strategize: bool = False,
    skill: int = 0,
    lap_ms: int | None = None,
    wet_lap_ms: int | None = None,
    notes: str = "",
    category: str = "",
    no_night: bool = False,
    no_wet: bool = False,
    timing_driver: str = "",
    base_version: int | None = None,
    token: UUID | None = None,
) -> EventParticipation:
    """Sign up, or change one's signup. `base_version` is the version the person saw.

    `token`: of the event's link, which opens the event to whoever holds it.

    `timing_driver` is who the person is in timing, by name or #number: imported laps then tell pace.
    """
    event = access.event_to_sign_up(by, event_id, token)
    row = (
        EventParticipation.objects.select_for_update(of=["self"])
        .filter(event=event, user=by)
        .first()
    )
    if not event.is_signup_open:
        raise NotReady("The sign-up is closed.")
    category = " ".join(category.split())
    _check_signup(event, preferred_car_id, (lap_ms, wet_lap_ms), skill, category)
    driver = find_driver(timing_driver)
    if row is None:
        row = EventParticipation(event=event, user=by, version=0, status=Status.SIGNED_UP)
    elif base_version is not None and base_version != row.version:
        raise StaleWrite("Your signup changed in another window: look at it again.")
    elif row.status in (Status.INTERESTED, Status.WITHDRAWN):
        row.status = Status.SIGNED_UP
    row.preferred_car_id = preferred_car_id
    row.may_spot, row.may_strategize = may_spot, may_strategize
    row.skill, row.lap_ms, row.wet_lap_ms, row.notes = skill, lap_ms, wet_lap_ms, notes[:2000]
    row.category, row.no_night, row.no_wet, row.timing_driver = category, no_night, no_wet, driver
    row.version += 1
    row.save()
    if windows is not None:
        _save_windows(event, row, windows)
    audit.record(by=by, verb="signup.saved", obj=row, after={"version": row.version})
    return row


def _check_signup(
    event: StrategyEvent,
    preferred_car_id: int | None,
    laps_ms: tuple[int | None, int | None],
    skill: int,
    category: str,
) -> None:
    """Raises InvalidInput for the first number or choice that cannot be; `laps_ms`: dry and wet."""
    if preferred_car_id is not None and not Car.objects.filter(
        pk=preferred_car_id, team=event.host
    ):
        raise InvalidInput(
            "There is no such car.", fields={"preferred_car": ["Not in this event."]}
        )
    for name, value in zip(("lap_ms", "wet_lap_ms"), laps_ms, strict=True):
        if value is not None and not 5_000 <= value <= 1_800_000:
            raise InvalidInput("A lap takes 5 seconds to 30 minutes.",
                               fields={name: ["5 seconds to 30 minutes."]})  # fmt: skip
    if not -100_000 <= skill <= 100_000:
        raise InvalidInput("That rating is out of range.", fields={"skill": ["At most 100000."]})
    if len(category) > 20:
        raise InvalidInput("That category is too long.", fields={"category": ["20 characters."]})


def _save_windows(
    event: StrategyEvent, row: EventParticipation, windows: Sequence[tuple[datetime, datetime]]
) -> None:
    offered = slots_of(event)
    for start, end in windows:
        if start >= end or start < offered[0] or end > offered[-1] + SLOT:
            raise InvalidInput(
                "A window must lie within the event.", fields={"windows": ["Outside the event."]}
            )
    row.windows.all().delete()
    AvailabilityWindow.objects.bulk_create(
        AvailabilityWindow(signup=row, starts_at=a, ends_at=b) for a, b in merged_windows(windows)
    )


@transaction.atomic
def move(*, signup_id: int, to: str, by: Any, reason: str = "") -> EventParticipation:
    """Take a signup to another state, along the allowed ways only."""
    row = (
        EventParticipation.objects.select_for_update(of=["self"])
        .select_related("event")
        .filter(pk=signup_id)
        .first()
    )
    role = row and access.role_in(by, row.event.host_id)
    if row is None or (row.user_id != by.pk and role is None):
        raise NotFound("There is no such signup.")
    if to not in Status.values:
        raise InvalidInput("There is no such state.", fields={"status": ["Unknown state."]})
    is_planner = role in access.PLANNERS
    if not is_planner and (row.user_id != by.pk or to not in OWN_MOVES):
        raise NotAllowed("Only a strategist of the host moves signups there.")
    if to not in EventParticipation.MOVES[Status(row.status)]:
        raise NotReady(
            f"{row.get_status_display()} cannot become {Status(to).label}: that step is not next."
        )
    if to in (Status.ASSIGNED, Status.ENTERED, Status.CONFIRMED) and not row.assigned_team_id:
        raise NotReady("Put the person into a team first.")
    before = row.status
    row.status, row.version = to, row.version + 1
    if to in (Status.SIGNED_UP, Status.INTERESTED, Status.WITHDRAWN):
        row.assigned_team = row.assigned_instance = row.assigned_car = None
    row.save()
    audit.record(by=by, verb="signup.moved", obj=row, before={"status": before},
                 after={"status": to}, reason=reason)  # fmt: skip
    return row


def follow_driver(*, was_id: int, now_id: int, only: list[int] | None = None) -> list[int]:
    """A timed driver was merged into another, or split off again: who signed up as them goes along.

    Gives the sign-ups that moved; `only` moves just those back.
    """
    signups = EventParticipation.objects.filter(timing_driver_id=was_id)
    if only is not None:
        signups = signups.filter(pk__in=only)
    moving = list(signups.order_by("pk").values_list("pk", flat=True))
    EventParticipation.objects.filter(pk__in=moving).update(timing_driver_id=now_id)
    return moving
