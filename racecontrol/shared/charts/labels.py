"""Names in a drawing: how wide they are, how they are cut, how they keep apart."""

import unicodedata
from collections.abc import Callable, Sequence

from racecontrol.shared.units import format_ms

NARROW_LETTERS = set("ijltfrI.,:;'|!()[] ")
WIDE_LETTERS = set("mwMW@%—–")


def text_width(text: str, font: float) -> float:
    """About how wide the words are, rather too wide than too narrow, in the units of `font`.

    Measured on DejaVu Sans, the widest of the fonts our pages may be shown in.
    """
    return font * sum(_letter(letter) for letter in text)


def _letter(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.2
    if letter in NARROW_LETTERS:
        return 0.42
    if letter in WIDE_LETTERS:
        return 1.0
    return 0.78 if letter.isupper() else 0.64


def lap_clock(ms: float) -> str:
    """Milliseconds as people read lap times; the default of charts over time."""
    return format_ms(round(ms))


def is_clock(words: Callable[..., str]) -> bool:
    """Does this function write milliseconds? Then ticks stand at round seconds and minutes."""
    return words in (lap_clock, format_ms)


def fit(text: str, width: float, font: float) -> str:
    """The text, or as much of it as fits followed by an ellipsis; '' if not even one letter fits."""
    text = " ".join(text.split())
    if text_width(text, font) <= width:
        return text
    room = width - text_width("…", font)
    kept = ""
    for letter in text:
        room -= font * _letter(letter)
        if room < 0:
            break
        kept += letter
    return f"{kept.rstrip()}…" if kept.strip() else ""


def fit_names(names: Sequence[str], width: float, font: float) -> list[str]:
    """Names of people cut to fit: 'Dana Whitfield' is rather 'D. Whitfield' than 'Dana Whit…'.

    Where that would give two of them the same name they are cut at the end.
    """
    shown = [
        fit(name if text_width(name, font) <= width else initial_and_surname(name), width, font)
        for name in names
    ]
    return [
        short if shown.count(short) == 1 else fit(name, width, font)
        for name, short in zip(names, shown, strict=True)
    ]


def initial_and_surname(name: str) -> str:
    """Of what reads like a person's name; 'Fatigue (ATL)' or 'Trend at most' stay as they are."""
    first, *others = name.split() or [""]
    is_person = others and first[0].isalpha() and others[-1][0].isupper()
    return f"{first[0]}. {others[-1]}" if is_person else name


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in the same order, at least `gap` apart, within low … high.

    Where there is not room for that gap they stand evenly.
    """
    if not wanted:
        return []
    if len(wanted) > 1:
        gap = min(gap, (high - low) / (len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = [min(max(wanted[i], low), high) for i in order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    ceiling = high
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    spread_out = [0.0] * len(wanted)
    for i, place in zip(order, places, strict=True):
        spread_out[i] = round(place, 1)
    return spread_out
