"""Numbers and dates written in words: 'twelve hundred', 'an hour and a half', 'the fifth of June'."""

import re
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
