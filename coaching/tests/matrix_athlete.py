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

# Anybody may come back from a provider; without the state of their own session it is refused.
SHARED = {"coaching:connection_start", "coaching:connection_back"}
# Everybody has the same services before them, and decides for themselves.
PROVIDERS = "/api/v1/athlete/connections/{provider}"
CONSENTS = "/api/v1/athlete/consents/{purpose}"
SHARED |= {f"api:get {PROVIDERS}", f"api:put {CONSENTS}"}
PUBLIC = {"coaching:strava_hook"}


def samples(owner):
    AthleteNumbers.objects.create(owner=owner, threshold_w=250)
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
    upload = AthleteUpload.objects.create(
        owner=owner,
        kind="apple",
        size=1000,
        created_at=datetime.combine(date(2026, 3, 1), datetime.min.time(), UTC),
    )
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
    oura = {"provider": "oura"}
    ActivityDetail.objects.create(
        activity=ride,
        title="Along the coast",
        note="Wind from the side.",
        curves={"time_s": [0, 60, 120], "watts": [150, 210, 190], "bpm": [110, 140, None]},
    )
    of_upload = {"upload_id": upload.pk}
    at = "/api/v1/athlete/uploads/{upload_id}"
    api = {
        f"api:get {PROVIDERS}": oura,
        f"api:delete {PROVIDERS}": oura,
        f"api:post {PROVIDERS}/sync": oura,
        f"api:post {PROVIDERS}/test": oura,
        f"api:put {CONSENTS}": {"purpose": "health"},
        f"api:get {at}": of_upload,
        f"api:post {at}/cancel": of_upload,
        f"api:post {at}/retry": of_upload,
        "api:put /api/v1/athlete/activities/{activity_id}/effort": {"activity_id": ride.pk},
    }
    return api | {
        "coaching:activity": {"activity_id": ride.pk},
        "coaching:connection_start": oura,
        "coaching:connection_back": oura,
        "coaching:connection_test": oura,
        "coaching:connection_sync": oura,
        "coaching:connection_end": oura,
        "coaching:strava_hook": {"secret": "not-the-secret"},
        "coaching:upload_cancel": {"upload_id": upload.pk},
        "coaching:upload_retry": {"upload_id": upload.pk},
        "coaching:rate_effort": {"activity_id": ride.pk},
    }
