"""From a permission to rows: first sync, the ones after, limits, lost permissions, and the end of it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils.timezone import now

from coaching.connections.errors import GrantLost, ProviderBusy, ProviderDown
from coaching.models import (
    Activity,
    ActivityDetail,
    Connection,
    DailyMetric,
    ProviderLimit,
)
from coaching.queries import athlete as queries
from coaching.queries import athlete_facts
from coaching.services import athlete, connections, syncing
from coaching.tests.connected import connect
from racecontrol.models import Job
from racecontrol.shared.errors import NotReady
from racecontrol.testing.workers import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_pauses")]


def rows_of(user):
    days = DailyMetric.objects.filter(owner=user).order_by("metric", "on")
    rides = Activity.objects.filter(owner=user).order_by("starts_at")
    return (
        list(days.values_list("metric", "on", "source", "value")),
        list(rides.values_list("external_id", "starts_at", "moving_s", "normalised_w")),
    )


@pytest.mark.parametrize("provider", ["strava", "oura", "intervals", "intervals-key"])
def test_connecting_fetches_what_there_is_and_again_changes_nothing(
    providers, user, run_jobs, settings, provider
):
    settings.STRAVA_DATA_IN_COACHING = True
    row = connect(providers, user, provider)
    assert Job.objects.filter(key=f"athlete-sync:{row.pk}", state="queued").count() == 1

    run_jobs()

    row.refresh_from_db()
    days, rides = rows_of(user)
    assert (row.status, row.last_error) == ("active", "")
    assert row.synced_until == now().date()
    assert bool(days) == (provider != "strava")
    assert len(rides) == {"strava": 60, "oura": 0}.get(provider, 36)

    Connection.objects.update(synced_until=None)
    syncing.sync(connection_id=row.pk)
    assert rows_of(user) == (days, rides)


def test_what_the_provider_changed_or_dropped_is_changed_and_dropped(providers, user, run_jobs):
    row = connect(providers, user, "intervals-key")
    run_jobs()
    felt = Activity.objects.get(external_id="i500")
    athlete.rate_effort(by=user, activity_id=felt.pk, effort=8)

    providers.trainings[0]["moving_time"] = 4000
    gone = providers.trainings.pop(1)
    providers.wellness[0]["restingHR"] = 61
    providers.wellness[1]["hrv"] = None
    syncing.sync(connection_id=row.pk)

    felt.refresh_from_db()
    assert (felt.moving_s, felt.effort) == (4000, 8)
    assert not Activity.objects.filter(external_id=gone["id"]).exists()
    today = now().date()
    assert DailyMetric.objects.get(metric="resting_hr", on=today).value == 61
    yesterday = today - timedelta(days=1)
    assert not DailyMetric.objects.filter(metric="hrv_rmssd", on=yesterday).exists()
    assert DailyMetric.objects.filter(metric="sleep", on=yesterday).exists()


def test_a_sync_cut_off_in_the_middle_goes_on_where_it_was(providers, user):
    row = connect(providers, user, "intervals-key")
    providers.fail("500", times=2, path="/wellness", skip=5)

    with pytest.raises(ProviderDown):
        syncing.sync(connection_id=row.pk)
    row.refresh_from_db()
    assert row.synced_until is not None
    first = row.synced_until
    assert first < now().date()

    asked = providers.calls("/wellness")
    syncing.sync(connection_id=row.pk)
    row.refresh_from_db()
    assert row.synced_until == now().date()
    assert providers.calls("/wellness") - asked < 13  # all thirteen windows would be from the start
    assert Activity.objects.filter(owner=user).count() == 36


def test_one_ride_from_two_services_and_a_file_counts_once(providers, user, run_jobs, settings):
    settings.STRAVA_DATA_IN_COACHING = True
    athlete.save_numbers(by=user, values={"threshold_w": 250})
    connect(providers, user, "intervals-key")
    run_jobs()
    once = queries.form_of(user, until=now().date()).last

    connect(providers, user, "strava")
    run_jobs()

    assert Activity.objects.filter(owner=user).count() == 36 + 60
    counted = [one for one in queries.activities_of(user) if one.double_of is None]
    assert len(counted) == 60
    shared = {one.activity.starts_at for one in counted}
    assert len(shared) == 60
    providers.rides[:] = [r for n, r in enumerate(providers.rides) if n < 40 and n % 10 != 9]
    syncing.sync(connection_id=Connection.objects.get(provider="strava").pk)
    Activity.objects.filter(source="Strava").exclude(
        external_id__in=[str(r["id"]) for r in providers.rides]
    ).delete()
    both = queries.form_of(user, until=now().date()).last
    assert (both.ctl, both.atl) == pytest.approx((once.ctl, once.atl))


def test_daily_values_of_two_services_are_chosen_not_added(providers, user, run_jobs):
    connect(providers, user, "oura")
    connect(providers, user, "intervals-key")
    run_jobs()

    today = now().date()
    values = queries.daily_values(user, since=today, until=today)
    assert values["sleep"][today].source == "Oura"
    athlete.save_numbers(by=user, values={"source_order": ["intervals.icu"]})
    values = queries.daily_values(user, since=today, until=today)
    assert values["sleep"][today].source == "intervals.icu"


# -- Strava's policy ---------------------------------------------------------------------------


def test_by_default_strava_is_shown_for_a_week_and_enters_nothing(providers, user, run_jobs):
    athlete.save_numbers(by=user, values={"threshold_w": 250})
    connect(providers, user, "strava")
    run_jobs()

    shown = queries.activities_of(user)
    today = now().date()
    assert 3 <= len(shown) <= 4  # every other day of seven
    assert min(one.activity.on for one in shown) >= today - timedelta(days=6)
    assert queries.activities_of(user, for_coach=True) == []
    assert queries.form_of(user, until=today).last is None
    assert athlete_facts.facts(user, today, now()) == []

    Activity.objects.update(keep_until=now() - timedelta(seconds=1))
    assert syncing.purge() == len(shown)
    assert Activity.objects.count() == ActivityDetail.objects.count() == 0


def test_fetching_again_does_not_lengthen_the_week(providers, user, run_jobs):
    row = connect(providers, user, "strava")
    run_jobs()
    before = dict(Activity.objects.values_list("external_id", "keep_until"))

    syncing.sync(connection_id=row.pk)

    assert dict(Activity.objects.values_list("external_id", "keep_until")) == before
    assert all(until <= now() + timedelta(days=7) for until in before.values())


def test_switching_the_setting_off_takes_effect_at_once_and_purges(
    providers, user, run_jobs, settings
):
    settings.STRAVA_DATA_IN_COACHING = True
    athlete.save_numbers(by=user, values={"threshold_w": 250})
    connect(providers, user, "strava")
    run_jobs()
    today = now().date()
    assert queries.form_of(user, until=today, for_coach=True).last.ctl > 0

    settings.STRAVA_DATA_IN_COACHING = False
    assert queries.form_of(user, until=today, for_coach=True).last is None
    assert queries.form_of(user, until=today).last is None
    Activity.objects.update(updated_at=now() - timedelta(days=8))
    assert syncing.purge() == 60


def test_a_file_of_the_same_ride_counts_where_strava_may_not(providers, user, run_jobs):
    athlete.save_numbers(by=user, values={"threshold_w": 250})
    connect(providers, user, "strava")
    run_jobs()
    ride = Activity.objects.filter(owner=user).latest("starts_at")
    ride.pk, ride.external_id, ride.keep_until = None, "", None
    ride.source, ride.llm_allowed, ride.normalised_w = "FIT file", True, 200
    ride.save()

    counted = [
        one.activity.source
        for one in queries.activities_of(user)
        if one.double_of is None and one.activity.on == ride.on
    ]
    assert counted == ["FIT file"]
    assert queries.form_of(user, until=now().date()).last.load >= 0


# -- permissions that run out ------------------------------------------------------------------


def test_an_old_token_is_renewed_before_it_is_used(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    providers.oura.expire()
    Connection.objects.update(expires_at=now() + timedelta(minutes=1))

    run_jobs()

    row.refresh_from_db()
    assert row.status == "active"
    assert providers.calls("/oauth/token") == 2
    assert providers.seen_tokens.count(row.access_token) > 3
    assert row.previous_refresh_token not in ("", row.refresh_token)


def test_a_token_refused_in_the_middle_is_renewed_once(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    providers.fail("401", times=1, path="/sleep")

    run_jobs()

    row.refresh_from_db()
    assert (row.status, row.last_error) == ("active", "")
    assert DailyMetric.objects.filter(metric="sleep").exists()


def test_a_permission_taken_back_there_stops_the_sync_and_tells_once(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    run_jobs()
    kept = DailyMetric.objects.count()
    for grant in providers.oura.grants:
        grant.is_revoked = True

    for _ in range(2):
        job = connections.queue_sync(row)
        run_jobs()
        job.refresh_from_db()

    row.refresh_from_db()
    assert row.needs_reconnect
    assert row.next_sync_at is None
    assert [message.subject for message in mail.outbox] == ["[Race Control] Connect Oura again"]
    assert DailyMetric.objects.count() == kept
    assert syncing.queue_due() == 0
    with pytest.raises(NotReady, match="connect again"):
        connections.request_sync(by=user, provider="oura")

    connect(providers, user, "oura")
    run_jobs()
    row.refresh_from_db()
    assert (row.status, row.last_error) == ("active", "")


def test_a_rotation_lost_on_the_way_asks_the_person(providers, user):
    """Their side rotated, ours never heard: no token we hold is good."""
    row = connect(providers, user, "oura")
    Connection.objects.update(expires_at=now())
    providers.fail("lost-rotation", path="/oauth/token")

    with pytest.raises(ProviderDown):
        connections.ask(row.pk, lambda api: api)
    with pytest.raises(GrantLost):
        connections.ask(row.pk, lambda api: api)

    row.refresh_from_db()
    assert row.needs_reconnect


def test_the_token_before_is_tried_where_theirs_went_back(providers, user):
    row = connect(providers, user, "oura")
    good = Connection.objects.get().refresh_token
    Connection.objects.update(
        expires_at=now(), refresh_token="never-heard-of", previous_refresh_token=good
    )

    assert connections.ask(row.pk, lambda api: api.token).startswith("at-")


@pytest.mark.django_db(transaction=True)
def test_two_workers_renew_a_token_once(providers, user):
    row = connect(providers, user, "oura")
    Connection.objects.update(expires_at=now())

    got = at_once(*[lambda: connections.ask(row.pk, lambda api: api.token)] * 4)

    assert len(got) == 4
    assert len(set(got)) == 1
    assert providers.calls("/oauth/token") == 2  # the code, and one refresh


# -- limits and troubles -----------------------------------------------------------------------


def test_a_limit_pauses_the_job_until_it_ends_and_rests_the_whole_site(
    providers, user, other, run_jobs
):
    row = connect(providers, user, "oura")
    providers.fail("429", times=1, path="/daily_readiness")

    run_jobs()

    job = Job.objects.get(key=f"athlete-sync:{row.pk}")
    assert job.state == "paused"
    assert 0 < (job.run_at - now()).total_seconds() <= 60
    asked = len(providers.asked)
    with pytest.raises(ProviderBusy, match="no more requests"):
        connections._account_of("oura", "another persons token")
    assert len(providers.asked) == asked  # nobody asks while the provider rests
    ProviderLimit.objects.update(resting_until=now())
    Job.objects.update(run_at=now(), state="queued")
    run_jobs()
    job.refresh_from_db()
    assert job.state == "done"


def test_strava_is_left_alone_at_nine_tenths_of_its_limit(providers, user, run_jobs):
    row = connect(providers, user, "strava")
    providers.read_usage = [89, 200]

    run_jobs()

    job = Job.objects.get(key=f"athlete-sync:{row.pk}")
    limit = ProviderLimit.objects.get(provider="strava")
    assert job.state == "paused"
    assert limit.told[1] == [[100, 1000], [90, 201]]
    assert limit.resting_until == job.run_at
    assert providers.calls("/api/v3") == 1


def test_troubles_are_tried_three_times_more_and_then_left_for_hours(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    providers.fail("500", times=-1, path="/usercollection")
    job = Job.objects.get(key=f"athlete-sync:{row.pk}")
    waits = []
    for _ in range(3):
        run_jobs()
        job.refresh_from_db()
        waits.append(round((job.run_at - now()).total_seconds() / 60))
        assert job.state == "paused"
        Job.objects.filter(pk=job.pk).update(run_at=now(), state="queued")
    run_jobs()

    job.refresh_from_db()
    row.refresh_from_db()
    assert waits == [10, 20, 40]
    assert (job.state, row.status) == ("failed", "active")
    assert "broken" in row.last_error
    assert row.next_sync_at > now() + timedelta(hours=2)


def test_a_missing_membership_is_said_and_not_retried(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    providers.fail("403", times=-1, path="/daily_readiness")

    run_jobs()

    row.refresh_from_db()
    assert Job.objects.get(key=f"athlete-sync:{row.pk}").state == "failed"
    assert "membership" in row.last_error


def test_a_missing_heart_rate_permission_leaves_only_that_out(providers, user, run_jobs):
    providers.oura.withheld = {"heartrate"}
    connect(providers, user, "oura")

    run_jobs()

    metrics = set(DailyMetric.objects.values_list("metric", flat=True))
    assert metrics == {"readiness", "sleep", "resting_hr", "hrv_rmssd"}
