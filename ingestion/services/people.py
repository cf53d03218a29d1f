"""Who is who: drivers of a page as rows, and the transponders an entry list knows."""

from django.db import transaction
from django.db.models.functions import Coalesce

from ingestion.domain.labels import class_key, person_key
from ingestion.liverc.pages.entry_list import EntryListPage
from ingestion.models import Driver, DriverTransponder, Event, RaceResult
from ingestion.services.bulk import set_transponders


def driver_ids_for(people: list[tuple[str | None, str]]) -> list[int]:
    """The driver of each (source id, name), made where unknown, with merges followed.

    Somebody without an id is found by the name among those without an id: two of one name in
    one race cannot be told apart, and become one person only if a human merges them.
    """
    by_id = _by_source_id({source_id for source_id, _ in people if source_id})
    fresh: dict[str, Driver] = {}
    for source_id, name in people:
        if source_id and source_id not in by_id:
            fresh.setdefault(
                source_id,
                Driver(
                    source_driver_id=source_id, name=name[:200], name_key=person_key(name)[:200]
                ),
            )
    if fresh:
        # Another import may be meeting the same people right now; whoever is first, wins. One
        # order for all, so that two never wait for each other.
        Driver.objects.bulk_create(
            [fresh[source_id] for source_id in sorted(fresh)], ignore_conflicts=True
        )
        by_id |= _by_source_id(set(fresh))
    found: list[int] = []
    used: set[int] = set()
    for source_id, name in people:
        driver_id = by_id[source_id] if source_id else _nameless(name, used)
        used.add(driver_id)
        found.append(driver_id)
    return found


def _by_source_id(ids: set[str]) -> dict[str, int]:
    return dict(
        Driver.objects.filter(source_driver_id__in=ids).values_list(
            "source_driver_id", Coalesce("merged_into_id", "pk")
        )
    )


def _nameless(name: str, used: set[int]) -> int:
    key = person_key(name)[:200]
    nameless = Driver.objects.filter(source_driver_id=None, name_key=key).exclude(pk__in=used)
    driver = nameless.order_by("pk").first()
    if driver is None:
        return Driver.objects.create(name=name[:200], name_key=key).pk
    return driver.merged_into_id or driver.pk


@transaction.atomic
def save_entry_list(event: Event, page: EntryListPage) -> int:
    """Transponders from the entry list, joined by name within the class; how many were noted."""
    held: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for class_of, name, *result in RaceResult.objects.filter(race__event=event).values_list(
        "race__race_class__key", "driver_name", "pk", "driver_id", "transponder"
    ):
        held.setdefault((class_of, person_key(name)), []).append(tuple(result))
    noted: dict[tuple[int, str], DriverTransponder] = {}
    changed: dict[int, str] = {}
    for one in page.classes:
        for entry in one.entries:
            number = (entry.transponder or "")[:20]
            rows = held.get((class_key(one.class_name)[:200], person_key(entry.name)), [])
            drivers = {driver_id for _, driver_id, _ in rows}
            if not number or len(drivers) != 1:
                continue  # nobody, or two people of one name in one class
            changed |= {pk: number for pk, _, before in rows if before != number}
            driver_id = drivers.pop()
            noted[driver_id, number] = DriverTransponder(
                driver_id=driver_id,
                number=number,
                first_seen_on=event.starts_on,
                last_seen_on=event.ends_on,
            )
    set_transponders(changed)
    DriverTransponder.objects.bulk_create(noted.values(), ignore_conflicts=True)
    return len(noted)
