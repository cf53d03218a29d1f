"""Rows that fill in what a test does not care about."""

from datetime import date

from coaching.domain.laps import RawLap
from coaching.models import RacerProfile, Session
from coaching.services import garage, laps

STEADY = [58.12, 58.03, 58.2, 57.95, 58.31, 58.08, 57.99, 58.15, 58.05, 58.22, 57.97, 58.11]


def make_profile(user, **values) -> RacerProfile:
    return garage.save_profile(by=user, **{"name": "Sam Racer"} | values)


def make_session(user, **values) -> Session:
    return garage.create_session(
        by=user, **{"name": "Saturday", "start_date": date(2026, 5, 2)} | values
    )


def drive(session: Session, heat: str = "Q1", times=STEADY, *, confidence=None, kind="") -> int:
    """Log laps in a heat; the last one carries the confidence."""
    rows = [RawLap(time) for time in times]
    rows[-1] = RawLap(times[-1], confidence=confidence)
    return laps.add_laps(
        session_id=session.pk, by=session.profile.user, heat_name=heat, laps=rows, kind=kind
    )
