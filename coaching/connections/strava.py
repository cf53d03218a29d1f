"""Strava: activities, their curves, and the request limits it states in every answer."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import Field

from coaching.connections.api import Api, Told, refusal_of
from coaching.connections.errors import ProviderDown
from coaching.connections.oauth import Provider
from coaching.connections.shapes import Curves, RideRead
from coaching.connections.transport import Reply, call
from coaching.domain.quotas import read_pair

PER_PAGE: Final = 200  # the most it gives
MOST_PAGES: Final = 500
CURVES: Final = {  # Strava's name -> ours; positions are never asked for
    "time": "time_s",
    "watts": "watts",
    "heartrate": "bpm",
    "cadence": "rpm",
    "velocity_smooth": "speed_ms",
    "altitude": "altitude_m",
}


class Ride(Told):
    """A summary activity. Lengths in metres and seconds."""

    id: int
    name: str = ""
    description: str | None = None
    sport_type: str = ""
    start_date: datetime
    start_date_local: str
    moving_time: int = Field(ge=0, le=10_000_000)
    elapsed_time: int = Field(ge=0, le=10_000_000)
    distance: float | None = None
    total_elevation_gain: float | None = None
    average_watts: float | None = None
    weighted_average_watts: float | None = None
    device_watts: bool | None = None
    average_heartrate: float | None = None
    max_heartrate: float | None = None
    calories: float | None = None


class Athlete(Told):
    id: int


def account_id(api: Api) -> str:
    """Whose permission this is; the lightest request there is."""
    return str(api.read(Athlete, api.get("/api/v3/athlete")).id)


def pages(api: Api, *, after: datetime, before: datetime) -> Iterator[list[RideRead]]:
    """Activities that started between two moments, a page at a time, until an empty page."""
    for page in range(1, MOST_PAGES + 1):
        told = api.get(
            "/api/v3/athlete/activities",
            after=int(after.timestamp()), before=int(before.timestamp()), page=page,
            per_page=PER_PAGE,
        )  # fmt: skip
        rides = api.read_list(Ride, told)
        if not rides:
            return
        yield [_read(ride) for ride in rides]
    raise ProviderDown("Strava's list of activities has no end.", reason="endless")


def ride(api: Api, external_id: str) -> RideRead:
    """One activity, with its description."""
    return _read(api.read(Ride, api.get(f"/api/v3/activities/{int(external_id)}")))


def curves(api: Api, external_id: str) -> Curves:
    """What was recorded along the way, by our names."""
    told = api.get(
        f"/api/v3/activities/{int(external_id)}/streams", keys=",".join(CURVES), key_by_type="true"
    )
    found: dict[str, list[float | None]] = {}
    if isinstance(told, dict):
        for name, ours in CURVES.items():
            stream = told.get(name)
            if isinstance(stream, dict) and isinstance(stream.get("data"), list):
                found[ours] = [_number(value) for value in stream["data"]]
    return found


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None


def _read(ride: Ride) -> RideRead:
    """Power the site estimated from speed (`device_watts` false) is no power."""
    is_measured = ride.device_watts is not False
    try:
        on = date.fromisoformat(ride.start_date_local[:10])
    except ValueError:
        raise ProviderDown("Strava gave a date we cannot read.", reason="wrong_shape") from None
    starts_at = ride.start_date
    return RideRead(
        external_id=str(ride.id),
        kind=ride.sport_type[:60],
        starts_at=starts_at if starts_at.tzinfo else starts_at.replace(tzinfo=UTC),
        on=on,
        elapsed_s=ride.elapsed_time,
        moving_s=ride.moving_time,
        distance_m=ride.distance,
        ascent_m=ride.total_elevation_gain,
        average_w=ride.average_watts if is_measured else None,
        normalised_w=ride.weighted_average_watts if is_measured else None,
        average_bpm=ride.average_heartrate,
        max_bpm=None if ride.max_heartrate is None else round(ride.max_heartrate),
        energy_kcal=ride.calories,
        title=ride.name,
        note=ride.description or "",
    )


def limits_told(headers: Mapping[str, str]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """(limit, usage) of all requests and of reads, each (quarter hour, day), where told."""
    found = []
    for name in ("RateLimit", "ReadRateLimit"):
        limit = read_pair(headers.get(f"X-{name}-Limit"))
        usage = read_pair(headers.get(f"X-{name}-Usage"))
        if limit and usage:
            found.append((limit, usage))
    return found


# -- the hook: one subscription of the whole application, asked for with its own credentials ------


class Subscription(Told):
    id: int


def _application(method: str, provider: Provider, path: str, **values: str) -> Reply:
    told = {"client_id": provider.client_id, "client_secret": provider.client_secret} | values
    is_posted = method == "POST"
    reply = call(
        method, f"{provider.api_url}/api/v3/push_subscriptions{path}", provider=provider.label,
        params=None if is_posted else told, form=urlencode(told) if is_posted else None,
    )  # fmt: skip
    if reply.status not in (200, 201, 204):
        raise refusal_of(provider, reply)
    return reply


def subscriptions(provider: Provider) -> list[int]:
    """Numbers of the subscriptions there are; at most one."""
    reader = Api(provider, "")
    told = _application("GET", provider, "").json(provider.label)
    return [row.id for row in reader.read_list(Subscription, told)]


def subscribe(provider: Provider, *, callback_url: str, verify_token: str) -> None:
    """Strava asks `callback_url` to prove itself before it answers."""
    _application("POST", provider, "", callback_url=callback_url, verify_token=verify_token)


def unsubscribe(provider: Provider, number: int) -> None:
    _application("DELETE", provider, f"/{number}")
