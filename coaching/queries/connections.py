"""An athlete's connections as a page shows them: each provider, connected or not."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from coaching.connections.oauth import Provider
from coaching.connections.providers import INTERVALS, LABELS, STRAVA, provider_of
from coaching.models import Connection, ProviderLimit
from racecontrol.shared.jobs import Job

READS = {
    STRAVA: "Activities with power and heart rate, and their curves; never positions.",
    "oura": "Readiness, sleep, resting pulse, HRV (rMSSD) and the mean heart rate of each day.",
    INTERVALS: "Wellness of each day and activities, but none that intervals.icu took from Strava.",
}


@dataclass(frozen=True, slots=True)
class Door:
    """One provider for one person."""

    provider: Provider
    reads: str
    row: Connection | None
    limit: ProviderLimit | None
    test_job: Job | None

    @property
    def takes_key(self) -> bool:
        return self.provider.name == INTERVALS

    @property
    def is_strava(self) -> bool:
        return self.provider.name == STRAVA

    @property
    def is_stand_in(self) -> bool:
        """A demonstration on this machine instead of the real service."""
        return urlsplit(self.provider.api_url).hostname in ("127.0.0.1", "localhost")

    @property
    def not_granted(self) -> list[str]:
        """Asked for, but unticked by the person."""
        if self.row is None:
            return []
        return [scope for scope in self.provider.scopes if scope not in self.row.scopes]


def doors_of(user: Any) -> list[Door]:
    """Every provider this site knows, with this person's connection where there is one."""
    rows = {
        row.provider: row for row in Connection.objects.filter(owner=user).select_related("job")
    }
    limits = {row.provider: row for row in ProviderLimit.objects.all()}
    tests = {
        job.args[0]: job
        for job in Job.objects.filter(owner=user, func="coaching.tasks.test_connection").order_by(
            "created_at"
        )
    }
    return [
        Door(
            provider_of(name),
            READS[name],
            row := rows.get(name),
            limits.get(name),
            tests.get(row.pk) if row else None,
        )
        for name in LABELS
    ]
