"""Teams: making them, inviting people, changing roles, cars."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, RaceError
from racecontrol.shared.mail import post
from strategy import access
from strategy.models import Car, Club, Invitation, Membership, Role, Team

INVITATION_DAYS = 7
CAR_NUMBERS = (
    "tank_ml", "reserve_ml", "burn_ml", "wet_burn_percent", "fuel_us_per_ml", "tyre_life_laps",
    "tyre_deg_ms", "tyre_deg2_us", "tyre_cold_ms", "tyre_wrong_ms",
)  # fmt: skip


class NameTaken(RaceError):
    code = "name_taken"


def clean_name(text: str, field: str = "name", longest: int = 80) -> str:
    """The name without stray spaces; raises InvalidInput naming `field`."""
    text = " ".join(text.split())
    if not text or len(text) > longest:
        raise InvalidInput(
            f"A name takes 1 to {longest} characters.",
            fields={field: [f"1 to {longest} characters."]},
        )
    return text


@transaction.atomic
def create_team(*, name: str, club: str = "", by: Any) -> Team:
    """A team with its maker as owner; a club of a new name is made with it, others need a member."""
    home = None
    if club.strip():
        club_name = clean_name(club, "club")
        home, is_new = Club.objects.get_or_create(name=club_name, defaults={"created_by": by})
        if not is_new and not by.is_staff:
            belongs = Membership.objects.filter(team__club=home, user=by).exists()
            if not belongs and home.created_by_id != by.pk:
                raise NotAllowed(
                    f"{home} is another club: ask one of its members to make the team."
                )
    team = Team.objects.create(name=clean_name(name), club=home)
    Membership.objects.create(team=team, user=by, role=Role.OWNER)
    audit.record(by=by, verb="team.created", obj=team)
    return team


@transaction.atomic
def invite(*, team_id: int, email: str = "", role: str = "driver", by: Any) -> Invitation:
    """A link into the team, for seven days; with an email it is sent there and only fits there."""
    team = access.team_for(by, team_id, access.OWNERS)
    if role not in Role.values:
        raise InvalidInput("There is no such role.", fields={"role": ["Unknown role."]})
    email = email.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise InvalidInput(
                "This is no email address.", fields={"email": ["Write name@place."]}
            ) from None
    row = Invitation.objects.create(
        team=team, email=email, role=role, created_by=by,
        expires_at=now() + timedelta(days=INVITATION_DAYS),
    )  # fmt: skip
    audit.record(
        by=by, verb="team.invited", obj=team, after={"role": role, "by_email": bool(email)}
    )
    return row


def send_invitation(*, invitation: Invitation, link: str) -> None:
    """The mail with the link; sent after the row is committed."""
    post(
        f"Join {invitation.team} on Race Control",
        f"{invitation.created_by} asks you to join {invitation.team} as {invitation.role}.\n\n"
        f"Open this link within {INVITATION_DAYS} days:\n{link}\n",
        [invitation.email],
        key=f"invitation:{invitation.pk}",
    )


def invitation_of(token: UUID) -> Invitation:
    row = Invitation.objects.select_related("team", "created_by").filter(token=token).first()
    if row is None or not row.is_open:
        raise NotFound("This invitation is used, withdrawn or out of date: ask for a new one.")
    return row


@transaction.atomic
def accept(*, token: UUID, by: Any) -> Team:
    """Join by link. Twice by the same person is one membership."""
    row = Invitation.objects.select_for_update(of=["self"]).filter(token=token).first()
    if row is not None and row.accepted_by_id == by.pk:
        return row.team
    if row is None or not row.is_open:
        raise NotFound("This invitation is used, withdrawn or out of date: ask for a new one.")
    if row.email and row.email.lower() != by.email.lower():
        raise NotAllowed("This invitation was sent to another email address.")
    Membership.objects.get_or_create(team=row.team, user=by, defaults={"role": row.role})
    row.accepted_by, row.accepted_at = by, now()
    row.save(update_fields=["accepted_by", "accepted_at"])
    audit.record(by=by, verb="team.joined", obj=row.team, after={"role": row.role})
    return row.team


@transaction.atomic
def revoke_invitation(*, team_id: int, invitation_id: int, by: Any) -> None:
    access.require(by, team_id, access.OWNERS)
    Invitation.objects.filter(pk=invitation_id, team_id=team_id, accepted_at=None).update(
        revoked_at=now()
    )


@transaction.atomic
def change_role(*, team_id: int, user_id: int, role: str, by: Any) -> None:
    """Give a member another role; "" takes them out of the team. Somebody must stay owner."""
    access.require(by, team_id, access.OWNERS if user_id != by.pk or role else access.EVERYONE)
    Team.objects.select_for_update().get(pk=team_id)
    row = Membership.objects.select_related("team").filter(team_id=team_id, user_id=user_id).first()
    if row is None:
        raise NotFound("This person is not in the team.")
    if role and role not in Role.values:
        raise InvalidInput("There is no such role.", fields={"role": ["Unknown role."]})
    if row.role == Role.OWNER and role != Role.OWNER:
        owners = Membership.objects.filter(team_id=team_id, role=Role.OWNER).exclude(pk=row.pk)
        if not owners.exists():
            raise NotAllowed("A team needs an owner: make somebody else owner first.")
    before = {"user": user_id, "role": row.role}
    if role:
        row.role = role
        row.save(update_fields=["role"])
    else:
        row.delete()
    audit.record(by=by, verb="team.role_changed", obj=row.team, before=before,
                 after={"user": user_id, "role": role or "left"})  # fmt: skip


def save_car(*, team_id: int, car_id: int | None = None, name: str, by: Any, **numbers: int) -> Car:
    """Add a car or change one; raises InvalidInput naming the number that cannot be."""
    access.require(by, team_id, access.PLANNERS)
    car = Car(team_id=team_id)
    if car_id is not None:
        found = Car.objects.filter(pk=car_id, team_id=team_id).first()
        if found is None:
            raise NotFound("There is no such car in this team.")
        car = found
    car.name = clean_name(name)
    for field in CAR_NUMBERS:
        if field in numbers:
            setattr(car, field, numbers[field])
    try:
        car.full_clean(exclude=["team"], validate_constraints=False, validate_unique=False)
    except ValidationError as error:
        raise InvalidInput(
            "The car's numbers cannot be used.", fields=error.message_dict
        ) from error
    if car.tank_ml <= car.reserve_ml + car.burn_ml:
        raise InvalidInput(
            "The tank must hold the reserve and at least one lap.",
            fields={"tank_ml": ["Must exceed reserve and one lap's burn."]},
        )
    try:
        with transaction.atomic():
            car.save()
    except IntegrityError:
        raise NameTaken(f"There is a car called {car.name} already.") from None
    return car
