"""Dates and weekdays in a text must be the calendar's, and belong to this mission."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from coaching.domain.missions.checks import words
from coaching.domain.missions.checks.relative import check_relative
from coaching.domain.missions.checks.said import Day, Problem, Said

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT: Final = {name[:3]: index for index, name in enumerate(WEEKDAYS)} | {
    "tues": 1, "weds": 2, "thur": 3, "thurs": 3,
}  # fmt: skip
_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH: Final = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + "|sept"

_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTH})\b\.?(?:,?\s+(\d{{4}}))?",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*(?:min|h|km|w)\b)(?:,?\s+(\d{{4}}))?",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b")
_WEEKDAY = re.compile(
    rf"\b({'|'.join(WEEKDAYS)}|mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)(?:'s|s)?\b(?!-)",
    re.IGNORECASE,
)
_RELATIVE: Final = {
    "the day after tomorrow": 2, "the day before yesterday": -2, "today": 0, "this morning": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1,
}  # fmt: skip
_RELATIVE_RE = re.compile(rf"\b({'|'.join(_RELATIVE)})\b", re.IGNORECASE)
_STAGE = re.compile(
    rf"\bstage\s*(?:number\s*)?(\d{{1,2}}|{'|'.join(words.VALUES)})\b", re.IGNORECASE
)
_AMBIGUOUS: Final = {"sun", "sat", "mon", "wed", "fri", "thu", "tue"}
_NEAR: Final = 24


def check_dates(said: Said, day: Day) -> list[Problem]:
    known = _known_dates(day)
    problems: list[Problem] = []
    for where, text in said.texts.items():
        for sentence in re.split(r"(?<=[.!?;])\s+|\n+", words.in_digits(words.unmasked(text))):
            problems += _check_sentence(where, sentence, day, known)
            problems += check_relative(where, sentence, day)
    return problems


def _known_dates(day: Day) -> set[date]:
    known = {day.today, *day.calendar, *day.plan.rest_days}
    known |= {stage.on for stage in day.plan.stages}
    for fact in day.facts:
        known |= {value for value in (fact.as_of, fact.value) if isinstance(value, date)}
        if isinstance(fact.value, str):
            known |= {found for found, *_ in _dates(fact.value, day.today) if found}
    return known


def _dates(text: str, today: date) -> Iterator[tuple[date | None, str, int, int]]:
    """(date or None when impossible, as written, start, end); a missing year is the nearest."""
    for match in _ISO.finditer(text):
        yield (_date(match[1], match[2], match[3]), match[0], *match.span())
    for match in _DAY_MONTH.finditer(text):
        yield (_nearest(match[3], match[2], match[1], today), match[0], *match.span())
    for match in _MONTH_DAY.finditer(text):
        yield (_nearest(match[3], match[1], match[2], today), match[0], *match.span())


def _date(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _nearest(year: str | None, month: str, day: str, today: date) -> date | None:
    number = next(i for i, n in enumerate(_MONTHS, 1) if n.startswith(month.lower()[:3]))
    if year:
        return _date(year, number, day)
    near = [_date(str(y), number, day) for y in (today.year - 1, today.year, today.year + 1)]
    possible = [found for found in near if found]
    return min(possible, key=lambda found: abs(found - today), default=None)


def _bare_dates(
    text: str, today: date, known: set[date]
) -> Iterator[tuple[date | None, str, int, int]]:
    """'on the ninth': the nearest such day the mission knows, else the nearest there is."""
    for number, written, start, end in words.bare_days(text):
        near = [today + timedelta(days=days) for days in range(-62, 63)]
        possible = [found for found in near if found.day == number]
        best = min(possible, key=lambda d: (d not in known, abs(d - today)), default=None)
        yield best, written, start, end


def _stage_number(written: str) -> int:
    return int(written) if written.isdigit() else words.VALUES[written.lower()]


class _Named(NamedTuple):
    """A day a sentence speaks of: which, how it is written, and where in the text."""

    on: date
    written: str
    start: int
    end: int

    def is_near(self, start: int, end: int) -> bool:
        return self.start - end <= _NEAR and start - self.end <= _NEAR


def _check_sentence(where: str, text: str, day: Day, known: set[date]) -> Iterator[Problem]:
    dates = [*_dates(text, day.today), *_bare_dates(text, day.today, known)]
    relatives = [
        _Named(
            day.today + timedelta(days=_RELATIVE[match[1].lower()]), match.group(), *match.span()
        )
        for match in _RELATIVE_RE.finditer(text)
    ]
    stages = [
        _Named(stage.on, match.group(), *match.span())
        for match in _STAGE.finditer(text)
        if (stage := day.plan.number(_stage_number(match[1]))) is not None
    ]
    possible = [_Named(found, written, start, end) for found, written, start, end in dates if found]
    for match in _STAGE.finditer(text):
        if day.plan.stages and day.plan.number(_stage_number(match[1])) is None:
            yield Problem("wrong_stage", where, f"The plan has no {match.group()!r}.")
    if _SLASHED.search(text):
        yield Problem("wrong_date", where, "Write dates as 2026-06-06, or leave them out.")
    for found, written, *_span in dates:
        if found is None:
            yield Problem("wrong_date", where, f"{written!r} is no date of the calendar.")
        elif found not in known:
            yield Problem("wrong_date", where, f"{written!r} is no date of this mission.")
    anchors = [*possible, *relatives, *stages]
    allowed = {other.weekday() for other in known if abs((other - day.today).days) <= 7}
    yield from _check_weekdays(where, text, anchors, allowed)
    yield from _check_relatives(where, relatives, possible, stages)


def _check_weekdays(
    where: str, text: str, anchors: list[_Named], allowed: set[int]
) -> Iterator[Problem]:
    """A weekday is that of a day named beside it; alone, one the facts speak of."""
    for match in _WEEKDAY.finditer(text):
        # "sat" and "sun" are also words; as weekdays they are written with a capital.
        if match[1].lower() in _AMBIGUOUS and not match[1][0].isupper():
            continue
        index = _SHORT[match[1].lower()[:3]]
        near = [anchor for anchor in anchors if anchor.is_near(*match.span())]
        wrong = [anchor for anchor in near if anchor.on.weekday() != index]
        if wrong and len(wrong) == len(near):
            yield Problem(
                "wrong_weekday",
                where,
                f"{match.group()!r} beside {wrong[0].written!r}: that day is a {wrong[0].on:%A}.",
            )
        elif not near and index not in allowed:
            yield Problem(
                "wrong_weekday", where, f"{match.group()!r} is no day the facts speak of."
            )


def _check_relatives(
    where: str, relatives: list[_Named], dates: list[_Named], stages: list[_Named]
) -> Iterator[Problem]:
    """'Tomorrow' beside a date or a stage is the day of it."""
    for told in relatives:
        span = (told.start, told.end)
        for other in dates:
            if other.is_near(*span) and other.on != told.on:
                yield Problem(
                    "wrong_date",
                    where,
                    f"{told.written!r} is {told.on.isoformat()}, not {other.written!r}.",
                )
        for stage in stages:
            if stage.is_near(*span) and stage.on != told.on:
                yield Problem(
                    "wrong_stage",
                    where,
                    f"{stage.written!r} is on {stage.on.isoformat()}, not {told.written.lower()}.",
                )
