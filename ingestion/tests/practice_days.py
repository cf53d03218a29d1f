"""What tests of practice days share: the stand-in's demo track, runs of jobs, rows as they stand."""

from datetime import timedelta

from django.utils.timezone import now

from ingestion.domain.practice import day_id
from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_DAY
from ingestion.models import (
    Driver,
    Event,
    FetchLog,
    Lap,
    PracticeDay,
    PracticeSession,
    Race,
    RaceResult,
    StoredPage,
)
from ingestion.services.practice.importing import import_day

DAY = DEMO_DAY - timedelta(days=1)
DAY_ID = day_id(DEMO, DAY)


def do_import(**more):
    return import_day(source_event_id=DAY_ID, **more)


def sessions_of(site):
    """What the stand-in lists of the day, first to last."""
    return site.world.sessions(site.world.track(DEMO), DAY)


def session_pages(site) -> int:
    return sum(count for path, count in site.hits.items() if "view_session" in path)


def age_pages() -> None:
    """Nothing in the store is fresh any more."""
    StoredPage.objects.update(fresh_until=now())


def a_minute_goes_by() -> None:
    FetchLog.objects.update(at=now() - timedelta(minutes=2))


def rows() -> dict:
    """Every row of practice as it stands, ids and moments of change included."""
    return {
        "events": list(Event.objects.values("pk", "name", "state", "updated_at", "missing_since")),
        "days": list(
            PracticeDay.objects.values("pk", "total_laps", "unique_drivers", "updated_at")
        ),
        "sessions": list(
            PracticeSession.objects.order_by("pk").values("pk", "race_id", "updated_at")
        ),
        "races": list(Race.objects.order_by("pk").values("pk", "parsed_hash", "updated_at")),
        "results": list(
            RaceResult.objects.order_by("pk").values("pk", "driver_id", "total_ms", "updated_at")
        ),
        "drivers": list(Driver.objects.order_by("pk").values("pk", "name", "updated_at")),
        "laps": Lap.objects.count(),
    }
