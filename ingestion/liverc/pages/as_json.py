"""What was read, as plain data: the field names of recorded pages' expected values, times in seconds.

Used by `manage.py parse_page` and by the tests over recorded pages.
"""

import hashlib
import json
from dataclasses import asdict
from datetime import date, datetime
from statistics import fmean, pstdev
from typing import Any, cast

from ingestion.liverc import addresses as kinds
from ingestion.liverc.pages import practice_day as practice_day_page
from ingestion.liverc.pages._html import Days, Head, seconds
from ingestion.liverc.pages.bot_check import SERVED_STATUS, BotCheckPage
from ingestion.liverc.pages.catalogue import CataloguePage
from ingestion.liverc.pages.dashboard import DashboardPage
from ingestion.liverc.pages.entry_list import EntryListPage
from ingestion.liverc.pages.event import EventPage, PageLink
from ingestion.liverc.pages.events import EventsPage
from ingestion.liverc.pages.points import PointsPage
from ingestion.liverc.pages.practice_day import PracticeDayPage
from ingestion.liverc.pages.practice_month import PracticeMonthPage
from ingestion.liverc.pages.practice_session import PracticeSessionPage
from ingestion.liverc.pages.race import RacePage, Result


def to_expected(kind: str, page: object) -> dict:
    """The JSON of one page. Kinds without recorded pages come out field by field."""
    shape: Any = _SHAPES.get(kind)
    body = shape(page) if shape else _plain(asdict(cast(Any, page)))
    return {**_head(getattr(page, "head", None)), "type": kind, **body}


def _head(head: Head | None) -> dict:
    if head is None:
        return {}
    return {"page_title": head.title, "h1": head.h1, "h3": head.h3, "h5": head.h5}


def _event_head(head: Head, covers: Days | None) -> dict:
    return {
        "event_name": head.h3,
        "event_date_text": covers.text if covers else head.h5,
        "event_start": _iso(covers.start) if covers else None,
        "event_end": _iso(covers.end) if covers else None,
    }


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name not in ("head", "kind")}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _iso(value) if isinstance(value, date) else value


def _catalogue(page: CataloguePage) -> dict:
    tracks = [
        {
            "slug": one.slug,
            "host": one.host,
            "name": one.name,
            "data_href": one.data_href,
            "event_label": one.event_label,
            "age_text": one.age_text,
            "video": one.has_video,
            "status": one.status,
            "featured": one.is_featured,
        }
        for one in page.tracks
    ]
    return {"tracks": tracks, "count": len(tracks)}


def _dashboard(page: DashboardPage) -> dict:
    return {
        "track_name": page.track_name,
        "panels": [asdict(one) for one in page.panels],
        "address_lines": list(page.address_lines),
        "website": page.website,
        "lifetime": page.lifetime,
        "map_query": page.map_query,
        "logo_url": page.logo_url,
    }


def _events(page: EventsPage) -> dict:
    events = [
        {
            "event_id": one.event_id,
            "name": one.name,
            "url": one.url,
            "sort_datetime": one.sort_datetime,
            "date_text": one.days.text,
            "start": _iso(one.days.start),
            "end": _iso(one.days.end),
            "entries": one.entries,
            "drivers": one.drivers,
        }
        for one in page.events
    ]
    return {"events": events, "count": len(events)}


def _event(page: EventPage) -> dict:
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
            "completed_local": _iso(race.completed_local),
            "run_order": race.run_order,
        }
        for race in page.races
    ]
    return {
        "track_name": page.head.h1,
        **_event_head(page.head, page.days),
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


def _race(page: RacePage) -> dict:
    rows = [(row, _result(row)) for row in page.results]
    raced = [row for row in page.results if row.racer and row.racer.laps]
    return {
        "track_name": page.head.h1,
        **_event_head(page.head, page.days),
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


def _entry_list(page: EntryListPage) -> dict:
    return {
        **_event_head(page.head, page.days),
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


def _points(page: PointsPage) -> dict:
    return {
        **_event_head(page.head, page.days),
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


def _practice_month(page: PracticeMonthPage) -> dict:
    return {
        "months": [
            {"value": one.value, "text": one.text, "selected": one.is_selected}
            for one in page.months
        ],
        "days": [
            {"date": _iso(one.date), "text": one.text, "url": one.url, "sessions": one.sessions}
            for one in page.days
        ],
        "panel_headings": list(page.panel_headings),
        "empty_message": page.has_empty_message,
    }


def _practice_day(page: PracticeDayPage) -> dict:
    rows = page.sessions
    names = {row.driver_name for row in rows}
    return {
        "sessions": [
            {
                "session_id": row.session_id,
                "url": row.url,
                "driver_name": row.driver_name,
                "class_name": row.class_name,
                "transponder": row.transponder,
                "start_local": row.start_local.isoformat(sep=" ") if row.start_local else None,
                "start_text": row.start_text,
                "laps": row.laps,
                "length_text": row.length_text,
                "length_s": row.length_s,
                "fast_s": seconds(row.fast_ms),
                "avg_s": seconds(row.avg_ms),
            }
            for row in rows
        ],
        "date": _iso(page.date),
        "stats": asdict(page.stats) if page.stats else None,
        "laps_by_class": [{"label": one.label, "data": one.laps} for one in page.laps_by_class],
        "leaderboard": [
            {
                "label": one.label,
                "session_id": one.session_id,
                "fast_s": seconds(one.fast_ms),
                "driver_name": one.driver_name,
            }
            for one in page.leaderboard
        ],
        "computed": {
            "sessions": len(rows),
            "laps": sum(row.laps for row in rows),
            "length_s": sum(row.length_s or 0 for row in rows),
            "names": len(names),
            "known_names": len(names - {practice_day_page.UNKNOWN_DRIVER}),
            "classes": len({row.class_name for row in rows}),
            "transponders": len({row.transponder for row in rows if row.transponder}),
        },
    }


def _practice_session(page: PracticeSessionPage) -> dict:
    valid = [lap.ms for lap in page.laps if not lap.is_starred]
    return {
        "driver_name": page.driver_name,
        "class_name": page.class_name,
        "transponder": page.transponder,
        "session_time": page.session_time,
        "date": _iso(page.date),
        "start_local": _iso(page.start_local),
        "end_local": _iso(page.end_local),
        **({"crosses_midnight": True} if page.crosses_midnight else {}),
        "length_s": page.length_s,
        "num_laps": page.num_laps,
        "fastest_s": seconds(page.fastest_ms),
        "top3_consecutive_s": seconds(page.top3_consecutive_ms),
        "averages": page.averages,
        "valid_range_text": page.valid_range_text,
        "valid_range_s": (
            [seconds(limit) for limit in page.valid_range_ms] if page.valid_range_ms else None
        ),
        "laps": [
            {
                "lap": lap.number,
                "time": seconds(lap.ms),
                "starred": lap.is_starred,
                "fast": lap.is_fast,
            }
            for lap in page.laps
        ],
        "graph": [
            {
                "lap": one.number,
                "time": seconds(one.ms),
                "crossed_local": _iso(one.crossed_local),
                "valid": one.is_valid,
            }
            for one in page.crossings
        ],
        "lap_count": len(page.laps),
        "lap_sum_s": seconds(sum(lap.ms for lap in page.laps)),
        "check": {
            "avg": round(fmean(valid) / 1000, 3) if valid else None,
            "pstdev": round(pstdev(valid) / 1000, 3) if valid else None,
            "sum_floor": sum(valid) // 1000,
        },
    }


def _bot_check(page: BotCheckPage) -> dict:
    return {
        "is_data_page": False,
        "page_title": page.page_title,
        "served_status": list(SERVED_STATUS),
    }


_SHAPES = {
    kinds.CATALOGUE: _catalogue,
    kinds.DASHBOARD: _dashboard,
    kinds.EVENTS: _events,
    kinds.EVENT: _event,
    kinds.RACE: _race,
    kinds.ENTRY_LIST: _entry_list,
    kinds.POINTS: _points,
    kinds.PRACTICE_MONTH: _practice_month,
    kinds.PRACTICE_DAY: _practice_day,
    kinds.PRACTICE_SESSION: _practice_session,
    kinds.BOT_CHECK: _bot_check,
}


def content_hash(kind: str, page: object) -> str:
    """SHA-256 of what was read: the same for pages that differ in assets, footers or white space."""
    facts = to_expected(kind, page)
    facts.pop("page_title", None)
    plain = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
