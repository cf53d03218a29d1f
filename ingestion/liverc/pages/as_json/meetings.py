"""An event, its races with every lap, its entries and its points."""

from dataclasses import asdict

from ingestion.liverc.pages._html import seconds
from ingestion.liverc.pages.as_json._common import event_head, iso
from ingestion.liverc.pages.entry_list import EntryListPage
from ingestion.liverc.pages.event import EventPage, PageLink
from ingestion.liverc.pages.points import PointsPage
from ingestion.liverc.pages.race import RacePage, Result


def event(page: EventPage) -> dict:
    def link(one: PageLink | None, *, labelled: bool = True) -> dict | None:
        if one is None:
            return None
        return {"id": one.id, **({"label": one.label} if labelled else {}), "url": one.url}

    races = [
        {
            "dom_index": race.dom_index,
            "round": race.round,
            "race_number": race.race_number,
            "link_text": race.link_text,
            "class_label": race.class_label,
            "race_label": race.race_label,
            "race_id": race.race_id,
            "url": race.url,
            "completed_text": race.completed_text,
            "completed_local": iso(race.completed_local),
            "run_order": race.run_order,
        }
        for race in page.races
    ]
    return {
        "track_name": page.head.h1,
        **event_head(page.head, page.days),
        "links": {
            "entry_list": link(page.entry_list, labelled=False),
            "heat_sheets": [link(one) for one in page.heat_sheets],
            "overall_ranking": link(page.overall_ranking),
            "points": [link(one) for one in page.points],
            "round_rankings": [link(one) for one in page.round_rankings],
            "multi_mains": [link(one) for one in page.multi_mains],
        },
        "races": races,
        "race_count": len(races),
        "classes": page.classes,
        "rounds_in_dom_order": page.rounds,
        "entries": page.stats.entries,
        "drivers": page.stats.drivers,
        "total_race_laps": page.stats.total_race_laps,
        "race_track": page.stats.race_track,
    }


def race(page: RacePage) -> dict:
    rows = [(row, _result(row)) for row in page.results]
    raced = [row for row in page.results if row.racer and row.racer.laps]
    return {
        "track_name": page.head.h1,
        **event_head(page.head, page.days),
        "panel_heading": page.panel_heading,
        "panel": asdict(page.panel) if page.panel else None,
        "race_number": page.race_number,
        "race_label": page.race_label,
        "round_label": page.round_label,
        "length_text": page.length_text,
        "length_seconds": seconds(page.length_ms),
        "columns": list(page.columns),
        "js_racer_ids_in_order": [racer.driver_id for racer in page.racers],
        "results": [facts for _, facts in rows],
        "laps": {
            racer.driver_id: [
                {
                    "lap": lap.number,
                    "pos": lap.position,
                    "time": seconds(lap.ms),
                    "pace": lap.pace,
                }
                for lap in racer.laps
            ]
            for racer in page.racers
            if racer.laps
        },
        "totals": {
            "drivers": len(page.results),
            "drivers_with_laps": len(raced),
            "laps": sum(len(racer.laps) for racer in page.racers),
            "lap_count_mismatches": [
                row.driver_id for row, facts in rows if facts["lap_count"] != row.laps
            ],
            "lap_sum_mismatches": [
                row.driver_id for row, facts in rows if facts["lap_sum_minus_total_s"]
            ],
        },
    }


def _result(row: Result) -> dict:
    laps = row.racer.laps if row.racer else ()
    total = sum(lap.ms for lap in laps)
    facts = {
        "position": row.position,
        "car_number": row.car_number,
        "driver_name": row.driver_name,
        "table_driver_id": row.table_driver_id,
        "has_view_laps": row.table_driver_id is not None,
        "driver_id": row.driver_id,
        "qual": row.qual,
        "laps_time_text": row.laps_time_text,
        "laps": row.laps,
        "total_time_s": seconds(row.total_ms),
        "behind_text": row.behind_text,
        "fast_lap_s": seconds(row.fast_lap_ms),
        "fast_lap_number": row.fast_lap_number,
        "avg_lap_s": seconds(row.avg_lap_ms),
        "avg_top5_s": seconds(row.avg_top5_ms),
        "avg_top10_s": seconds(row.avg_top10_ms),
        "avg_top15_s": seconds(row.avg_top15_ms),
        "top3_consecutive_s": seconds(row.top3_consecutive_ms),
        "std_dev_s": row.std_dev_s,
        "consistency_pct": row.consistency_pct,
        "lap_count": len(laps),
        "lap_sum_s": seconds(total) if laps else None,
        "lap_sum_minus_total_s": (
            seconds(total - row.total_ms) if laps and row.total_ms is not None else None
        ),
        "first_lap_s": seconds(laps[0].ms) if laps else None,
        "min_lap_s": seconds(min(lap.ms for lap in laps)) if laps else None,
        "grid_position_js": row.racer.grid if row.racer else None,
        "js": dict(row.racer.figures) if row.racer else None,
    }
    if laps:
        facts["stats_basis"] = row.stats_basis
    return facts


def entry_list(page: EntryListPage) -> dict:
    return {
        **event_head(page.head, page.days),
        "classes": [
            {
                "class_name": one.class_name,
                "class_id": one.class_id,
                "declared": one.declared,
                "entries": [
                    {
                        "no": entry.number,
                        "name": entry.name,
                        "sort_name": entry.sort_name,
                        "transponder": entry.transponder,
                    }
                    for entry in one.entries
                ],
            }
            for one in page.classes
        ],
        "entries_total": page.stats.entries,
        "drivers_total": page.stats.drivers,
        "race_track": page.stats.race_track,
        "total_race_laps": page.stats.total_race_laps,
    }


def points(page: PointsPage) -> dict:
    return {
        **event_head(page.head, page.days),
        "panel_heading": page.panel_heading,
        "classes": [
            {
                "class_name": one.class_name,
                "class_id": one.class_id,
                "tie_breaker": one.tie_breaker,
                "columns": list(one.columns),
                "rows": [
                    {
                        "rank": row.rank,
                        "name": row.name,
                        "result": row.result,
                        "tie_breaker_text": row.tie_breaker_text,
                        "rounds": [
                            {
                                "points": cell.points,
                                "laps": cell.laps,
                                "time_s": seconds(cell.time_ms),
                                "status": cell.status,
                                "counted": cell.is_counted,
                                "raw": cell.raw,
                            }
                            for cell in row.rounds
                        ],
                    }
                    for row in one.rows
                ],
            }
            for one in page.classes
        ],
    }
