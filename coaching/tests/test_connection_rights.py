"""Who may connect, the end of a connection, and hints from Strava."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils.timezone import now

from coaching.connections import intervals
from coaching.models import (
    Activity,
    Connection,
    DailyMetric,
    Revocation,
)
from coaching.services import athlete, connections, syncing
from coaching.tests.connected import connect
from racecontrol.models import AuditEvent, Job
from racecontrol.shared.errors import InvalidInput, NotAllowed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_pauses")]


# -- who may ---------------------------------------------------------------------------------


def test_without_consent_nothing_is_connected(providers, user):
    with pytest.raises(NotAllowed, match="Agree"):
        connections.begin(by=user, provider="oura", redirect_uri="x", state="s")
    with pytest.raises(NotAllowed):
        connections.connect_with_key(by=user, api_key="icu-key")
    assert providers.asked == []


def test_consent_taken_back_stops_fetching(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    athlete.set_health_consent(by=user, is_given=False)
    asked = len(providers.asked)

    run_jobs()

    assert syncing.sync(connection_id=row.pk) == {}
    assert syncing.queue_due() == 0
    assert len(providers.asked) == asked
    assert DailyMetric.objects.count() == 0


def test_a_needed_permission_that_was_unticked_is_given_back(providers, user, run_jobs):
    providers.strava.withheld = {"activity:read_all"}

    with pytest.raises(InvalidInput, match="activity:read_all"):
        connect(providers, user, "strava")

    run_jobs()
    assert Connection.objects.count() == 0
    assert len(providers.strava.revoked) == 1


def test_an_account_belongs_to_one_person(providers, user, other):
    connect(providers, user, "strava")

    with pytest.raises(NotAllowed, match="somebody else"):
        connect(providers, other, "strava")

    assert Connection.objects.get().owner == user


def test_a_wrong_key_is_named_and_kept_nowhere(providers, user):
    athlete.set_health_consent(by=user, is_given=True)

    for key in ("wrong", "", "with space", "ä"):
        with pytest.raises(InvalidInput) as refused:
            connections.connect_with_key(by=user, api_key=key)
        assert "api_key" in refused.value.fields

    assert Connection.objects.count() == 0


def test_tokens_lie_sealed(providers, user):
    row = connect(providers, user, "oura")

    with database.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM coaching_connection")
        stored = cursor.fetchone()
    assert all(value.startswith("fk1:") for value in stored)
    assert row.access_token not in repr(row.__str__())


# -- the end -----------------------------------------------------------------------------------


def test_disconnecting_forgets_at_once_and_gives_back_in_the_end(providers, user, run_jobs):
    row = connect(providers, user, "oura")
    run_jobs()
    kept, token = DailyMetric.objects.count(), Connection.objects.get().access_token
    providers.fail("503", times=1, path="/revoke")

    connections.disconnect(by=user, provider="oura")

    assert Connection.objects.count() == 0
    assert DailyMetric.objects.count() == kept
    run_jobs()
    assert Revocation.objects.get().attempts == 1
    Job.objects.filter(func="coaching.tasks.give_back").update(run_at=now(), state="queued")
    run_jobs()
    assert Revocation.objects.count() == 0
    assert providers.oura.revoked == [token]
    assert {e.verb for e in AuditEvent.objects.filter(object_id=str(row.pk))} >= {
        "connection.made",
        "connection.ended",
    }


def test_stravas_data_goes_with_its_permission_others_on_demand(providers, user, run_jobs):
    connect(providers, user, "strava")
    connect(providers, user, "intervals-key")
    run_jobs()

    connections.disconnect(by=user, provider="strava")
    assert set(Activity.objects.values_list("source", flat=True)) == {"intervals.icu"}

    connections.disconnect(by=user, provider="intervals", is_data_dropped=True)
    assert Activity.objects.count() == DailyMetric.objects.count() == 0


def test_what_arrives_after_the_end_is_not_kept(providers, user, run_jobs):
    row = connect(providers, user, "intervals-key")
    run_jobs()
    rides = intervals.rides(
        connections.ask(row.pk, lambda api: api),
        since=now().date() - timedelta(days=9),
        until=now().date(),
    )
    connections.disconnect(by=user, provider="intervals", is_data_dropped=True)

    start, end = now() - timedelta(days=30), now()
    assert syncing.save_rides(row, rides, start=start, end=end) == 0
    assert syncing.save_days(row, [], {"sleep"}, start.date(), end.date()) == 0
    assert Activity.objects.count() == 0


def test_consent_taken_back_in_the_middle_ends_the_fetching(providers, user):
    row = connect(providers, user, "intervals-key")

    def stop(step):
        if step.done == 2:
            athlete.set_health_consent(by=user, is_given=False)

    syncing.sync(connection_id=row.pk, on_progress=stop)

    assert providers.calls("/wellness") == 3


def test_testing_says_in_plain_words_how_it_is(providers, user):
    row = connect(providers, user, "oura")

    assert connections.test_connection(connection_id=row.pk) == "Oura answers."
    providers.fail("426", times=1)
    assert "update its app" in connections.test_connection(connection_id=row.pk)
    row.refresh_from_db()
    assert "update its app" in row.last_error


# -- hints from Strava -------------------------------------------------------------------------


def test_a_hint_is_a_reason_to_look(providers, user, run_jobs):
    connect(providers, user, "strava")
    run_jobs()
    first = providers.rides[0]
    first["name"], first["moving_time"] = "Renamed", 3333

    assert syncing.hear_strava(account_id="4242", kind="activity", object_id=str(first["id"]))
    run_jobs()
    ride = Activity.objects.get(external_id=str(first["id"]))
    assert (ride.moving_s, ride.detail.title) == (3333, "Renamed")
    assert "lighthouse" in ride.detail.note

    providers.rides.pop(0)
    syncing.hear_strava(account_id="4242", kind="activity", object_id=ride.external_id)
    run_jobs()
    assert not Activity.objects.filter(pk=ride.pk).exists()
    assert not syncing.hear_strava(account_id="unknown", kind="activity", object_id="1")


def test_a_hint_of_a_permission_taken_back_is_checked(providers, user, run_jobs):
    row = connect(providers, user, "strava")
    run_jobs()

    syncing.hear_strava(account_id="4242", kind="athlete", object_id="4242")
    run_jobs()
    row.refresh_from_db()
    assert not row.needs_reconnect  # it was a lie

    for grant in providers.strava.grants:
        grant.is_revoked = True
    syncing.hear_strava(account_id="4242", kind="athlete", object_id="4242")
    run_jobs()
    row.refresh_from_db()
    assert row.needs_reconnect
