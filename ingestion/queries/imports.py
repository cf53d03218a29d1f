"""Imports under way and lately ended. They are jobs of everybody: timing data is shared."""

from collections.abc import Iterable

from django.db.models import QuerySet

from racecontrol.shared.jobs import Job

KEY = "import:"
PRACTICE_KEY = f"{KEY}practice"


def imports(*, has_practice: bool = True) -> QuerySet[Job]:
    """Every import; those of practice days only for whom they are on."""
    found = Job.objects.filter(key__startswith=KEY).select_related("owner")
    return found if has_practice else found.exclude(key__startswith=PRACTICE_KEY)


def ended_imports(*, has_practice: bool = True, words: str = "") -> QuerySet[Job]:
    found = imports(has_practice=has_practice).exclude(state__in=Job.OPEN)
    return found.filter(title__icontains=words.strip(), finished_at__isnull=False)


def open_imports(*, has_practice: bool = True) -> QuerySet[Job]:
    found = imports(has_practice=has_practice).filter(state__in=Job.OPEN)
    return found.order_by("created_at")


def open_imports_of(source_event_ids: Iterable[str]) -> dict[str, Job]:
    keys = {f"{KEY}event:{event_id}": event_id for event_id in source_event_ids}
    return {keys[job.key]: job for job in open_imports().filter(key__in=list(keys))}
