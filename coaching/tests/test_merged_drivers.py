"""Two timed drivers turn out to be one, or one to be two: the racers who said so stay right."""

import pytest

from coaching.models import ProfileClaim
from coaching.services import claims
from coaching.services.claims import AlreadyClaimed
from coaching.tests.builders import make_driver, make_profile
from ingestion.models import RaceResult
from ingestion.services.drivers import merge_drivers, split_driver
from ingestion.tests.builders import make_race, make_result
from strategy.models import EventParticipation
from strategy.tests.builders import make_event as make_strategy_event

pytestmark = pytest.mark.django_db


def approved(profile, driver, staff) -> ProfileClaim:
    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=profile.user)
    return claims.decide_claim(claim_id=claim.pk, by=staff, approve=True)


def test_a_claim_goes_along_with_the_merge_and_back_with_the_split(user, other, staff):
    old, new = make_driver("JO SMITH", "11"), make_driver("JOE SMITH", "12")
    make_result(make_race(), [31_000], driver=old)
    mine = make_profile(user)
    claim = approved(mine, old, staff)
    waiting = claims.claim_driver(profile_id=make_profile(other).pk, driver_id=new.pk, by=other)
    signup = EventParticipation.objects.create(
        event=make_strategy_event(user), user=user, timing_driver=old
    )

    merge_drivers(driver_id=old.pk, into_id=new.pk, by=staff)

    for row in (claim, mine, signup):
        row.refresh_from_db()
    assert (claim.driver, claim.state, mine.driver) == (new, ProfileClaim.State.APPROVED, new)
    assert signup.timing_driver == new

    split_driver(driver_id=old.pk, by=staff)

    for row in (claim, mine, signup, waiting):
        row.refresh_from_db()
    assert (claim.driver, mine.driver, signup.timing_driver) == (old, old, old)
    assert waiting.driver == new


def test_a_claim_of_the_other_driver_stays_with_the_split(user, staff):
    old, new = make_driver("JO SMITH", "11"), make_driver("JOE SMITH", "12")
    merge_drivers(driver_id=old.pk, into_id=new.pk, by=staff)
    since = approved(make_profile(user), new, staff)

    split_driver(driver_id=old.pk, by=staff)

    since.refresh_from_db()
    assert since.driver == new


def test_two_racers_do_not_become_one_driver(user, other, staff):
    old, new = make_driver("JO SMITH", "11"), make_driver("JOE SMITH", "12")
    result = make_result(make_race(), [31_000], driver=old)
    mine, theirs = (
        approved(make_profile(user), old, staff),
        approved(make_profile(other), new, staff),
    )

    with pytest.raises(AlreadyClaimed, match="settle the claims first"):
        merge_drivers(driver_id=old.pk, into_id=new.pk, by=staff)

    for row in (mine, theirs, old):
        row.refresh_from_db()
    assert (mine.driver, theirs.driver, old.merged_into) == (old, new, None)
    assert RaceResult.objects.get(pk=result.pk).driver == old
