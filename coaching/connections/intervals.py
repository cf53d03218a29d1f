"""intervals.icu: wellness of each day and activities. What it took from Strava is left there."""

from datetime import UTC, date, datetime
from typing import Any, Final

from pydantic import Field

from coaching.connections.api import Api, Told
from coaching.connections.errors import ProviderDown
from coaching.connections.shapes import Curves, DayRead, RideRead

SELF: Final = "/api/v1/athlete/0"  # whoever the key or token belongs to
CURVES: Final = {
    "time": "time_s",
    "watts": "watts",
    "heartrate": "bpm",
    "cadence": "rpm",
    "velocity_smooth": "speed_ms",
    "altitude": "altitude_m",
}


class Wellness(Told):
    id: date
    restingHR: float | None = Field(default=None, gt=0, lt=300)
    hrv: float | None = Field(default=None, gt=0, lt=1000)  # rMSSD
    hrvSDNN: float | None = Field(default=None, gt=0, lt=1000)
    sleepSecs: int | None = Field(default=None, ge=0, le=172_800)
    readiness: float | None = Field(default=None, ge=0, le=100)
    steps: int | None = Field(default=None, ge=0)


class Ride(Told):
    id: str
    type: str = ""
    name: str | None = None
    description: str | None = None
    source: str | None = None
    start_date: datetime | None = None
    start_date_local: str
    moving_time: int | None = Field(default=None, ge=0, le=10_000_000)
    elapsed_time: int | None = Field(default=None, ge=0, le=10_000_000)
    distance: float | None = None
    total_elevation_gain: float | None = None
    icu_average_watts: float | None = None
    icu_weighted_avg_watts: float | None = None
    average_heartrate: float | None = None
    max_heartrate: float | None = None
    calories: float | None = None


class Person(Told):
    id: str


def account_id(api: Api) -> str:
    return api.read(Person, api.get(SELF)).id


def wellness(api: Api, *, since: date, until: date) -> list[DayRead]:
    """Sleep in minutes, resting pulse, both kinds of HRV apart, readiness, steps."""
    told = api.get(f"{SELF}/wellness", oldest=since.isoformat(), newest=until.isoformat())
    found = []
    for row in api.read_list(Wellness, told):
        if not since <= row.id <= until:
            continue
        values = {
            ("resting_hr", "bpm"): row.restingHR,
            ("hrv_rmssd", "ms"): row.hrv,
            ("hrv_sdnn", "ms"): row.hrvSDNN,
            ("sleep", "min"): None if not row.sleepSecs else round(row.sleepSecs / 60, 1),
            ("readiness", ""): row.readiness,
            ("steps", "count"): row.steps,
        }
        found += [
            DayRead(metric, row.id, float(value), unit)
            for (metric, unit), value in values.items()
            if value is not None
        ]
    return found


def rides(api: Api, *, since: date, until: date) -> list[RideRead]:
    """Activities of these local days that did not come from Strava."""
    told = api.get(f"{SELF}/activities", oldest=since.isoformat(), newest=until.isoformat())
    return [
        _read(row)
        for row in api.read_list(Ride, told)
        if (row.source or "").upper() != "STRAVA" and row.start_date and row.elapsed_time
    ]


def ride(api: Api, external_id: str) -> RideRead:
    return _read(api.read(Ride, api.get(f"/api/v1/activity/{_safe(external_id)}")))


def curves(api: Api, external_id: str) -> Curves:
    """What was recorded along the way, by our names."""
    told: Any = api.get(f"/api/v1/activity/{_safe(external_id)}/streams", types=",".join(CURVES))
    found: dict[str, list[float | None]] = {}
    for stream in told if isinstance(told, list) else []:
        name = CURVES.get(str(stream.get("type"))) if isinstance(stream, dict) else None
        data = stream.get("data") if name else None
        if name and isinstance(data, list):
            found[name] = [
                float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None
                for v in data
            ]
    return found


def _safe(external_id: str) -> str:
    """An id we may put into an address."""
    if not external_id.isalnum() or len(external_id) > 40:
        raise ProviderDown("intervals.icu gave an id we cannot use.", reason="wrong_shape")
    return external_id


def _read(row: Ride) -> RideRead:
    try:
        on = date.fromisoformat(row.start_date_local[:10])
    except ValueError:
        raise ProviderDown(
            "intervals.icu gave a date we cannot read.", reason="wrong_shape"
        ) from None
    starts_at = row.start_date
    if starts_at is None:
        raise ProviderDown("intervals.icu gave an activity without a time.", reason="wrong_shape")
    elapsed = row.elapsed_time or row.moving_time or 0
    return RideRead(
        external_id=row.id,
        kind=row.type[:60],
        starts_at=starts_at if starts_at.tzinfo else starts_at.replace(tzinfo=UTC),
        on=on,
        elapsed_s=elapsed,
        moving_s=row.moving_time or elapsed,
        distance_m=row.distance,
        ascent_m=row.total_elevation_gain,
        average_w=row.icu_average_watts,
        normalised_w=row.icu_weighted_avg_watts,
        average_bpm=row.average_heartrate,
        max_bpm=None if row.max_heartrate is None else round(row.max_heartrate),
        energy_kcal=row.calories,
        title=row.name or "",
        note=row.description or "",
    )
