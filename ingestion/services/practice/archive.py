"""Old practice days are put away: out of the lists, still found by asking, brought back at will."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from ingestion.models import PracticeDay
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months earlier, or the last day that month has."""
    step = day.year * 12 + day.month - 1 - months
    first_of_next = date((step + 1) // 12, (step + 1) % 12 + 1, 1)
    last = first_of_next - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def old_days(*, months: int | None = None, today: date | None = None) -> list[PracticeDay]:
    """Days older than so many months (setting PRACTICE_ARCHIVE_MONTHS) that are not put away yet."""
    months = settings.PRACTICE_ARCHIVE_MONTHS if months is None else months
    if not 1 <= months <= 600:
        raise InvalidInput("Say how many months: 1 to 600.", fields={"months": ["1 to 600."]})
    limit = months_before(today or now().date(), months)
    found = PracticeDay.objects.filter(archived_at=None, event__starts_on__lt=limit)
    return list(found.select_related("event").order_by("event__starts_on", "pk"))


@transaction.atomic
def archive_day(*, event_id: int, by: Any = None) -> PracticeDay:
    """Put a day away. Raises NotReady where that was done already."""
    day = _locked(event_id)
    if day.is_archived:
        raise NotReady(f"{day.event.name} is archived already.")
    day.archived_at, day.archived_by = now(), by if getattr(by, "pk", None) else None
    day.save(update_fields=["archived_at", "archived_by"])
    audit.record(by=by, verb="practice_day.archived", obj=day, after={"at": day.archived_at})
    return day


@transaction.atomic
def restore_day(*, event_id: int, by: Any = None) -> PracticeDay:
    """Bring a day back into the lists. Raises NotReady for one that is there."""
    day = _locked(event_id)
    if not day.is_archived:
        raise NotReady(f"{day.event.name} is not archived.")
    before, day.archived_at, day.archived_by = day.archived_at, None, None
    day.save(update_fields=["archived_at", "archived_by"])
    audit.record(by=by, verb="practice_day.restored", obj=day, before={"at": before})
    return day


def _locked(event_id: int) -> PracticeDay:
    day = (
        PracticeDay.objects.select_for_update(of=("self",))
        .select_related("event")
        .filter(pk=event_id)
        .first()
    )
    if day is None:
        raise NotFound("There is no such practice day.")
    return day
