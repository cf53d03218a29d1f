"""What the athlete's data says: one value per metric and day, activities with load, form."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from coaching.domain import fitness, sources
from coaching.models import Activity, AthleteNumbers, AthleteUpload, DailyMetric

STRAVA = "Strava"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An activity with its load; `load` is None where nothing tells it, `double_of` where another
    recording of the same effort counts instead."""

    activity: Activity
    load: fitness.Load | None
    double_of: Activity | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """Fitness, fatigue and form with the days they stand on. `building` counts a short history."""

    days: list[fitness.Day]
    building: int | None

    @property
    def last(self) -> fitness.Day | None:
        return self.days[-1] if self.days else None


def numbers_of(user: Any) -> AthleteNumbers:
    """The athlete's numbers; an unsaved empty row where they gave none."""
    return AthleteNumbers.objects.filter(owner=user).first() or AthleteNumbers(owner=user)


def daily_values(
    user: Any,
    *,
    since: date,
    until: date,
    for_coach: bool = False,
    numbers: AthleteNumbers | None = None,
) -> dict[str, dict[date, DailyMetric]]:
    """metric -> local day -> the row of the source that speaks for that day.

    `for_coach` leaves out what a provider's policy keeps from the model; `numbers` where the caller
    has read them just now.
    """
    order = (numbers or numbers_of(user)).source_order
    rows = DailyMetric.objects.filter(owner=user, on__gte=since, on__lte=until)
    if for_coach:
        rows = _for_coach(rows)
    found: dict[tuple[str, date], dict[str, DailyMetric]] = defaultdict(dict)
    for row in rows:
        found[row.metric, row.on][row.source] = row
    out: dict[str, dict[date, DailyMetric]] = defaultdict(dict)
    for (metric, on), by_source in found.items():
        if (source := sources.chosen(by_source, order)) is not None:
            out[metric][on] = by_source[source]
    return out


def load_of(activity: Activity, numbers: AthleteNumbers) -> fitness.Load | None:
    """By power, else heart rate, else perceived effort; None where the numbers for it are missing."""
    if activity.moving_s <= 0:
        return None
    watts = activity.normalised_w or activity.average_w
    if watts and numbers.threshold_w:
        return fitness.power_load(
            seconds=activity.moving_s, normalised_w=watts, threshold_w=numbers.threshold_w
        )
    beats = (numbers.resting_bpm, numbers.threshold_bpm, numbers.max_bpm)
    if activity.average_bpm and all(beats):
        resting, threshold, highest = (float(value or 0) for value in beats)
        if resting < threshold < highest:
            return fitness.heart_rate_load(
                seconds=activity.moving_s,
                average_bpm=activity.average_bpm,
                resting_bpm=resting,
                max_bpm=highest,
                threshold_bpm=threshold,
            )
    if activity.effort:
        return fitness.perceived_load(seconds=activity.moving_s, effort=activity.effort)
    return None


def activities_of(
    user: Any, *, for_coach: bool = False, numbers: AthleteNumbers | None = None
) -> list[Loaded]:
    """Every activity, oldest first. Where two recordings share half of their time, one counts:
    the one whose load is known, then the one of the better source. `numbers` where the caller has
    read them just now."""
    numbers = numbers or numbers_of(user)
    rows = Activity.objects.filter(owner=user).order_by("starts_at", "pk")
    if for_coach:
        rows = _for_coach(rows)
    out: list[Loaded] = []
    for activity in rows:
        new = Loaded(activity, load_of(activity, numbers))
        double = next(
            (i for i in range(len(out) - 1, -1, -1) if _is_same(out[i].activity, activity)), None
        )
        if double is None or out[double].double_of is not None:
            out.append(new)
            continue
        old = out[double]
        if _worth(new, numbers) < _worth(old, numbers):
            out[double] = Loaded(old.activity, old.load, double_of=activity)
            out.append(new)
        else:
            out.append(Loaded(activity, new.load, double_of=old.activity))
    return out


def _for_coach(rows: Any) -> Any:
    """Without what a provider's policy keeps out, also where the setting was just switched off."""
    rows = rows.filter(llm_allowed=True)
    return rows if settings.STRAVA_DATA_IN_COACHING else rows.exclude(source=STRAVA)


def is_kept_out(activity: Activity) -> bool:
    """Does a provider's policy keep it out of load, form and prompts?"""
    is_strava = activity.source == STRAVA and not settings.STRAVA_DATA_IN_COACHING
    return is_strava or not activity.llm_allowed


def _worth(one: Loaded, numbers: AthleteNumbers) -> tuple:
    return (
        is_kept_out(one.activity),
        one.load is None,
        sources.rank(one.activity.source, numbers.source_order),
    )


def _is_same(a: Activity, b: Activity) -> bool:
    a_ends = a.starts_at + timedelta(seconds=a.elapsed_s)
    b_ends = b.starts_at + timedelta(seconds=b.elapsed_s)
    shared = (min(a_ends, b_ends) - max(a.starts_at, b.starts_at)).total_seconds()
    return shared > 0.5 * min(a.elapsed_s, b.elapsed_s)


def form_of(user: Any, *, until: date, for_coach: bool = False) -> Form:
    """CTL, ATL and TSB of every day up to `until`, over the whole history; computed, never stored.

    What a policy keeps out, and takes away after days, would bend the curves: it never counts.
    """
    return form_from(activities_of(user, for_coach=for_coach), until=until)


def form_from(activities: Iterable[Loaded], *, until: date) -> Form:
    """The same from activities read before."""
    loads: dict[date, float] = defaultdict(float)
    for one in activities:
        if is_kept_out(one.activity):
            continue
        if one.load is not None and one.double_of is None and one.activity.on <= until:
            loads[one.activity.on] += one.load.points
    days = fitness.series(loads, until=until)
    return Form(days, fitness.building(days) if days else None)


def activity_of(user: Any, activity_id: int) -> Loaded | None:
    """One activity with its load and, where another recording of it counts, that one."""
    return next((one for one in activities_of(user) if one.activity.pk == activity_id), None)


def upload_rows(user: Any) -> QuerySet[AthleteUpload]:
    """The files this person brought, newest first, as rows to page through."""
    return AthleteUpload.objects.filter(owner=user).select_related("job")


def uploads_of(user: Any, words: str = "") -> list[AthleteUpload]:
    """The files this person brought, newest first. Their names are sealed, so we look ourselves."""
    found = upload_rows(user)
    wanted = words.lower().split()
    return [row for row in found if all(word in row.file_name.lower() for word in wanted)]
