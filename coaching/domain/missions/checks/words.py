"""Numbers and dates written in words: 'twelve hundred', 'an hour and a half', 'the fifth of June'."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ONES: Final = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS: Final = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
VALUES: Final[dict[str, int]] = (
    {"zero": 0}
    | {word: value for value, word in enumerate([*_ONES, *_TEENS], start=1)}
    | {word: 10 * value for value, word in enumerate(_TENS, start=2)}
)
_TIMES: Final = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}

_WORD: Final = "|".join(sorted([*VALUES, *_TIMES], key=len, reverse=True))
_RUN = re.compile(rf"\b(?:{_WORD})\b(?:[\s-]+(?:and\s+)?(?:{_WORD})\b)*", re.IGNORECASE)
_PART = re.compile(rf"\b(?:{_WORD})\b", re.IGNORECASE)

_TO_TWENTY: Final[dict[str, int]] = {
    word: value
    for value, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"],
        start=1,
    )
}  # fmt: skip
_ORDINALS: Final[dict[str, int]] = (
    _TO_TWENTY
    | {f"twenty-{word}": 20 + value for word, value in list(_TO_TWENTY.items())[:9]}
    | {"thirtieth": 30, "thirty-first": 31}
)
_ORDINAL: Final = "|".join(
    word.replace("-", r"[\s-]") for word in sorted(_ORDINALS, key=len, reverse=True)
)
_MONTH: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
)
_DAY_OF_MONTH = re.compile(rf"\b({_ORDINAL})(\s+(?:of\s+)?(?:{_MONTH}))\b", re.IGNORECASE)
_MONTH_THE_DAY = re.compile(rf"\b({_MONTH})\s+(?:the\s+)?({_ORDINAL})\b", re.IGNORECASE)

DAY_IN_WORDS = re.compile(
    rf"\b(?:{_ORDINAL})\s+(?:of\s+)?(?:{_MONTH})\b|\b(?:{_MONTH})\s+(?:the\s+)?(?:{_ORDINAL})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number in words and where it stands."""

    value: float
    start: int
    end: int


def spelled_numbers(text: str) -> Iterator[Spelled]:
    """'twelve hundred' is 1200, 'one hundred and five' is 105, 'one seventy' is two numbers."""
    for run in _RUN.finditer(text):
        found: Spelled | None = None
        for part in _PART.finditer(run.group()):
            word = part.group().lower()
            start, end = run.start() + part.start(), run.start() + part.end()
            value = None if found is None else _joined(int(found.value), word)
            if found is not None and value is not None:
                found = Spelled(value, found.start, end)
                continue
            if found is not None:
                yield found
            found = Spelled(_TIMES.get(word, VALUES.get(word, 0)), start, end)
        if found is not None:
            yield found


def _joined(value: int, word: str) -> int | None:
    """The number that `word` makes of the one before it; None when it begins a new number."""
    if word in _TIMES:
        high, low = divmod(value, 1000) if _TIMES[word] < 1000 else (0, value)
        return high * 1000 + low * _TIMES[word] if low else None
    more = VALUES[word]
    if value and more and ((value % 100 == 0) or (value % 10 == 0 and value % 100 > 10 > more)):
        return value + more
    return None


def in_digits(text: str) -> str:
    """The text with days of a month in figures: 'the fifth of June' becomes 'the 5th of June'."""

    def day(word: str) -> str:
        return f"{_ORDINALS['-'.join(re.split(r'[ -]', word.lower()))]}th"

    text = _DAY_OF_MONTH.sub(lambda m: day(m[1]) + m[2], text)
    return _MONTH_THE_DAY.sub(lambda m: f"{m[1]} {day(m[2])}", text)


# -- a day without its month -----------------------------------------------------------------

_WEEKDAY: Final = "mon|tues|wednes|thurs|fri|satur|sun"
_NUMBERED: Final = rf"(?:\d{{1,2}}(?:st|nd|rd|th)|{_ORDINAL})"
# A noun after it would make it a count: 'on the second hard day', 'the ninth of your rides'.
_NO_NOUN: Final = (
    r"(?=\s*(?:$|[.,;:!?)])|\s+(?:and|or|but|you|we|it|there|the|is|are|was|comes?|brings?|will|with|if|when"
    r"|because|as|then|at|in|for|to|that)\b)"
)
BARE_DAY = re.compile(
    rf"\b(?:{_WEEKDAY})day,?\s+(?:the\s+)?(?P<beside>{_NUMBERED})(?!\s+(?:of\s+)?(?:{_MONTH})\b)"
    rf"|\b(?P<before>on|by|until|till|since|from|before|after|come)\s+the\s+(?P<day>{_NUMBERED}){_NO_NOUN}",
    re.IGNORECASE,
)
_OFTEN_COUNTS: Final = 4  # 'after the second, drink' speaks of pieces of work, not of days


def bare_days(text: str) -> Iterator[tuple[int, str, int, int]]:
    """(day of the month, as written, start, end) of 'on the ninth' and 'Tuesday the 9th'."""
    for match in BARE_DAY.finditer(text):
        name = "beside" if match["beside"] else "day"
        written = match[name]
        is_figure = written[0].isdigit()
        value = (
            int(re.sub(r"\D", "", written))
            if is_figure
            else _ORDINALS["-".join(re.split(r"[\s-]", written.lower()))]
        )
        counts = name == "day" and match["before"].lower() in ("before", "after", "from")
        if not (counts and value <= _OFTEN_COUNTS):
            yield (value, f"the {written}", *match.span(name))


# -- Roman numerals, and figures in disguise -------------------------------------------------

# Enclosed, superscript and Roman characters are read as the digits and letters they show.
_DISGUISED: Final = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0x2160, 0x2180), *range(0x2460, 0x2474), *range(0x2070, 0x208A), 0xB2, 0xB3, 0xB9)
}  # fmt: skip
_CANONICAL: Final = r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_UNITS_AFTER: Final = (
    r"(?=[\s-]?(?:%|h|hours?|min|minutes?|s|seconds?|km|kilomet|m|met(?:re|er)s?|w|watts?|bpm|points?"
    r"|days?|weeks?|stages?|tss|kcal|laps?|kg|rpm|percent|of\s+\d)\b)"
)
_ROMAN = re.compile(
    rf"\b(?=[IVXL]{{2}})(?P<plain>(?:XC|XL|L?X{{0,3}})(?:IX|IV|V?I{{0,3}}))\b"
    rf"|\b(?P<counted>(?!I\b)(?=[MDCLXVI]){_CANONICAL})\b{_UNITS_AFTER}"
    rf"|\b(?P<small>(?=[ivxl]{{2}})(?:xc|xl|l?x{{0,3}})(?:ix|iv|v?i{{0,3}}))\b{_UNITS_AFTER}"
    rf"|(?<=\bstage\s)(?P<stage>{_CANONICAL.replace('M{0,3}', '')})(?=\b(?![a-z]))"
    rf"|(?<=\bzone\s)(?P<zone>[IV]{{1,3}})\b"
)
_ROMAN_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def _roman(written: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in written.upper()]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))


def unmasked(text: str) -> str:
    """The text with Roman numerals and enclosed or raised figures as plain digits."""
    text = text.translate(_DISGUISED)
    return _ROMAN.sub(lambda m: str(_roman(m[0])) if m[0] else "", text)
