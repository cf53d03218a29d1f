"""Every number in a text must be traceable: to a fact, or to the answer's own workout.

Unit-aware ("85 min" is not met by 85 points), rounding-aware (72.46 may be written 72.5 or 72),
and label-aware ("readiness of 85" must be the readiness, even when some other fact is 85).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from coaching.domain.missions.checks import words
from coaching.domain.missions.checks.said import Day, Problem, Said
from coaching.domain.missions.facts import Fact

# Unit as written -> (dimension, factor to the dimension's base unit).
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "s": ("time", 1 / 60), "sec": ("time", 1 / 60), "second": ("time", 1 / 60),
    "min": ("time", 1), "minute": ("time", 1), "h": ("time", 60), "hr": ("time", 60),
    "hour": ("time", 60), "m": ("length", 1), "metre": ("length", 1), "meter": ("length", 1),
    "km": ("length", 1000), "kilometre": ("length", 1000), "kilometer": ("length", 1000),
    "mi": ("length", 1609.344), "mile": ("length", 1609.344),
    "w": ("power", 1), "watt": ("power", 1), "bpm": ("rate", 1), "ms": ("interval", 1),
    "kg": ("mass", 1), "%": ("share", 1), "percent": ("share", 1),
    "point": ("points", 1), "pt": ("points", 1), "day": ("days", 1), "week": ("days", 7),
    "stage": ("stages", 1), "breakaway": ("stages", 1), "tss": ("load", 1), "load": ("load", 1),
    "rpm": ("cadence", 1), "kcal": ("energy", 1), "year": ("years", 1), "lap": ("laps", 1),
    "rep": ("reps", 1), "set": ("reps", 1), "am": ("clock", 1), "pm": ("clock", 1),
    "o'clock": ("clock", 1), "interval": ("reps", 1), "times": ("reps", 1),
}  # fmt: skip
SMALL: Final = 20

_ONES: Final = "one|two|three|four|five|six|seven|eight|nine"

_UNIT: Final = "|".join(
    re.escape(name) + ("s?" if len(name) > 2 and name[-1] not in "s%" else "")
    for name in sorted(_UNITS, key=len, reverse=True)
)
_NUMBER = re.compile(
    rf"""
    (?<![\w.,:/-])(?P<minus>(?:minus|negative)\s+|[-−+])?
    (?P<value>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:[.,]\d+)?)
    (?P<unit>\s?%|[\s-]?(?:{_UNIT})(?![\w]))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# The second half of a range ("60-75 min") and of a product ("3x8") is a number of its own.
_AFTER = re.compile(
    rf"(?<=\d)\s*(?:[-–—/:]|to|x|×)\s*(?P<value>\d+(?:[.,]\d+)?)(?P<unit>\s?%|[\s-]?(?:{_UNIT})(?!\w))?",
    re.IGNORECASE,
)
_MINUS_BEFORE = re.compile(r"\b(?:minus|negative)\s+$", re.IGNORECASE)
_UNIT_AFTER = re.compile(rf"[\s-](?:{_UNIT})(?!\w)", re.IGNORECASE)
# 'three and a half hours', 'half an hour', 'an hour and a half': value and unit in words.
_AND_A_HALF = re.compile(
    rf"\b(?P<value>\d+|{_ONES}|ten)\s+and\s+a\s+half(?P<unit>\s(?:{_UNIT})(?!\w))?"
    rf"|\ban?\s(?P<one>{_UNIT})\s+and\s+a\s+half\b",
    re.IGNORECASE,
)
_PART_OF = re.compile(
    rf"(?<!and\sa\s)\b(?P<share>three[\s-]quarters|quarter|half)\s(?:of\s)?(?:an?\s)?(?P<unit>{_UNIT})(?!\w)",
    re.IGNORECASE,
)
_SHARES: Final = {"half": 0.5, "quarter": 0.25, "three": 0.75}
# Comparisons in words: no fact says by how much, so nobody can look them up.
_COMPARED = re.compile(
    r"\b(?:doubled|tripled|quadrupled|halved)\b"
    r"|\bby\s+(?:an?\s|one\s|two\s)?(?:half|third|quarter|fifth|tenth)s?\b"
    r"|\b(?:half|quarter)\s+past\s+\w+|\bquarter\s+to\s+(?:ten|eleven|twelve|one|two|three|four|five|six|seven|eight|nine)\b"
    r"|[¼½¾⅓⅔]",
    re.IGNORECASE,
)
_FORTNIGHT = re.compile(r"\bfortnight\b", re.IGNORECASE)
_ZONE = re.compile(r"\b(?:zone\s*|Z)(\d+)\b", re.IGNORECASE)
_ZONE_WORD = re.compile(rf"\bzone\s+({_ONES})\b", re.IGNORECASE)
_FACT_ID = re.compile(r"\bF(\d+)\b")
_MONTH: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})[a-z]*\.?(?:,?\s+\d{{4}})?\b"
    rf"|\b(?:{_MONTH})[a-z]*\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b", re.IGNORECASE)
_SCALE_UNIT = re.compile(r"of (\d+)")
_ON_SCALE = re.compile(r"\d\s*(?:/|(?:out\s+)?of)\s*(?P<top>\d+)")


@dataclass(frozen=True, slots=True)
class Token:
    """A number as it stands in a text: value, decimals shown, unit, and where."""

    text: str
    value: float
    decimals: int
    unit: str
    start: int
    end: int
    is_word: bool = False


def tokens(text: str) -> Iterator[Token]:
    """The numbers of a text, dates and fact ids left out (they have checks of their own)."""
    blank = text
    for pattern in (words.DAY_IN_WORDS, _DATE, _FACT_ID, _ZONE, _ZONE_WORD):
        blank = pattern.sub(lambda m: " " * len(m.group()), blank)
    for _value, _written, start, end in words.bare_days(blank):
        blank = blank[:start] + " " * (end - start) + blank[end:]
    for match in _NUMBER.finditer(blank):
        yield _token(match)
    for match in _AFTER.finditer(blank):
        yield _token(match)
    for match in _ORDINAL.finditer(blank):
        yield Token(match.group(), float(match.group(1)), 0, "", match.start(), match.end())
    for token in _fractions(blank):
        blank = blank[: token.start] + " " * (token.end - token.start) + blank[token.end :]
        yield token
    for found in words.spelled_numbers(blank):
        spelled = _word_token(found, blank)
        if spelled is not None:
            yield spelled


def _fractions(text: str) -> list[Token]:
    """Halves, quarters and fortnights; they overlap with no other number in words."""
    found = []
    for match in _AND_A_HALF.finditer(text):
        word = (match["value"] or "one").lower()
        value = float(word) if word.isdigit() else words.VALUES[word]
        unit = _unit_of(match["unit"] or match["one"])
        found.append(Token(match.group(), value + 0.5, 1, unit, *match.span()))
    for match in _PART_OF.finditer(text):
        if _UNITS[_unit_of(match["unit"])] in (("time", 1), ("time", 1 / 60)):
            continue  # 'half a minute' is a way of saying soon
        share = _SHARES[re.split(r"[\s-]", match["share"].lower())[0]]
        found.append(Token(match.group(), share, 2, _unit_of(match["unit"]), *match.span()))
    for match in _FORTNIGHT.finditer(text):
        found.append(Token(match.group(), 14, 0, "day", *match.span()))
    return found


def _token(match: re.Match[str]) -> Token:
    raw = match.group("value")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", raw):
        raw = raw.replace(",", "")
    raw = raw.replace(",", ".")
    value = float(raw)
    minus = match.groupdict().get("minus") or ""
    if minus and not minus.startswith("+"):
        value = -value
    decimals = len(raw.partition(".")[2])
    return Token(
        match.group().strip(), value, decimals, _unit_of(match.group("unit")),
        match.start(), match.end(),
    )  # fmt: skip


def _word_token(found: words.Spelled, text: str) -> Token | None:
    """'forty-five minutes' is a number; a bare 'one' or 'two' is a way of speaking."""
    after = _UNIT_AFTER.match(text, found.end)
    unit = _unit_of(after.group() if after else None)
    if not unit and found.value < 11:
        return None
    before = _MINUS_BEFORE.search(text[: found.start])
    start, end = before.start() if before else found.start, after.end() if after else found.end
    value = -found.value if before else found.value
    return Token(text[start:end], value, 0, unit, start, end, is_word=True)


def _unit_of(written: str | None) -> str:
    name = (written or "").strip(" -").lower()
    if name in _UNITS:
        return name
    return name.removesuffix("s") if name.removesuffix("s") in _UNITS else ""


# -- the check -------------------------------------------------------------------------------


def check_numbers(said: Said, day: Day) -> list[Problem]:
    problems: list[Problem] = []
    ids = {fact.id for fact in day.facts}
    for fact_id in said.used_facts:
        if fact_id not in ids:
            problems.append(Problem("unknown_fact", "used_facts", f"There is no fact {fact_id}."))
    for where, written in said.texts.items():
        text = words.unmasked(written)
        for match in _FACT_ID.finditer(text):
            if match.group() not in ids:
                problems.append(
                    Problem("unknown_fact", where, f"There is no fact {match.group()}.")
                )
        problems += _check_zones(where, text, said, day)
        for match in _COMPARED.finditer(text):
            message = f"{match.group()!r} is in none of the facts; leave it out."
            problems.append(Problem("unknown_number", where, message))
        for token in {(t.start, t.end): t for t in tokens(text)}.values():
            problem = _check_token(token, where, text, said, day)
            if problem is not None:
                problems.append(problem)
    return problems


def _check_zones(where: str, text: str, said: Said, day: Day) -> Iterator[Problem]:
    allowed = set(said.workout.zones if said.workout else ())
    for fact in day.facts:
        allowed |= {int(z) for z in _ZONE.findall(str(fact.value)) if isinstance(fact.value, str)}
    zones = [int(z) for z in _ZONE.findall(text)]
    zones += [words.VALUES[word.lower()] for word in _ZONE_WORD.findall(text)]
    for zone in zones:
        if zone not in allowed:
            yield Problem(
                "unknown_number", where, f"Zone {zone} is in none of the workout's blocks."
            )


def _check_token(token: Token, where: str, text: str, said: Said, day: Day) -> Problem | None:
    if _is_planned_stage(token, text, day):
        return None  # which day that stage is on is a question of dates
    if _is_scale(token, text, day.facts):
        return None
    bound = _bound_facts(token, text, day.facts)
    if bound:
        if any(_fits(token, fact) for fact in bound):
            return None
        known = "; ".join(f"{fact.id} {fact.label} is {fact.shown()}" for fact in bound)
        return Problem("wrong_number", where, f"{token.text!r} does not agree: {known}.")
    if any(_fits(token, fact) and not _is_chance(token, fact) for fact in day.facts):
        return None
    is_ordinal = _ORDINAL.fullmatch(token.text) is not None  # minutes are not counted as '10th'
    if said.workout is not None and not is_ordinal and _fits_workout(token, said):
        return None
    return Problem(
        "unknown_number",
        where,
        f"{token.text!r} is in none of the facts and not in the workout; leave it out.",
    )


def _is_planned_stage(token: Token, text: str, day: Day) -> bool:
    """'stage 4' or '4th stage' of the plan."""
    named = re.search(r"\bstage\s*(?:number\s*)?$", text[: token.start], re.IGNORECASE)
    counted = re.match(r"\s*stage\b", text[token.end :], re.IGNORECASE) and not token.unit
    return bool(named or counted) and day.plan.number(int(token.value)) is not None


def _is_scale(token: Token, text: str, facts: Iterable[Fact]) -> bool:
    """The 100 of '62 of 100' or '62/100': the top of a scale some fact is measured on."""
    tops = {float(found[1]) for fact in facts if (found := _SCALE_UNIT.fullmatch(fact.unit))}
    return token.value in tops and any(
        match.end("top") == token.end for match in _ON_SCALE.finditer(text)
    )


def _is_chance(token: Token, fact: Fact) -> bool:
    """A small bare number that only rounding makes equal to a fact says something else."""
    if token.unit or not isinstance(fact.value, int | float):
        return False
    return abs(token.value) < SMALL and not token.decimals and float(fact.value) != token.value


def _bound_facts(token: Token, text: str, facts: Iterable[Fact]) -> list[Fact]:
    """The facts whose own word stands right beside the number."""
    before = text[max(0, token.start - 60) : token.start].lower()
    after = text[token.end : token.end + 24].lower()
    found = []
    for fact in facts:
        if token.unit and token.unit in {name.lower() for name in fact.names}:
            found.append(fact)  # '85 TSS': the unit is the fact's own word
            continue
        for name in fact.names:
            word = re.escape(name.lower())
            filler = r"(?:\s|score|value|level|number|is|was|of|at|just|only|still|around|about|near|now|today|[:=(,]|down to|up to)*"
            is_before = re.search(rf"\b{word}\b{filler}$", before)
            is_after = re.match(rf"\s*(?:of|for|in)?\s*\(?{word}\b", after)
            if is_before or is_after:
                found.append(fact)
                break
    return found


def _fits(token: Token, fact: Fact) -> bool:
    """Does the token show this fact, within the rounding it displays and in its own dimension?"""
    if isinstance(fact.value, bool) or not isinstance(fact.value, int | float):
        return isinstance(fact.value, str) and _stands_in(token, fact.value)
    value, shown = float(fact.value), token.value
    own = _UNITS.get(_unit_of(fact.unit.split()[0] if fact.unit else ""))
    asked = _UNITS.get(token.unit)
    if asked is not None:
        if own is None:
            if fact.unit or not _is_label_unit(token, fact):
                return False
        elif asked[0] != own[0]:
            return False
        else:
            value = value * own[1] / asked[1]
    return abs(value - shown) <= 0.5 * 10**-token.decimals + 1e-9


def _is_label_unit(token: Token, fact: Fact) -> bool:
    """A fact without unit may be written with its own word as the unit: '3 stages', '40 TSS'."""
    return any(_unit_of(name) == token.unit or token.unit in name.lower() for name in fact.names)


def _stands_in(token: Token, text: str) -> bool:
    """Is the same number, with the same unit, inside a fact that is a text?"""
    return any(
        other.value == token.value and (not token.unit or other.unit == token.unit)
        for other in tokens(words.unmasked(text))
        if not other.is_word
    )


def _fits_workout(token: Token, said: Said) -> bool:
    workout = said.workout
    assert workout is not None
    minutes = {workout.minutes, *(block.minutes for block in workout.blocks)}
    by_zone: dict[int, int] = {}
    for block in workout.blocks:
        by_zone[block.zone] = by_zone.get(block.zone, 0) + block.minutes
    minutes |= set(by_zone.values())
    asked = _UNITS.get(token.unit)
    if asked is None:
        return not token.unit and token.value in {float(m) for m in minutes}
    if asked[0] == "time":
        return any(
            abs(m / asked[1] - token.value)
            <= 0.5 * 10**-token.decimals * (token.decimals > 0) + 1e-9
            for m in minutes
        )
    if asked[0] == "reps":
        return token.value in (len(workout.blocks), *_repeats(said))
    return False


def _repeats(said: Said) -> list[int]:
    """How often the same block stands in the workout: '3 intervals' of 8 min in zone 4."""
    assert said.workout is not None
    blocks = list(said.workout.blocks)
    return [blocks.count(block) for block in set(blocks)]
