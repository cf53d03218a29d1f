"""Days told by where they stand: 'next Saturday', 'this weekend'.

People read 'next Saturday' in two ways, so it passes only with its date beside it; a week or a
weekend passes unless it is said to hold the event and does not.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from coaching.domain.missions.checks.said import Day, Problem

_DAY: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_UNCLEAR = re.compile(
    rf"\b(?:next|last|coming|following|past|previous|this)\s+(?:{_DAY})\b"
    rf"|\b(?:{_DAY})\s+(?:week|fortnight|after\s+next|before\s+last)\b"
    rf"|\b(?:a|one|two)\s+weeks?\s+(?:on|from)\s+(?:{_DAY}|today|tomorrow)\b",
    re.IGNORECASE,
)
_DATE_BESIDE = re.compile(
    r"\d{4}-\d{2}-\d{2}|\b\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}\b",
    re.IGNORECASE,
)
_NEAR: Final = 24
_SPAN = re.compile(
    r"\b(?P<which>this|next|last|the\s+coming|in\s+a)\s+(?P<unit>weekend|week|month)\b",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"\b(?:race|event|tour|start\s+line|grand\s+depart|big\s+day|stages?)\b", re.IGNORECASE
)
_PREPARES = re.compile(
    r"\b(?:for|before|after|to|until|towards)\s+(?:the|your)\s+\w+", re.IGNORECASE
)


def check_relative(where: str, text: str, day: Day) -> Iterator[Problem]:
    for match in _UNCLEAR.finditer(text):
        around = text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
        if not _DATE_BESIDE.search(around):
            yield Problem(
                "wrong_date",
                where,
                f"{match.group()!r} can be read as two days: name the date, or leave it out.",
            )
    days = _event_days(day)
    spoken = _PREPARES.sub("", text)  # 'next week we rest for the race' places the rest
    if not days or not _EVENT.search(spoken):
        return
    for match in _SPAN.finditer(text):
        first, last = _span(match["which"].lower(), match["unit"].lower(), day.today)
        if not any(first <= on <= last for on in days):
            told = ", ".join(sorted(on.isoformat() for on in days)[:2])
            message = f"{match.group()!r}: the event's days are {told}."
            yield Problem("wrong_date", where, message)


def _event_days(day: Day) -> set[date]:
    days = {stage.on for stage in day.plan.stages}
    days |= {
        fact.value
        for fact in day.facts
        if fact.key in ("event_start", "event_end") and isinstance(fact.value, date)
    }
    return days


def _span(which: str, unit: str, today: date) -> tuple[date, date]:
    """First and last day meant; generous where people differ ('next weekend')."""
    monday = today - timedelta(days=today.weekday())
    if unit == "month":
        step = {"last": -31, "next": 31}.get(which, 0)
        middle = today.replace(day=15) + timedelta(days=step)
        if which == "in a":
            return today + timedelta(days=24), today + timedelta(days=38)
        first = middle.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if which == "in a":
        return today + timedelta(days=5), today + timedelta(days=9)
    weeks = {"last": (-1, -1), "next": (0, 1) if unit == "weekend" else (1, 1)}.get(which, (0, 0))
    first = monday + timedelta(weeks=weeks[0], days=5 if unit == "weekend" else 0)
    return first, monday + timedelta(weeks=weeks[1], days=6)
