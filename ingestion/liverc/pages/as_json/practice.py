"""Practice: a month's days, a day's sessions, a session's laps."""

from dataclasses import asdict
from statistics import fmean, pstdev

from ingestion.liverc.pages._html import seconds
from ingestion.liverc.pages.as_json._common import iso
from ingestion.liverc.pages.practice_day import UNKNOWN_DRIVER, PracticeDayPage
from ingestion.liverc.pages.practice_month import PracticeMonthPage
from ingestion.liverc.pages.practice_session import PracticeSessionPage


def month(page: PracticeMonthPage) -> dict:
    return {
        "months": [
            {"value": one.value, "text": one.text, "selected": one.is_selected}
            for one in page.months
        ],
        "days": [
            {"date": iso(one.date), "text": one.text, "url": one.url, "sessions": one.sessions}
            for one in page.days
        ],
        "panel_headings": list(page.panel_headings),
        "empty_message": page.has_empty_message,
    }


def day(page: PracticeDayPage) -> dict:
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
        "date": iso(page.date),
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
            "known_names": len(names - {UNKNOWN_DRIVER}),
            "classes": len({row.class_name for row in rows}),
            "transponders": len({row.transponder for row in rows if row.transponder}),
        },
    }


def session(page: PracticeSessionPage) -> dict:
    valid = [lap.ms for lap in page.laps if not lap.is_starred]
    return {
        "driver_name": page.driver_name,
        "class_name": page.class_name,
        "transponder": page.transponder,
        "session_time": page.session_time,
        "date": iso(page.date),
        "start_local": iso(page.start_local),
        "end_local": iso(page.end_local),
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
                "crossed_local": iso(one.crossed_local),
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
