"""Heat sheets of mains: the club's own word for which grid slots the main below fills."""

from collections.abc import Iterable

from ingestion.domain.ladder import is_main_round, ladders
from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source, url_of
from ingestion.liverc.pages.event import PageLink
from ingestion.liverc.pages.heat_sheet import HeatSheetPage
from ingestion.models import Event, Race, Track
from ingestion.queries.bumpups import mains_of
from ingestion.services.bumpups import note_official_slots
from ingestion.services.fetching import BudgetExhausted, fetch_page
from ingestion.services.tracks import is_page_trouble
from racecontrol.shared.errors import RaceError


def import_heat_sheets(
    event: Event, track: Track, links: Iterable[PageLink], source: Source
) -> list[str]:
    """Read the heat sheets of the mains; gives notes about those that could not be had.

    Asked only where a class has a lower and a higher main: elsewhere nobody can move up, and a
    request would be wasted. Raises what a spent minute, a resting host or a bot check raise.
    """
    if not any(len(ladder.tiers) > 1 for ladder in ladders(mains_of([event.pk])[event.pk])):
        return []
    notes = []
    for link in links:
        if not is_main_round(link.label):
            continue
        try:
            page = fetch_page(
                url_of(track.slug, kinds.result_path("view_heat_sheet", link.id)),
                kind=kinds.HEAT_SHEET,
                budget=track.slug,
                cache_key=f"heat_sheet:{track.slug}:{link.id}",
                source=source,
            )
        except BudgetExhausted as spent:
            if not spent.is_daily:
                raise
            notes.append(f"No heat sheet of {link.label}: {spent}")
        except RaceError as refusal:
            if not is_page_trouble(refusal):
                raise
            notes.append(f"No heat sheet of {link.label}: {refusal}")
        else:
            save_heat_sheets(event, page.contents)
    return notes


def save_heat_sheets(event: Event, page: HeatSheetPage | object) -> int:
    """Keep the marked slots of each race on the sheet; how many races changed."""
    if not isinstance(page, HeatSheetPage):
        return 0
    races = dict(
        Race.objects.filter(
            event=event, source_race_id__in=[s.race_id for s in page.sheets if s.race_id]
        ).values_list("source_race_id", "pk")
    )
    changed = 0
    for sheet in page.sheets:
        race_id = races.get(sheet.race_id or "")
        if race_id is None:
            continue
        slots = [seed.car_number or seed.position for seed in sheet.seeds if seed.is_bump_up]
        changed += note_official_slots(race_id=race_id, slots=[slot for slot in slots if slot])
    return changed
