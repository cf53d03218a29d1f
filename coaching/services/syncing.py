"""Fetching from a connected service: a window of days at a time, each repeatable, none doubled."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from coaching.connections import intervals, oura, strava
from coaching.connections.api import Api
from coaching.connections.errors import (
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderRefused,
)
from coaching.connections.providers import INTERVALS, LABELS, OURA, STRAVA
from coaching.connections.shapes import DayRead, RideRead
from coaching.domain.curves import thin
from coaching.models import Activity, ActivityDetail, Connection, DailyMetric
from coaching.services import connections
from coaching.services.athlete import has_health_consent
from coaching.services.upload_contents import MEASURED
from racecontrol.shared import jobs
from racecontrol.shared.progress import OnProgress, Progress, silent

FIRST_DAYS: Final = 730  # how far back the first sync goes
BEATS_DAYS: Final = 30  # heart rates come every few minutes: the past month will do
OVERLAP: Final = timedelta(days=3)  # what changes afterwards, a late upload, a corrected night
WINDOW: Final = timedelta(days=60)
POLICY_DAYS: Final = 7  # how long Strava lets us hold its data
CURVES_AT_ONCE: Final = 10
CURVES_DAYS: Final = 14
EVERY: Final = {STRAVA: timedelta(hours=3), OURA: timedelta(hours=1), INTERVALS: timedelta(hours=1)}
RETRIES: Final = (timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=40))


def is_coaching_data(provider: str) -> bool:
    """May this provider's data enter load, form and prompts?"""
    return provider != STRAVA or settings.STRAVA_DATA_IN_COACHING


def sync(*, connection_id: int, on_progress: OnProgress = silent) -> dict[str, int]:
    """Fetch every day since the last sync, oldest first; a second call fetches a few days again.

    Raises the errors of `coaching.connections.errors`; what was fetched before stays.
    """
    row = Connection.objects.select_related("owner").filter(pk=connection_id).first()
    if row is None or row.needs_reconnect or not has_health_consent(row.owner):
        return {}
    today = now().astimezone(ZoneInfo(row.owner.time_zone)).date()
    windows = list(_windows(row, today))
    total = {"days": 0, "activities": 0, "curves": 0}
    for number, (since, until) in enumerate(windows):
        if not has_health_consent(row.owner):  # taken back meanwhile
            return total
        on_progress(Progress(number, len(windows), f"{since:%d %b %Y} to {until:%d %b %Y}"))
        days, rides = connections.ask(row.pk, partial(_step, row, since, until))
        total["days"] += days
        total["activities"] += rides
        Connection.objects.filter(pk=row.pk).update(synced_until=until)
    total["curves"] = fetch_curves(row, today)
    on_progress(Progress(len(windows), len(windows), "up to date"))
    moment = now()
    Connection.objects.filter(pk=row.pk).update(
        last_sync_at=moment, failures=0, last_error="", last_error_at=None,
        next_sync_at=moment + EVERY[row.provider] + timedelta(seconds=row.pk % 600),
    )  # fmt: skip
    return total


def _windows(row: Connection, today: date) -> Iterable[tuple[date, date]]:
    since = today - timedelta(days=FIRST_DAYS)
    if row.synced_until is not None:
        since = min(row.synced_until, today) - OVERLAP
    if not is_coaching_data(row.provider):
        since = max(since, today - timedelta(days=POLICY_DAYS - 1))
    while since <= today:
        until = min(since + WINDOW, today)
        yield since, until
        since = until + timedelta(days=1)


def _step(row: Connection, since: date, until: date, api: Api) -> tuple[int, int]:
    """One window: (daily values, activities) saved."""
    zone = ZoneInfo(row.owner.time_zone)
    if row.provider == STRAVA:
        start = datetime.combine(since, time.min, zone)
        end = datetime.combine(until + timedelta(days=1), time.min, zone)
        rides = [ride for page in strava.pages(api, after=start, before=end) for ride in page]
        return 0, save_rides(row, rides, start=start, end=end)
    if row.provider == OURA:
        days = oura.readiness(api, since=since, until=until)
        days += oura.sleep(api, since=since, until=until)
        metrics = {"readiness", "sleep", "resting_hr", "hrv_rmssd"}
        saved = save_days(row, days, metrics, since, until)
        oldest = max(since, now().date() - timedelta(days=BEATS_DAYS))
        if "heartrate" in row.scopes and oldest <= until:
            beats = oura.heart_rate(api, since=oldest, until=until, zone=zone)
            saved += save_days(row, beats, {"heart_rate"}, oldest, until)
        return saved, 0
    days = intervals.wellness(api, since=since, until=until)
    metrics = {"readiness", "sleep", "resting_hr", "hrv_rmssd", "hrv_sdnn", "steps"}
    saved = save_days(row, days, metrics, since, until)
    rides = intervals.rides(api, since=since, until=until)
    start = datetime.combine(since, time.min, UTC) - timedelta(hours=14)
    end = datetime.combine(until, time.max, UTC) + timedelta(hours=14)
    return saved, save_rides(row, rides, start=start, end=end, days=(since, until))


def _is_connected(row: Connection) -> bool:
    """Still? The lock makes a disconnection wait, which then also drops what is being saved."""
    rows = Connection.objects.select_for_update(of=("self",)).filter(pk=row.pk)
    return rows.exists()


@transaction.atomic
def save_days(
    row: Connection, days: list[DayRead], metrics: set[str], since: date, until: date
) -> int:
    """Mirror these days: what the provider changed is changed, what it took back is dropped."""
    if not _is_connected(row):
        return 0
    source = LABELS[row.provider]
    kept = DailyMetric.objects.bulk_create(
        [
            DailyMetric(
                owner=row.owner, metric=day.metric, on=day.on, source=source, value=day.value,
                unit=day.unit, records=day.records, updated_at=now(),
                llm_allowed=is_coaching_data(row.provider),
            )
            for day in days
        ],
        update_conflicts=True,
        unique_fields=["owner", "metric", "on", "source"],
        update_fields=["value", "unit", "records", "llm_allowed", "updated_at"],
    )  # fmt: skip
    told = {(day.metric, day.on) for day in days}
    held = DailyMetric.objects.filter(
        owner=row.owner, source=source, metric__in=metrics, on__gte=since, on__lte=until,
        upload__isnull=True,
    )  # fmt: skip
    gone = [
        pk for pk, metric, on in held.values_list("pk", "metric", "on") if (metric, on) not in told
    ]
    DailyMetric.objects.filter(pk__in=gone).delete()
    return len(kept)


@transaction.atomic
def save_rides(
    row: Connection, rides: list[RideRead], *, start: datetime, end: datetime,
    days: tuple[date, date] | None = None,
) -> int:  # fmt: skip
    """Mirror the activities that started within, or on the local `days` where given."""
    if not _is_connected(row):
        return 0
    source = LABELS[row.provider]
    held = Activity.objects.filter(owner=row.owner, source=source).exclude(external_id="")
    told = {ride.external_id for ride in rides}
    stale = held.filter(starts_at__gte=start, starts_at__lt=end).exclude(external_id__in=told)
    if days is not None:
        stale = stale.filter(on__gte=days[0], on__lte=days[1])
    stale.delete()
    for ride in rides:
        save_ride(row, ride)
    return len(rides)


@transaction.atomic
def save_ride(row: Connection, ride: RideRead) -> Activity:
    """Insert or correct one activity by its number at the provider; how it felt stays."""
    source, is_open = LABELS[row.provider], is_coaching_data(row.provider)
    values = {name: getattr(ride, name) for name in MEASURED} | {
        "starts_at": ride.starts_at, "llm_allowed": is_open, "updated_at": now(),
    }  # fmt: skip
    if is_open:
        values["keep_until"] = None
    of_owner = Activity.objects.filter(owner=row.owner, source=source)
    activity = of_owner.filter(external_id=ride.external_id).first()
    twin = of_owner.filter(starts_at=ride.starts_at).first()
    if twin is not None and twin != activity:
        if activity is not None:
            activity.delete()  # moved onto another one's start: one effort, one row
        activity = twin
        values["external_id"] = ride.external_id
    if activity is None:
        keep = None if is_open else now() + timedelta(days=POLICY_DAYS)
        activity = Activity(
            owner=row.owner, source=source, external_id=ride.external_id, keep_until=keep
        )
    for name, value in values.items():
        setattr(activity, name, value)
    activity.save()
    texts = {"title": ride.title[:300]} | ({"note": ride.note[:5000]} if ride.note else {})
    ActivityDetail.objects.update_or_create(activity=activity, defaults=texts)
    return activity


def fetch_curves(row: Connection, today: date) -> int:
    """Curves of the latest activities that have none yet, a few at a time."""
    if row.provider == OURA:
        return 0
    client = strava if row.provider == STRAVA else intervals
    waiting = Activity.objects.filter(
        owner=row.owner, source=LABELS[row.provider], on__gte=today - timedelta(days=CURVES_DAYS),
        detail__isnull=False, detail__curves_at__isnull=True,
    ).exclude(external_id="").order_by("-starts_at")  # fmt: skip
    found = 0
    for activity in waiting[:CURVES_AT_ONCE]:
        try:
            told = connections.ask(row.pk, partial(client.curves, external_id=activity.external_id))
        except ProviderRefused:
            told = {}
        ActivityDetail.objects.filter(activity=activity).update(
            curves=thin(told) or None, curves_at=now()
        )
        found += bool(told)
    return found


# -- what the clock and the provider ask for ---------------------------------------------------


def queue_due() -> int:
    """Queue every connection whose moment has come; a sync under way is not doubled."""
    due = Connection.objects.filter(
        status=Connection.Status.ACTIVE, next_sync_at__lte=now(), owner__is_active=True
    ).select_related("owner")
    count = 0
    for row in due[:1000]:
        if has_health_consent(row.owner):
            connections.queue_sync(row)
            count += 1
    return count


def note_failure(*, connection_id: int, error: ProviderError) -> datetime | None:
    """Write on the connection what went wrong; when to try again, None where it is no use."""
    connections.note_error(connection_id, error)
    if isinstance(error, ProviderBusy):
        return error.retry_at
    rows = Connection.objects.filter(pk=connection_id)
    rows.update(failures=F("failures") + 1)
    failures = rows.values_list("failures", flat=True).first() or 1
    if isinstance(error, ProviderDown) and failures <= len(RETRIES):
        return now() + RETRIES[failures - 1]
    rows.filter(status=Connection.Status.ACTIVE).update(
        next_sync_at=now() + timedelta(hours=3), failures=0
    )
    return None


def hear_strava(*, account_id: str, kind: str, object_id: str) -> bool:
    """A hint from Strava's hook, believed only as far as a reason to look: true if we do.

    `kind` is "activity" or "athlete", whose permission may be gone.
    """
    row = (
        Connection.objects.filter(
            provider=STRAVA, account_id=account_id, status=Connection.Status.ACTIVE
        )
        .select_related("owner")
        .first()
    )
    if row is None or not has_health_consent(row.owner):
        return False
    if kind == "activity":
        jobs.enqueue(
            "coaching.tasks.look_at_ride", row.pk, object_id, title="Look at a Strava activity",
            key=f"strava-ride:{row.pk}:{object_id}", owner=row.owner,
        )  # fmt: skip
    else:
        jobs.enqueue(
            "coaching.tasks.test_connection", row.pk, title=f"Test of {row}",
            key=f"connection-test:{row.pk}", owner=row.owner,
        )  # fmt: skip
    return True


def look_at_ride(*, connection_id: int, external_id: str) -> str:
    """Fetch one activity anew; one that is gone there goes here."""
    row = Connection.objects.select_related("owner").filter(pk=connection_id).first()
    if row is None or row.needs_reconnect or not has_health_consent(row.owner):
        return "not connected"
    try:
        ride = connections.ask(row.pk, lambda api: strava.ride(api, external_id))
    except ProviderRefused as refused:
        if refused.reason != "not_found":
            raise
        held = Activity.objects.filter(owner=row.owner, source=LABELS[STRAVA])
        held.filter(external_id=external_id).delete()
        return "gone"
    if not is_coaching_data(STRAVA) and ride.starts_at < now() - timedelta(days=POLICY_DAYS):
        return "too old to hold"
    save_ride(row, ride)
    return "saved"


@transaction.atomic
def purge() -> int:
    """Drop what may not be held any longer; returns how many activities went."""
    if not settings.STRAVA_DATA_IN_COACHING:
        # The setting was switched off: what came before it falls under the policy, too.
        Activity.objects.filter(source=LABELS[STRAVA], keep_until__isnull=True).exclude(
            external_id=""
        ).update(llm_allowed=False, keep_until=F("updated_at") + timedelta(days=POLICY_DAYS))
    gone = Activity.objects.filter(keep_until__lt=now())
    count = gone.count()
    gone.delete()
    return count
