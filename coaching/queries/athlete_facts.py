"""The athlete's own data as facts of a morning: yesterday's form, last night, each with its age.

What a provider's policy keeps from a model is left out here (`for_coach`).
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from coaching.domain.missions.facts import Fact
from coaching.domain.sources import kind_of
from coaching.queries import athlete

FRESH: Final = timedelta(days=1)  # the value of today or yesterday; older is stale
LOOK_BACK: Final = timedelta(days=7)
FORM_NEEDS_DAYS: Final = 14
# metric -> (fact key, label, unit, words a writer would use)
_METRICS: Final = {
    "readiness": ("readiness", "Readiness", "of 100", ("readiness",)),
    "sleep": ("sleep_h", "Sleep", "h", ("sleep", "slept")),
    "resting_hr": ("resting_hr", "Resting heart rate", "bpm", ("resting heart rate",)),
    "hrv_rmssd": ("hrv_rmssd", "HRV (rMSSD)", "ms", ("rmssd",)),
    "hrv_sdnn": ("hrv_sdnn", "HRV (SDNN)", "ms", ("sdnn",)),
    "vo2max": ("vo2max", "VO2max", "mL/min·kg", ("vo2max",)),
}
_TO_HOURS: Final = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0}


def facts(user: Any, day: date, now: datetime) -> list[Fact]:
    """Newest value of each metric within a week, and form at the end of yesterday."""
    found: list[Fact] = []
    values = athlete.daily_values(user, since=day - LOOK_BACK, until=day, for_coach=True)
    for metric, (key, label, unit, names) in _METRICS.items():
        rows = values.get(metric) or {}
        if not rows:
            continue
        newest = max(rows)
        row = rows[newest]
        value = row.value * _TO_HOURS.get(row.unit, 1.0) if metric == "sleep" else row.value
        found.append(
            Fact(key, label, round(value, 1), unit, newest, kind_of(row.source), names,
                 is_stale=day - newest > FRESH)
        )  # fmt: skip
    return found + _form(user, day)


def _form(user: Any, day: date) -> list[Fact]:
    """Morning form is yesterday's closing CTL − ATL; a short history is said, not hidden."""
    yesterday = day - timedelta(days=1)
    form = athlete.form_of(user, until=yesterday, for_coach=True)
    if form.last is None or len(form.days) < FORM_NEEDS_DAYS:
        return []
    last = form.last
    source = "load model" + (f", building: day {form.building}" if form.building else "")
    return [
        Fact("ctl", "Fitness (CTL)", round(last.ctl, 1), "", yesterday, source, ("fitness", "ctl")),
        Fact("atl", "Fatigue (ATL)", round(last.atl, 1), "", yesterday, source, ("fatigue", "atl")),
        Fact("tsb", "Form (TSB)", round(last.tsb, 1), "", yesterday, source, ("form", "tsb")),
        Fact("load", "Load yesterday", round(last.load, 1), "", yesterday, source, ("load",)),
    ]
