"""Today's readers over stored pages, without one request: what they read now, saved where it differs."""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import QuerySet

from ingestion.liverc import addresses as kinds
from ingestion.liverc.pages import READERS
from ingestion.liverc.pages.as_json import content_hash
from ingestion.models import Race, StoredPage
from ingestion.queries.races import first_main_order
from ingestion.services.bumpups import detect_for_events
from ingestion.services.saving.races import fail_race, save_race
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import OnProgress, Progress, silent


@dataclass(slots=True)
class ReparseSummary:
    """How many pages of each kind were read, how many read differently, what could not be read."""

    read: Counter = field(default_factory=Counter)
    changed: Counter = field(default_factory=Counter)
    saved: int = 0
    failed: list[str] = field(default_factory=list)


def newest_pages(*, kind: str = "", track: str = "") -> QuerySet[StoredPage]:
    """The newest content of each address, oldest address first."""
    pages = StoredPage.objects.filter(status=200)
    if kind:
        pages = pages.filter(kind=kind)
    if track:
        pages = pages.filter(track_slug=track)
    return pages.order_by("url", "-checked_at", "-pk").distinct("url")


def reparse(
    *, kind: str = "", track: str = "", dry_run: bool = False, on_progress: OnProgress = silent
) -> ReparseSummary:
    """Read stored pages again; a race page that reads differently is saved over its rows.

    Other kinds only get their hash brought up to date: the next import saves them. With `dry_run`
    nothing is written. A page that cannot be read is named and left as it is.
    """
    summary = ReparseSummary()
    events: set[int] = set()
    ids = list(newest_pages(kind=kind, track=track).values_list("pk", flat=True))
    for done, pk in enumerate(ids):  # one page in memory at a time
        page = StoredPage.objects.get(pk=pk)
        on_progress(Progress(done, len(ids), page.url))
        try:
            contents = READERS[page.kind](page.html)
        except RaceError as refusal:
            summary.failed.append(f"{page.url}: {refusal}")
            continue
        summary.read[page.kind] += 1
        now_hash = content_hash(page.kind, contents)
        if now_hash != page.parsed_hash:
            summary.changed[page.kind] += 1
            if not dry_run:
                StoredPage.objects.filter(pk=pk).update(parsed_hash=now_hash)
        if page.kind != kinds.RACE or dry_run:
            continue
        if (event_id := _save_race(page, contents, now_hash)) is not None:
            summary.saved += 1
            events.add(event_id)
    detect_for_events(sorted(events))  # places that read differently move people up differently
    on_progress(Progress(len(ids), len(ids), "done"))
    return summary


def _save_race(page: StoredPage, contents: object, parsed_hash: str) -> int | None:
    """The event whose race changed, or None."""
    race_id = kinds.id_of(page.url)
    race = Race.objects.filter(source=Race.Source.RACE, source_race_id=race_id or "").first()
    if race is None or race.parsed_hash == parsed_hash:
        return None
    fetched_at = race.fetched_at
    try:
        changed = save_race(
            race,
            contents,  # type: ignore[arg-type]
            parsed_hash=parsed_hash,
            is_inferring=race.session_type is not None,
            first_main_order=first_main_order(race.event),
        )
    except RaceError as refusal:
        fail_race(race, str(refusal))
        return None
    # Reading again is not fetching again: when the source was last asked stays true.
    Race.objects.filter(pk=race.pk).update(fetched_at=fetched_at)
    return race.event_id if changed else None
