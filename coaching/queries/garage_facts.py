"""A racer's own pace as facts of a morning: the latest scored session, with its age."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from coaching.domain.missions.facts import Fact
from coaching.queries import garage
from coaching.queries.history import scores_of

LOOK_BACK: Final = timedelta(days=60)
FRESH: Final = timedelta(days=14)


def facts(user: Any, day: date, now: datetime) -> list[Fact]:
    """Nothing for somebody who logs no laps; else score, trust in it, laps and best clean lap."""
    latest = (
        scores_of(user)
        .filter(session__start_date__lte=day, session__start_date__gte=day - LOOK_BACK)
        .order_by("-session__start_date", "-session_id")
        .first()
    )
    if latest is None:
        return []
    on, source = latest.session.start_date, "run log"
    is_stale = day - on > FRESH
    found = [
        Fact("orp", "Race pace score (ORP)", latest.score, "of 100", on, source,
             ("orp", "race pace score"), is_stale),
        Fact("orp_low", "ORP at least", latest.low, "of 100", on, source, ("orp at least",), is_stale),
        Fact("practice_laps", "Laps scored", latest.laps, "laps", on, source, ("laps",), is_stale),
    ]  # fmt: skip
    best = garage.best_clean_ms(latest.session)
    if best is not None:
        found.append(
            Fact("best_lap_s", "Best clean lap", best / 1000, "s", on, source, ("best lap",), is_stale)
        )  # fmt: skip
    return found
