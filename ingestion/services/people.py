"""Who is who: drivers of a page as rows, and the transponders an entry list knows."""

from django.db import transaction

from ingestion.domain.labels import class_key, person_key
from ingestion.liverc.pages.entry_list import EntryListPage
from ingestion.models import Driver, DriverAlias, DriverTransponder, Event, RaceResult


def drivers_for(people: list[tuple[str | None, str]]) -> list[Driver]:
    """One driver per (source id, name), made where unknown, with merges followed.

    Somebody without an id is found by the name among those without an id: two of one name in
    one race cannot be told apart, and become one person only if a human merges them.
    """
    ids = {source_id for source_id, _ in people if source_id}
    by_id = _by_source_id(ids)
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
    found: list[Driver] = []
    used: set[int] = set()
    for source_id, name in people:
        driver = by_id[source_id] if source_id else _nameless(name, used)
        used.add(driver.pk)
        found.append(driver)
    return found


def _by_source_id(ids: set[str]) -> dict[str, Driver]:
    aliases = DriverAlias.objects.filter(source_driver_id__in=ids).select_related("driver")
    drivers = Driver.objects.filter(source_driver_id__in=ids).select_related("merged_into")
    found = {one.source_driver_id: one.merged_into or one for one in drivers}
    return found | {alias.source_driver_id: alias.driver for alias in aliases}


def _nameless(name: str, used: set[int]) -> Driver:
    key = person_key(name)[:200]
    nameless = Driver.objects.filter(source_driver_id=None, name_key=key).exclude(pk__in=used)
    driver = nameless.select_related("merged_into").order_by("pk").first()
    if driver is None:
        return Driver.objects.create(name=name[:200], name_key=key)
    return driver.merged_into or driver


@transaction.atomic
def save_entry_list(event: Event, page: EntryListPage) -> int:
    """Transponders from the entry list, joined by name within the class; how many were noted."""
    results = RaceResult.objects.filter(race__event=event).select_related("race__race_class")
    by_entry: dict[tuple[str, str], list[RaceResult]] = {}
    for result in results:
        key = (result.race.race_class.key, person_key(result.driver_name))
        by_entry.setdefault(key, []).append(result)
    noted: dict[tuple[int, str], DriverTransponder] = {}
    changed = []
    for one in page.classes:
        for entry in one.entries:
            number = (entry.transponder or "")[:20]
            rows = by_entry.get((class_key(one.class_name)[:200], person_key(entry.name)), [])
            if not number or len({row.driver_id for row in rows}) != 1:
                continue  # nobody, or two people of one name in one class
            for row in rows:
                if row.transponder != number:
                    row.transponder = number
                    changed.append(row)
            noted[rows[0].driver_id, number] = DriverTransponder(
                driver_id=rows[0].driver_id,
                number=number,
                first_seen_on=event.starts_on,
                last_seen_on=event.ends_on,
            )
    RaceResult.objects.bulk_update(changed, ["transponder"])
    DriverTransponder.objects.bulk_create(noted.values(), ignore_conflicts=True)
    return len(noted)
