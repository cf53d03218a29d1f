"""The athlete's own addresses with objects of one owner."""

from datetime import UTC, date, datetime, timedelta

from django.utils.timezone import now

from coaching.models import (
    Activity,
    ActivityDetail,
    AthleteNumbers,
    AthleteUpload,
    Connection,
    DailyMetric,
)
from racecontrol.testing.matrix import of_api

# Anybody may come back from a provider; without the state of their own session it is refused.
SHARED = {"coaching:connection_start", "coaching:connection_back"}
# Everybody has the same services before them, and decides for themselves.
PROVIDERS = "athlete/connections/{provider}"
CONSENTS = "athlete/consents/{purpose}"
SHARED |= {f"api:get /api/v1/{PROVIDERS}", f"api:put /api/v1/{CONSENTS}"}
PUBLIC = {"coaching:strava_hook"}
CONNECTION_PAGES = ("start", "back", "test", "sync", "end")
UPLOADS = "athlete/uploads/{upload_id}"


def samples(owner):
    AthleteNumbers.objects.create(owner=owner, threshold_w=250)
    return of_rides(owner) | of_upload(owner) | of_connections(owner)


def of_rides(owner) -> dict[str, dict]:
    """Sixty days, each with a ride; the eldest with its curves."""
    today = now().date()
    for days in range(60):
        on = today - timedelta(days=days)
        for metric, value, unit in [
            ("sleep", 420 + days % 7 * 10, "min"),
            ("resting_hr", 48 + days % 5, "bpm"),
        ]:
            DailyMetric.objects.create(
                owner=owner, metric=metric, on=on, source="Watch", value=value, unit=unit
            )
        ride = Activity.objects.create(
            owner=owner,
            source="FIT file",
            kind="cycling",
            on=on,
            elapsed_s=4000,
            moving_s=3600,
            starts_at=datetime.combine(on, datetime.min.time(), UTC),
            normalised_w=150 + days % 9 * 12,
            distance_m=30_000,
        )
    ActivityDetail.objects.create(
        activity=ride,
        title="Along the coast",
        note="Wind from the side.",
        curves={"time_s": [0, 60, 120], "watts": [150, 210, 190], "bpm": [110, 140, None]},
    )
    return {
        "coaching:activity": {"activity_id": ride.pk},
        "coaching:rate_effort": {"activity_id": ride.pk},
        **of_api(["put athlete/activities/{activity_id}/effort"], activity_id=ride.pk),
    }


def of_upload(owner) -> dict[str, dict]:
    upload = AthleteUpload.objects.create(
        owner=owner,
        kind="apple",
        size=1000,
        created_at=datetime.combine(date(2026, 3, 1), datetime.min.time(), UTC),
    )
    operations = (f"get {UPLOADS}", f"post {UPLOADS}/cancel", f"post {UPLOADS}/retry")
    return {
        "coaching:upload_cancel": {"upload_id": upload.pk},
        "coaching:upload_retry": {"upload_id": upload.pk},
        **of_api(operations, upload_id=upload.pk),
    }


def of_connections(owner) -> dict[str, dict]:
    Connection.objects.create(
        owner=owner, provider="oura", account_id="1", access_token="a", scopes=["personal", "daily"]
    )
    Connection.objects.create(
        owner=owner,
        provider="strava",
        account_id="1",
        access_token="a",
        status="needs_reconnect",
        last_error="Strava does not accept the permission any more: connect again.",
    )
    operations = (f"get|delete {PROVIDERS}", f"post {PROVIDERS}/sync", f"post {PROVIDERS}/test")
    return {
        **{f"coaching:connection_{way}": {"provider": "oura"} for way in CONNECTION_PAGES},
        "coaching:strava_hook": {"secret": "not-the-secret"},
        **of_api(operations, provider="oura"),
        **of_api([f"put {CONSENTS}"], purpose="health"),
    }
