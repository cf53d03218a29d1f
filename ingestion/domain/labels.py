"""What race labels say: class, heat, main, leg, final.

Two forms stand on event pages, long `Race 14: Class (Class A-Main)` and short
`Race 11: Class A3-Main`. The class comes before the label in both, so the label is stripped from
the end, never matched against a class name. Formats: LiveRC event pages of 2024 to 2026.
"""

import re
from dataclasses import dataclass

_RACE_NUMBER = re.compile(r"\s*Race\s+(\d+)\s*:\s*", re.IGNORECASE)
_HEAT = re.compile(
    r"^(?P<class>.*?)\s*(?:\(\s*Heat\s+(?P<a>\d+)\s*(?:/\s*(?P<b>\d+))?\s*\)|\bHeat\s+(?P<c>\d+)(?:\s*/\s*(?P<d>\d+))?)$",
    re.IGNORECASE,
)
_MAIN = re.compile(r"^(?P<class>.*?)\s*\b(?P<main>[A-Z])(?P<leg>\d{1,2})?[ -]Main$", re.IGNORECASE)
_FINAL = re.compile(
    r"^(?P<class>.*?)\s*\b1/(?P<final>\d{1,3})(?:\s+(?P<branch>Even|Odd))?\s+Final$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Label:
    """A label taken apart. `final` 8 with `branch` Odd is an eighth final of the odd side."""

    class_name: str
    heat: int | None = None
    heats: int | None = None
    main: str | None = None
    leg: int | None = None
    final: int | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class LinkText:
    """What the link to a race says: its number in the round, its class and its label."""

    race_number: int | None
    class_name: str
    label: str


def read_label(text: str) -> Label:
    """Class and parts of a label; a label without known parts is all class."""
    words = " ".join(text.split())
    if found := _HEAT.match(words):
        return Label(
            class_name=found["class"] or words,
            heat=int(found["a"] or found["c"]),
            heats=_whole(found["b"] or found["d"]),
        )
    if found := _MAIN.match(words):
        return Label(
            class_name=found["class"] or words,
            main=found["main"].upper(),
            leg=_whole(found["leg"]),
        )
    if found := _FINAL.match(words):
        return Label(
            class_name=found["class"] or words,
            final=int(found["final"]),
            branch=found["branch"].title() if found["branch"] else None,
        )
    outer, inner = split_long_form(words)
    return Label(class_name=outer if inner else words)


def read_link_text(text: str) -> LinkText:
    """'Race 14: 1/8 Nitro Buggy (1/8 Nitro Buggy A-Main)' -> 14, '1/8 Nitro Buggy', '… A-Main'."""
    words = " ".join(text.split())
    number = _RACE_NUMBER.match(words)
    rest = words[number.end() :] if number else words
    outer, inner = split_long_form(rest)
    return LinkText(
        race_number=int(number[1]) if number else None,
        class_name=outer if inner else read_label(rest).class_name,
        label=inner or rest,
    )


def split_long_form(text: str) -> tuple[str, str | None]:
    """'Class (Class A-Main)' -> ('Class', 'Class A-Main'); anything else -> (text, None).

    The brackets may hold brackets of their own, as may the class: the long form is there when
    what the last closing bracket closes begins with what stands before it.
    """
    if not text.endswith(")"):
        return text, None
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            outer, inner = text[:at].strip(), text[at + 1 : -1].strip()
            if outer and inner.casefold().startswith(outer.casefold()):
                return outer, inner
            return text, None
    return text, None


def class_key(name: str) -> str:
    """One key for spellings of a class: '1/10 Buggy', '1-10 buggy' and '1/10  BUGGY' are one."""
    words = re.sub(r"\b1\s*[-/:]\s*(\d{1,2})(?:th)?\b", r"1/\1", name.casefold())
    return " ".join(words.split())


def person_key(name: str) -> str:
    """One key for spellings of a person's name: races shout it, practice does not."""
    return " ".join(name.casefold().split())


def _whole(text: str | None) -> int | None:
    return int(text) if text else None
