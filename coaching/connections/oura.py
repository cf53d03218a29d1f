"""Oura: readiness, sleep and heart rate of each day. Its HRV is rMSSD and is kept as that."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from pydantic import Field

from coaching.connections.api import Api, Told
from coaching.connections.errors import ProviderDown
from coaching.connections.shapes import DayRead

MOST_PAGES: Final = 500
MARGIN: Final = timedelta(days=1)  # what belongs to a day may be filed a day beside it
SLEPT: Final = frozenset({"long_sleep", "sleep", "late_nap"})  # not rest, not deleted


class Page(Told):
    data: list[Any]
    next_token: str | None = None


class Readiness(Told):
    day: date
    score: int | None = Field(default=None, ge=0, le=100)


class Sleep(Told):
    day: date
    type: str = ""
    total_sleep_duration: int | None = Field(default=None, ge=0, le=172_800)
    lowest_heart_rate: float | None = Field(default=None, gt=0, lt=300)
    average_hrv: float | None = Field(default=None, gt=0, lt=1000)


class Beat(Told):
    bpm: float = Field(gt=0, lt=400)
    timestamp: datetime


class Person(Told):
    id: str


def account_id(api: Api) -> str:
    """Whose permission this is."""
    return api.read(Person, api.get("/v2/usercollection/personal_info")).id


def _rows(api: Api, path: str, **params: Any) -> Iterator[Any]:
    """Every row of a collection, over all pages."""
    token: str | None = None
    for _page in range(MOST_PAGES):
        asked = params | ({"next_token": token} if token else {})
        page = api.read(Page, api.get(f"/v2/usercollection/{path}", **asked))
        yield from page.data
        if page.next_token is None:
            return
        if page.next_token == token:
            break
        token = page.next_token
    raise ProviderDown("Oura's pages have no end.", reason="endless")


def readiness(api: Api, *, since: date, until: date) -> list[DayRead]:
    """The score of each day, 0 to 100."""
    found = {}
    for told in _rows(api, "daily_readiness", **_span(since, until)):
        row = api.read(Readiness, told)
        if row.score is not None and since <= row.day <= until:
            found[row.day] = DayRead("readiness", row.day, float(row.score), "")
    return list(found.values())


def sleep(api: Api, *, since: date, until: date) -> list[DayRead]:
    """Sleep in minutes over all periods of a day; lowest pulse and rMSSD of the longest one."""
    nights: dict[date, list[Sleep]] = defaultdict(list)
    for told in _rows(api, "sleep", **_span(since, until)):
        row = api.read(Sleep, told)
        if row.type in SLEPT and row.total_sleep_duration and since <= row.day <= until:
            nights[row.day].append(row)
    found = []
    for on, periods in nights.items():
        total = sum(period.total_sleep_duration or 0 for period in periods)
        longest = max(periods, key=lambda period: period.total_sleep_duration or 0)
        found.append(DayRead("sleep", on, round(total / 60, 1), "min", len(periods)))
        if longest.lowest_heart_rate:
            found.append(DayRead("resting_hr", on, longest.lowest_heart_rate, "bpm"))
        if longest.average_hrv:
            found.append(DayRead("hrv_rmssd", on, longest.average_hrv, "ms"))
    return found


def heart_rate(api: Api, *, since: date, until: date, zone: tzinfo) -> list[DayRead]:
    """The mean of each local day's samples."""
    beats: dict[date, list[float]] = defaultdict(list)
    asked = {
        "start_datetime": f"{since - MARGIN}T00:00:00+00:00",
        "end_datetime": f"{until + 2 * MARGIN}T00:00:00+00:00",
    }
    for told in _rows(api, "heartrate", **asked):
        row = api.read(Beat, told)
        if row.timestamp.tzinfo is None:
            raise ProviderDown("Oura gave a time without its zone.", reason="wrong_shape")
        on = row.timestamp.astimezone(zone).date()
        if since <= on <= until:
            beats[on].append(row.bpm)
    return [
        DayRead("heart_rate", on, round(sum(rates) / len(rates), 1), "bpm", len(rates))
        for on, rates in beats.items()
    ]


def _span(since: date, until: date) -> dict[str, str]:
    return {
        "start_date": (since - MARGIN).isoformat(),
        "end_date": (until + MARGIN).isoformat(),
    }
