"""What all pages have in common as data: dates as text, the head of an event."""

from datetime import date, datetime

from ingestion.liverc.pages._html import Days, Head


def iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def plain(value):
    """Nested facts, less the head and the kind that every page has anyway."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if name not in ("head", "kind")}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return iso(value) if isinstance(value, date) else value


def event_head(head: Head, covers: Days | None) -> dict:
    return {
        "event_name": head.h3,
        "event_date_text": covers.text if covers else head.h5,
        "event_start": iso(covers.start) if covers else None,
        "event_end": iso(covers.end) if covers else None,
    }
