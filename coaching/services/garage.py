"""Racer profiles, vehicles and sessions: made, changed, closed."""

from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.domain.scenario import PARAMETERS
from coaching.models import Heat, RacerProfile, Session, Vehicle
from coaching.queries import garage as queries
from coaching.queries import timing
from coaching.services import scores
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady, RaceError

LONGEST_SESSION = timedelta(days=7)
SESSION_FIELDS = {
    "vehicle",
    "name",
    "session_type",
    "start_date",
    "end_date",
    "track_name",
    "track_size",
    "traction",
    "surface_type",
    "surface_condition",
    "practice_rounds",
    "qualifying_rounds",
    "setup",
}
PROFILE_FIELDS = {"name", "transponder", "experience_level", "driving_style", "sponsors"}
VEHICLE_FIELDS = {"brand", "model", "nickname", "class_name", "transponder", "baseline_setup"}


class SessionClosed(RaceError):
    """A closed session takes no more laps and no changes."""

    code = "session_closed"


@transaction.atomic
def save_profile(*, by: Any, profile_id: int | None = None, **values: Any) -> RacerProfile:
    """Make or change a racer; the first one of a person is their default."""
    profile = queries.profile_for(by, profile_id) if profile_id else RacerProfile(user=by)
    if profile.pk is None:
        profile.is_default = not by.racer_profiles.exists()
    _fill(profile, values, PROFILE_FIELDS)
    _save_once(profile, {"name": ["You have a racer of this name already."]})
    return profile


@transaction.atomic
def make_default(*, profile_id: int, by: Any) -> RacerProfile:
    profile = queries.profile_for(by, profile_id)
    by.racer_profiles.filter(is_default=True).exclude(pk=profile.pk).update(is_default=False)
    profile.is_default = True
    profile.save(update_fields=["is_default"])
    return profile


@transaction.atomic
def default_profile(by: Any) -> RacerProfile:
    """The person's default racer, made from their name where they have none yet."""
    profile = by.racer_profiles.order_by("-is_default", "pk").first()
    return profile or RacerProfile.objects.create(user=by, name=str(by)[:120], is_default=True)


@transaction.atomic
def delete_profile(*, profile_id: int, by: Any) -> None:
    """Refused while sessions hang on it: those are deleted one by one, knowingly."""
    profile = queries.profile_for(by, profile_id)
    if profile.sessions.exists():
        raise NotReady(f"{profile} has sessions: delete those first.")
    profile.delete()
    heir = by.racer_profiles.order_by("pk").first()
    if heir and not by.racer_profiles.filter(is_default=True).exists():
        make_default(profile_id=heir.pk, by=by)


@transaction.atomic
def save_vehicle(
    *, by: Any, vehicle_id: int | None = None, profile_id: int | None = None, **values: Any
) -> Vehicle:
    """Make a vehicle of one of the person's racers, or change one."""
    if vehicle_id:
        vehicle = queries.vehicle_for(by, vehicle_id)
    else:
        vehicle = Vehicle(
            profile=queries.profile_for(by, profile_id) if profile_id else default_profile(by)
        )
    if "baseline_setup" in values:
        values["baseline_setup"] = check_setup(values["baseline_setup"], "baseline_setup")
    _fill(vehicle, values, VEHICLE_FIELDS)
    _save_once(vehicle, {"model": ["This racer has such a car already: give it a nickname."]})
    return vehicle


@transaction.atomic
def delete_vehicle(*, vehicle_id: int, by: Any) -> None:
    vehicle = queries.vehicle_for(by, vehicle_id)
    if vehicle.sessions.exists():
        raise NotReady(f"{vehicle} has sessions: delete those first.")
    vehicle.delete()


@transaction.atomic
def create_session(*, by: Any, profile_id: int | None = None, **values: Any) -> Session:
    """A session of one of the person's racers; it starts as a draft and is under way with its first lap."""
    profile = queries.profile_for(by, profile_id) if profile_id else default_profile(by)
    session = Session(profile=profile)
    if not values.get("setup") and values.get("vehicle"):
        values["setup"] = values["vehicle"].baseline_setup
    _fill_session(session, values)
    session.save()
    return session


@transaction.atomic
def change_session(*, session_id: int, by: Any, **values: Any) -> Session:
    session = lock_open_session(session_id, by)
    _fill_session(session, values)
    session.save()
    return session


@transaction.atomic
def start_session(*, session_id: int, by: Any) -> Session:
    """Lock the configuration: the draft is under way."""
    session = lock_open_session(session_id, by)
    activate(session)
    return session


@transaction.atomic
def close_session(*, session_id: int, by: Any) -> Session:
    session = lock_open_session(session_id, by)
    session.status, session.closed_at = Session.Status.CLOSED, now()
    session.save(update_fields=["status", "closed_at", "updated_at"])
    audit.record(by=by, verb="session.closed", obj=session)
    return session


@transaction.atomic
def reopen_session(*, session_id: int, by: Any) -> Session:
    session = queries.session_for(by, session_id)
    if not session.is_closed:
        raise NotReady(f"{session} is not closed.")
    session.status, session.closed_at = Session.Status.ACTIVE, None
    session.save(update_fields=["status", "closed_at", "updated_at"])
    audit.record(by=by, verb="session.reopened", obj=session)
    return session


@transaction.atomic
def delete_session(*, session_id: int, by: Any) -> None:
    session = queries.session_for(by, session_id)
    audit.record(by=by, verb="session.deleted", obj=session)
    session.delete()


def lock_open_session(session_id: int, by: Any) -> Session:
    """The session, its row locked so that two writers take turns; NotFound or SessionClosed."""
    queries.session_for(by, session_id)
    session = (
        Session.objects.select_for_update(of=["self"]).select_related("profile").get(pk=session_id)
    )
    if session.is_closed:
        raise SessionClosed(f"{session} is closed: reopen it before changing it.")
    return session


def activate(session: Session) -> None:
    if session.status == Session.Status.DRAFT:
        session.status = Session.Status.ACTIVE
        session.save(update_fields=["status", "updated_at"])


@transaction.atomic
def change_heat(
    *, heat_id: int, session_id: int, by: Any, kind: str = "", confidence: int | None = None
) -> Heat:
    """Say what kind of run a heat was (in a race the first lap is left out of the score), and how far the car is trusted.

    The confidence goes on the heat's last lap: the latest rating is the one that counts.
    """
    session = lock_open_session(session_id, by)
    heat = session.heats.filter(pk=heat_id).first()
    if heat is None:
        raise NotFound("There is no such heat.")
    heat.session = session
    if kind:
        if kind not in Heat.Kind.values:
            raise InvalidInput("Unknown kind.", fields={"kind": ["practice, qualifying or race."]})
        heat.kind = kind
        heat.save(update_fields=["kind"])
    if confidence is not None:
        if not 1 <= confidence <= 5:
            told = "Confidence goes from 1 to 5."
            raise InvalidInput(told, fields={"confidence_rating": [told]})
        last = heat.laps.order_by("-lap_number").first()
        if last is not None:
            last.confidence = confidence
            last.save(update_fields=["confidence"])
    scores.score_heat(heat)
    return heat


def check_setup(setup: Any, field: str = "setup") -> dict[str, str]:
    """Parameter code -> value as text; unknown codes and long values are refused by name."""
    if not isinstance(setup, dict):
        raise InvalidInput("A setup is a list of values.", fields={field: ["Not an object."]})
    wrong = {
        f"{field}.{code}"[:200]: ["There is no such setup value."]
        for code in setup
        if code not in PARAMETERS
    }
    wrong |= {
        f"{field}.{code}": ["At most 80 characters."]
        for code, value in setup.items()
        if code in PARAMETERS and len(str(value)) > 80
    }
    if wrong:
        raise InvalidInput("The setup has values that cannot be used.", fields=wrong)
    return {code: str(value).strip() for code, value in setup.items() if str(value).strip()}


def _fill_session(session: Session, values: dict[str, Any]) -> None:
    if "track_name" in values:
        session.track = timing.track_named(values["track_name"])
    if "setup" in values:
        values["setup"] = check_setup(values["setup"])
    _fill(session, values, SESSION_FIELDS)
    wrong: dict[str, list[str]] = {}
    if not session.name.strip():
        wrong["name"] = ["Give the session a name."]
    if session.vehicle and session.vehicle.profile_id != session.profile_id:
        wrong["vehicle"] = ["This car belongs to another racer."]
    if not 0 <= session.practice_rounds <= 10:
        wrong["practice_rounds"] = ["0 to 10."]
    if not 0 <= session.qualifying_rounds <= 6:
        wrong["qualifying_rounds"] = ["0 to 6."]
    start, end = session.start_date, session.end_date
    if not isinstance(start, date):
        wrong["start_date"] = ["Give the day it starts."]
    elif end is not None and not start <= end < start + LONGEST_SESSION:
        wrong["end_date"] = ["On the first day or up to six days later."]
    if wrong:
        raise InvalidInput("The session has values that cannot be used.", fields=wrong)


def _fill(row: Any, values: dict[str, Any], allowed: set[str]) -> None:
    for name, value in values.items():
        if name not in allowed:
            raise TypeError(f"{name} is not a field of {type(row).__name__}")
        setattr(row, name, value)


def _save_once(row: Any, taken: dict[str, list[str]]) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise InvalidInput(next(iter(taken.values()))[0], fields=taken) from error
