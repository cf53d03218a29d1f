"""The life of a mission: which state follows which, who may ask, what may be edited when.

Dates are calendar dates in the mission's own time zone, inclusive at both ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from racecontrol.shared.errors import InvalidInput, NotAllowed, RaceError


class State(StrEnum):
    PREP = "PREP"
    TRAINING = "TRAINING"
    EVENT_ACTIVE = "EVENT_ACTIVE"
    MISSION_COMPLETE = "MISSION_COMPLETE"
    ARCHIVED = "ARCHIVED"


RUNNING: Final = (State.TRAINING, State.EVENT_ACTIVE)


class Actor(StrEnum):
    ATHLETE = "athlete"
    ADMIN = "admin"
    CLOCK = "clock"


class ForbiddenMove(RaceError):
    """The mission cannot do this from where it is; `fields["allowed"]` lists what it can."""

    code = "forbidden_move"


class EditLocked(RaceError):
    """This part of the mission cannot be changed in its present state."""

    code = "edit_locked"


@dataclass(frozen=True, slots=True)
class Dates:
    """Local dates of a mission, each inclusive."""

    prep_start: date
    event_start: date
    event_end: date

    def __post_init__(self) -> None:
        if self.event_start < self.prep_start:
            raise InvalidInput(
                "The event cannot start before preparation does.",
                fields={"event_start": ["Must be on or after the start of preparation."]},
            )
        if self.event_end < self.event_start:
            raise InvalidInput(
                "The event cannot end before it starts.",
                fields={"event_end": ["Must be on or after the first event day."]},
            )


@dataclass(frozen=True, slots=True)
class Step:
    """One change of state and the reason for it."""

    origin: State
    target: State
    why: str


def advance(
    state: State,
    dates: Dates,
    today: date,
    *,
    is_ready_to_start: bool = False,
    archive_from: date | None = None,
) -> tuple[Step, ...]:
    """Every change of state the calendar asks for, in order; the last target is stable.

    `is_ready_to_start`: the athlete asked for an automatic start and all guards hold.
    `archive_from`: first date on which a completed mission is put away (None: not yet settled).
    """
    steps: list[Step] = []
    while (step := _next(state, dates, today, is_ready_to_start, archive_from)) is not None:
        steps.append(step)
        state = step.target
    return tuple(steps)


def _next(
    state: State, dates: Dates, today: date, is_ready_to_start: bool, archive_from: date | None
) -> Step | None:
    match state:
        case State.PREP if is_ready_to_start and dates.prep_start <= today <= dates.event_end:
            return Step(state, State.TRAINING, "preparation begins")
        case State.TRAINING if dates.event_start <= today:
            return Step(state, State.EVENT_ACTIVE, "the event begins")
        case State.EVENT_ACTIVE if dates.event_end < today:
            return Step(state, State.MISSION_COMPLETE, "the event is over")
        case State.MISSION_COMPLETE if archive_from is not None and archive_from <= today:
            return Step(state, State.ARCHIVED, "put away after the quiet time")
    return None


def archive_date(*, completed_on: date, quiet_days: int) -> date:
    """The first local date on which a completed mission is archived by itself."""
    return completed_on + timedelta(days=quiet_days)


# -- what a person may ask for ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guards:
    """What must be true of the athlete before a mission may start."""

    has_other_running: bool = False
    has_model: bool = True
    has_consent: bool = True


_MOVES: Final[dict[str, dict[State, tuple[State, frozenset[Actor]]]]] = {
    "start": {State.PREP: (State.TRAINING, frozenset(Actor))},
    "finish": {
        state: (State.MISSION_COMPLETE, frozenset({Actor.ATHLETE, Actor.ADMIN}))
        for state in RUNNING
    },
    "back_to_prep": {State.TRAINING: (State.PREP, frozenset({Actor.ADMIN}))},
    "archive": {
        State.MISSION_COMPLETE: (State.ARCHIVED, frozenset(Actor)),
        State.PREP: (State.ARCHIVED, frozenset({Actor.ATHLETE, Actor.ADMIN})),
    },
    "reopen": {State.ARCHIVED: (State.MISSION_COMPLETE, frozenset({Actor.ADMIN}))},
}
MOVES: Final = tuple(_MOVES)


def allowed_moves(state: State, actor: Actor) -> list[str]:
    """The moves this actor may ask for from here (guards of the moment aside)."""
    return [name for name, ways in _MOVES.items() if state in ways and actor in ways[state][1]]


def move(
    name: str,
    state: State,
    dates: Dates,
    today: date,
    *,
    actor: Actor,
    why: str = "",
    guards: Guards | None = None,
    is_wrapup_settled: bool = True,
) -> tuple[Step, ...]:
    """The steps a wanted move takes, the calendar's own steps after it included.

    Raises ForbiddenMove (409) with the allowed list, NotAllowed where only an admin may.
    """
    guards = guards or Guards()
    ways = _MOVES.get(name, {})
    if state not in ways:
        raise _forbidden(f"A mission in {state} cannot {name.replace('_', ' ')}.", state, actor)
    target, actors = ways[state]
    if actor not in actors:
        raise NotAllowed(f"Only an administrator may {name.replace('_', ' ')} a mission.")
    if name == "start":
        _check_start(state, dates, today, actor, guards)
    if name == "back_to_prep" and today >= dates.event_start:
        raise _forbidden("The event has begun: preparation cannot be re-opened.", state, actor)
    if name == "archive" and state is State.MISSION_COMPLETE and not is_wrapup_settled:
        raise _forbidden("The wrap-up is still being written; archive afterwards.", state, actor)

    first = Step(state, target, why or name.replace("_", " "))
    return (first, *advance(target, dates, today))


def _check_start(state: State, dates: Dates, today: date, actor: Actor, guards: Guards) -> None:
    if today > dates.event_end:
        raise _forbidden("The event is over: give the mission new dates first.", state, actor)
    if guards.has_other_running:
        raise _forbidden(
            "Another mission of yours is running; finish it before starting this one.",
            state,
            actor,
        )
    if not guards.has_model:
        raise _forbidden("No language model is set up: add one in the settings.", state, actor)
    if not guards.has_consent:
        raise _forbidden(
            "Consent to store health data and to send facts to the model is missing.", state, actor
        )


def _forbidden(message: str, state: State, actor: Actor) -> ForbiddenMove:
    allowed = allowed_moves(state, actor)
    listed = ", ".join(allowed) or "nothing"
    return ForbiddenMove(f"{message} Allowed now: {listed}.", fields={"allowed": allowed})


# -- what may be edited when -----------------------------------------------------------------

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name", "notes", "event_name", "llm_goal_statement"),
    "notifications": ("notifications", "run_at"),
    "dates": ("prep_start", "event_start", "event_end", "auto_start"),
    "rules": ("mission_type", "points_schema", "stage_plan"),
    "safety": ("constraints", "injuries", "availability", "rider_profile"),
    "zone": ("timezone",),
}
GROUP_OF: Final = {field: group for group, fields in GROUPS.items() for field in fields}

_ALWAYS: Final = frozenset({State.PREP, *RUNNING})
_EDITABLE: Final[dict[str, frozenset[State]]] = {
    "name": _ALWAYS,
    "notifications": _ALWAYS | {State.MISSION_COMPLETE},
    "dates": _ALWAYS,
    "rules": frozenset({State.PREP, State.TRAINING}),
    "safety": _ALWAYS,
    "zone": _ALWAYS,
}
_NAMES: Final = {
    "name": "the name and notes",
    "notifications": "notifications",
    "dates": "dates",
    "rules": "the mission type, points and stage plan",
    "safety": "limits, injuries and availability",
    "zone": "the time zone",
}


def editable_groups(state: State) -> list[str]:
    """The groups of fields an athlete may change in this state."""
    return [group for group, states in _EDITABLE.items() if state in states]


def check_edit(
    state: State,
    changes: dict[str, Any],
    *,
    dates: Dates,
    today: date,
    actor: Actor = Actor.ATHLETE,
    reason: str = "",
) -> None:
    """Refuse changes the state does not allow; `changes` maps a field to its new value.

    Raises EditLocked naming every locked field, InvalidInput for dates that cannot be.
    """
    problems: dict[str, list[str]] = {}
    for field in changes:
        group = GROUP_OF.get(field)
        if group is None:
            raise InvalidInput("No such field.", fields={field: ["Unknown field."]})
        if state in _EDITABLE[group]:
            continue
        is_admin_mend = (
            actor is Actor.ADMIN and group == "rules" and state is State.EVENT_ACTIVE and reason
        )
        if not is_admin_mend:
            problems[field] = [f"Locked: {_NAMES[group]} cannot change in {state}."]
    problems |= _date_problems(state, changes, dates, today, actor)
    if problems:
        raise EditLocked("This mission does not allow that change now.", fields=problems)
    new = {name: changes.get(name, getattr(dates, name)) for name in _DATE_FIELDS}
    if any(name in changes for name in _DATE_FIELDS):
        Dates(**new)


_DATE_FIELDS: Final = ("prep_start", "event_start", "event_end")


def _date_problems(
    state: State, changes: dict[str, Any], dates: Dates, today: date, actor: Actor
) -> dict[str, list[str]]:
    """Dates that have passed stay passed: nothing may re-open an event but an administrator."""
    if actor is Actor.ADMIN:
        return {}
    problems: dict[str, list[str]] = {}

    def changed(names: Iterable[str]) -> Iterable[str]:
        return (name for name in names if name in changes and changes[name] != getattr(dates, name))

    if state is State.TRAINING:
        for name in changed(("prep_start",)):
            problems[name] = ["Preparation has begun; its start stays."]
        for name in changed(("event_start", "event_end")):
            if changes[name] <= today:
                problems[name] = ["Must lie in the future."]
    if state is State.EVENT_ACTIVE:
        for name in changed(("prep_start", "event_start")):
            problems[name] = ["The event has begun; this date stays."]
        for name in changed(("event_end",)):
            if changes[name] < dates.event_end:
                problems[name] = ["During the event the last day can only move later."]
    return problems


RESULT_GRACE_DAYS: Final = 3


def check_result_edit(
    state: State, *, today: date, completed_on: date | None, actor: Actor, reason: str = ""
) -> None:
    """Stage results may be entered during the event and for three days after it."""
    if state is State.EVENT_ACTIVE:
        return
    if state is State.MISSION_COMPLETE and completed_on is not None:
        if today <= completed_on + timedelta(days=RESULT_GRACE_DAYS):
            return
        if actor is Actor.ADMIN and reason:
            return
        raise EditLocked("Results are locked three days after the event; ask an administrator.")
    raise EditLocked(f"Stage results cannot be entered in {state}.")
