"""A racer claims to be a timed driver: settled by a matching transponder, or by staff."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.models import ProfileClaim, RacerProfile
from coaching.queries import garage as queries
from coaching.queries import timing
from coaching.queries.claims import CLAIMED_KEY
from coaching.services import garage
from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, NotReady, RaceError
from racecontrol.shared.names import format_name

State = ProfileClaim.State


class AlreadyClaimed(RaceError):
    """Somebody else is this driver already."""

    code = "already_claimed"


@transaction.atomic
def claim_driver(
    *, driver_id: int, by: Any, profile_id: int | None = None, transponder: str = ""
) -> ProfileClaim:
    """Claim a driver for a racer (the default one, made if need be); an earlier open claim is withdrawn.

    Approved at once where a transponder of the racer or of a car of theirs is this driver's and nobody
    else's: their laps are then logged, those imported before included. `transponder` becomes the racer's
    where they have none yet. Raises InvalidInput (transponder), NotReady, AlreadyClaimed.
    """
    profile = (
        garage.default_profile(by) if profile_id is None else queries.profile_for(by, profile_id)
    )
    RacerProfile.objects.select_for_update().get(pk=profile.pk)
    driver = timing.driver_for(driver_id)
    taken = ProfileClaim.objects.filter(driver=driver, state=State.APPROVED)
    if taken.filter(profile=profile).exists():
        raise NotReady(f"{profile} is {driver} already.")
    if taken.exists():
        raise AlreadyClaimed(f"{driver} is claimed by somebody else; ask the operators.")
    _note_transponder(profile, transponder.strip(), by)
    _withdraw(profile)
    claim = ProfileClaim.objects.create(profile=profile, driver=driver)
    number = matching_transponder(profile, driver)
    if number:
        _approve(claim, by=None, evidence=f"transponder {number}")
    return claim


def _note_transponder(profile: RacerProfile, number: str, by: Any) -> None:
    """A number told with the claim is the racer's; one they have already must not be lost."""
    if not number or number == profile.transponder:
        return
    if profile.transponder:
        raise InvalidInput(
            "The racer has a transponder already.",
            fields={"transponder": [f"{profile} has {profile.transponder}; change it there."]},
        )
    garage.save_profile(by=by, profile_id=profile.pk, transponder=number)
    profile.transponder = number


def matching_transponder(profile: RacerProfile, driver: Any) -> str:
    """A transponder that only this driver was seen with and the racer says is theirs; '' if none."""
    own = {profile.transponder, *profile.vehicles.values_list("transponder", flat=True)} - {""}
    for number in sorted(own):
        if [found.pk for found in timing.drivers_with_transponder(number)[:2]] == [driver.pk]:
            return number
    return ""


@transaction.atomic
def decide_claim(*, claim_id: int, by: Any, approve: bool) -> ProfileClaim:
    """Staff settle a claim that no transponder settled."""
    if not by.is_staff:
        raise NotAllowed("Only staff settle claims.")
    claim = ProfileClaim.objects.select_for_update(of=["self"]).filter(pk=claim_id).first()
    if claim is None:
        raise NotFound("There is no such claim.")
    if claim.state != State.PENDING:
        raise NotReady(f"This claim is {claim.get_state_display()}.")
    if approve:
        return _approve(claim, by=by, evidence="staff")
    claim.state, claim.decided_at, claim.decided_by = State.REJECTED, now(), by
    claim.save()
    audit.record(by=by, verb="claim.rejected", obj=claim)
    return claim


@transaction.atomic
def withdraw_claim(*, profile_id: int, by: Any) -> None:
    """The racer is not (or no longer) this driver; their logged laps stay."""
    profile = queries.profile_for(by, profile_id)
    _withdraw(profile)


def follow_driver(*, was_id: int, now_id: int, only: list[int] | None = None) -> list[int]:
    """A driver was merged into another, or split off again: claims and their racers go along.

    Gives the claims that moved; `only` moves just those back. Raises AlreadyClaimed where two
    racers would end up as one driver: staff have to settle first who it is.
    """
    claims = ProfileClaim.objects.select_for_update(of=["self"]).filter(driver_id=was_id)
    if only is not None:
        claims = claims.filter(pk__in=only)
    moving = list(claims.order_by("pk"))
    approved = [claim.profile_id for claim in moving if claim.state == State.APPROVED]
    rival = (
        ProfileClaim.objects.filter(driver_id=now_id, state=State.APPROVED)
        .select_related("profile")
        .first()
    )
    if approved and rival is not None:
        raise AlreadyClaimed(
            f"Both drivers are claimed, the other one by {rival.profile}: settle the claims first."
        )
    ProfileClaim.objects.filter(pk__in=[claim.pk for claim in moving]).update(driver_id=now_id)
    RacerProfile.objects.filter(pk__in=approved, driver_id=was_id).update(driver_id=now_id)
    return [claim.pk for claim in moving]


def _approve(claim: ProfileClaim, *, by: Any, evidence: str) -> ProfileClaim:
    claim.state, claim.evidence = State.APPROVED, evidence
    claim.decided_at, claim.decided_by = now(), by
    try:
        with transaction.atomic():
            claim.save()
    except IntegrityError as error:
        raise AlreadyClaimed(f"{claim.driver} is claimed by somebody else.") from error
    RacerProfile.objects.filter(pk=claim.profile_id).update(driver=claim.driver)
    audit.record(by=by, verb="claim.approved", obj=claim, after={"evidence": evidence})
    jobs.enqueue(
        "coaching.tasks.score_claimed",
        claim.profile_id,
        key=f"{CLAIMED_KEY}{claim.profile_id}",
        owner=claim.profile.user,
        title=f"Laps of {format_name(claim.driver.name)}",
    )
    return claim


def _withdraw(profile: RacerProfile) -> None:
    profile.claims.filter(state__in=[State.PENDING, State.APPROVED]).update(
        state=State.WITHDRAWN, decided_at=now()
    )
    RacerProfile.objects.filter(pk=profile.pk).update(driver=None)
