"""What the laps say, as facts for an athlete who races cars as well: the latest race pace score."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from coaching.domain.missions.facts import Fact
from coaching.queries import garage

RECENT: Final = timedelta(days=30)


def facts(user: Any, day: date, now: datetime) -> list[Fact]:
    """The newest Optimal Race Pace of the last 30 days and what it was driven in; else nothing."""
    scores = [s for s in garage.latest_scores(user, most=1) if s.session.start_date <= day]
    if not scores or day - scores[0].session.start_date > RECENT:
        return []
    score = scores[0]
    on = score.session.start_date
    return [
        Fact("orp", "Race pace score (ORP)", round(score.score or 0, 1), "of 100", on, "run logs",
             ("orp", "race pace")),
        Fact("orp_kind", "Driven in", score.session.get_session_type_display().lower(), "", on,
             "run logs"),
        Fact("orp_laps", "Laps it was driven over", score.laps, "laps", on, "run logs"),
    ]  # fmt: skip
