"""What the stand-ins know: who there is, which tokens stand, and a season of plausible data."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any


@dataclass
class Grant:
    """A permission as the provider keeps it. Refresh tokens are good once."""

    account: str
    scopes: str
    access: str = ""
    refresh: str = ""
    expires_at: float = 0.0
    is_revoked: bool = False

    def rotate(self, lasts_s: float) -> None:
        self.access = f"at-{secrets.token_hex(12)}"
        self.refresh = f"rt-{secrets.token_hex(12)}"
        self.expires_at = time.time() + lasts_s


@dataclass
class House:
    """One provider: its people, its codes, its data."""

    account: str
    lasts_s: float = 21_600
    grants: list[Grant] = field(default_factory=list)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)  # code -> (account, scopes)
    api_keys: dict[str, str] = field(default_factory=dict)  # key -> account
    revoked: list[str] = field(default_factory=list)
    withheld: set[str] = field(default_factory=set)  # scopes the person unticks

    def new_code(self, asked: list[str]) -> tuple[str, list[str]]:
        given = [scope for scope in asked if scope not in self.withheld]
        code = f"code-{secrets.token_hex(8)}"
        self.codes[code] = (self.account, " ".join(given))
        return code, given

    def redeem(self, code: str) -> Grant | None:
        told = self.codes.pop(code, None)
        if told is None:
            return None
        grant = Grant(*told)
        grant.rotate(self.lasts_s)
        self.grants.append(grant)
        return grant

    def renew(self, refresh: str) -> Grant | None:
        grant = next((g for g in self.grants if g.refresh == refresh and not g.is_revoked), None)
        if grant is not None:
            grant.rotate(self.lasts_s)
        return grant

    def holder(self, access: str) -> str | None:
        """Whose access token or key this is, None where it is not good (any more)."""
        if access in self.api_keys:
            return self.api_keys[access]
        for grant in self.grants:
            if grant.access == access and not grant.is_revoked and grant.expires_at > time.time():
                return grant.account
        return None

    def revoke(self, token: str) -> bool:
        self.revoked.append(token)
        hit = [g for g in self.grants if token in (g.access, g.refresh)]
        for grant in hit:
            grant.is_revoked = True
        return bool(hit)

    def expire(self) -> None:
        """Every access token is over at once; refresh tokens stay good."""
        for grant in self.grants:
            grant.expires_at = 0.0


def rides(today: date, count: int = 60) -> list[dict[str, Any]]:
    """Strava's summary of a ride each other day, newest first."""
    out = []
    for n in range(count):
        starts = datetime(today.year, today.month, today.day, 6, tzinfo=UTC) - timedelta(days=2 * n)
        watts = 150 + n % 9 * 12
        out.append(
            {
                "id": 9_000_000_000 + n,
                "name": f"Morning ride {n}",
                "sport_type": "Ride",
                "start_date": starts.isoformat().replace("+00:00", "Z"),
                "start_date_local": starts.isoformat().replace("+00:00", "Z"),
                "timezone": "(GMT+00:00) Etc/UTC",
                "moving_time": 3600 + n % 5 * 300,
                "elapsed_time": 3900 + n % 5 * 300,
                "distance": 30_000.0 + n * 100,
                "total_elevation_gain": 250.0,
                "average_watts": watts - 15.0,
                "weighted_average_watts": watts,
                "device_watts": True,
                "average_heartrate": 138.0,
                "max_heartrate": 171.0,
                "start_latlng": [-34.9, 138.6],
            }
        )
    return out


def readiness(today: date, days: int = 60) -> list[dict[str, Any]]:
    return [
        {
            "id": f"r{n}",
            "day": (today - timedelta(days=n)).isoformat(),
            "score": 70 + n % 20,
            "contributors": {"hrv_balance": 80, "resting_heart_rate": 90},
        }
        for n in range(days)
    ]


def nights(today: date, days: int = 60) -> list[dict[str, Any]]:
    """A long night and now and then a nap; the nap's pulse is nobody's resting pulse."""
    out = []
    for n in range(days):
        day = (today - timedelta(days=n)).isoformat()
        night = {
            "id": f"s{n}",
            "day": day,
            "type": "long_sleep",
            "total_sleep_duration": 25_200 + n % 6 * 600,
            "lowest_heart_rate": 44 + n % 6,
            "average_hrv": 55 + n % 25,
            "bedtime_start": f"{day}T00:10:00+00:00",
            "bedtime_end": f"{day}T07:40:00+00:00",
        }
        out.append(night)
        if n % 5 == 0:
            out.append({**night, "id": f"n{n}", "type": "late_nap", "total_sleep_duration": 1200,
                        "lowest_heart_rate": 60, "average_hrv": 30})  # fmt: skip
            out.append({**night, "id": f"d{n}", "type": "deleted", "total_sleep_duration": 9999})
    return out


def beats(today: date, days: int = 10) -> list[dict[str, Any]]:
    """A sample each half hour."""
    end = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    return [
        {
            "bpm": 50 + n % 30,
            "source": "rest",
            "timestamp": (end - timedelta(minutes=30 * n)).isoformat(),
        }
        for n in range(days * 48)
    ]


def wellness(today: date, days: int = 60) -> list[dict[str, Any]]:
    return [
        {
            "id": (today - timedelta(days=n)).isoformat(),
            "restingHR": 46 + n % 5,
            "hrv": 60.0 + n % 20,
            "hrvSDNN": None,
            "sleepSecs": 26_000 + n % 7 * 300,
            "readiness": 75.0,
            "ctl": 50.0,
            "atl": 55.0,
        }
        for n in range(days)
    ]


def trainings(today: date, count: int = 40) -> list[dict[str, Any]]:
    """intervals.icu's activities; one in ten came from Strava and is a stub."""
    out = []
    for n, ride in enumerate(rides(today, count)):
        row: dict[str, Any] = {
            "id": f"i{500 + n}",
            "type": "Ride",
            "name": ride["name"],
            "source": "GARMIN_CONNECT",
            "start_date": ride["start_date"],
            "start_date_local": ride["start_date_local"].removesuffix("Z"),
            "moving_time": ride["moving_time"],
            "elapsed_time": ride["elapsed_time"],
            "distance": ride["distance"],
            "icu_average_watts": ride["average_watts"],
            "icu_weighted_avg_watts": ride["weighted_average_watts"],
            "average_heartrate": 138,
            "max_heartrate": 171,
            "calories": 700,
        }
        if n % 10 == 9:
            row = {"id": row["id"], "source": "STRAVA", "start_date_local": row["start_date_local"]}
        out.append(row)
    return out


def curves(seconds: int = 3600) -> dict[str, list[float]]:
    """A ride with a hill in its middle."""
    return {
        "time": list(range(0, seconds, 5)),
        "watts": [180 + (60 if seconds / 3 < t < seconds / 2 else 0) + t % 17
                  for t in range(0, seconds, 5)],
        "heartrate": [120 + min(t // 60, 40) for t in range(0, seconds, 5)],
        "altitude": [40 + t / 60 for t in range(0, seconds, 5)],
    }  # fmt: skip
