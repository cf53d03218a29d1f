"""The ladder of a class: which mains it had, which lies above which, and in what order they ran.

Letters (B-Main under A-Main), legs (A1 to A3 are one main), fractions (1/16 … semi … final, even and
odd side by side) and the last chance qualifier. Label forms: LiveRC event pages of 2024 to 2026.
"""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import log2

from ingestion.domain.labels import class_key, read_label, read_link_text

_WORD_FINAL = re.compile(
    r"^(?P<class>.*?)\s*\b(?:(?P<word>semi|quarter|eighth|main|grand|1/(?P<of>\d{1,3}))[ -]*)?finals?"
    r"(?:\s+(?P<branch>[A-H]|even|odd|\d))?$",
    re.IGNORECASE,
)
_WORD_SEMI = re.compile(
    r"^(?P<class>.*?)\s*\bsemi(?:s|\s+(?P<branch>[A-H]|even|odd|\d))?(?:\s*\((?:even|odd)\))?$",
    re.IGNORECASE,
)
_LETTER_FINAL = re.compile(
    r"^(?P<class>.*?)\s*\b(?P<main>[A-H])(?P<leg>\d)?[ -]Finals?$", re.IGNORECASE
)
_LAST_CHANCE = re.compile(
    r"\s*\b(?:last[ -]chance[ -]qualifiers?|LCQ)\b\s*|\s*\blast[ -]chance$", re.IGNORECASE
)
_NOT_A_MAIN = re.compile(r"^\s*(?:practice|qualif|seeding)", re.IGNORECASE)
_PRACTICE_CLASS = re.compile(r"\bpractice$", re.IGNORECASE)
_WORDS = {"semi": 2, "quarter": 4, "eighth": 8, "main": 1, "grand": 1}

# Two entries of one race list are posted within this; a derived start is no sharper.
CLOCK_SLACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Start:
    """One line of a result: who, from which grid slot, how it ended. No laps: did not start."""

    driver_id: Hashable
    position: int | None = None
    slot: int | None = None
    laps: int = 0
    name: str = ""

    @property
    def is_dns(self) -> bool:
        return self.laps == 0


@dataclass(frozen=True, slots=True)
class MainRace:
    """A race as far as it is known. Without `starts` it is on the list, but its result is missing.

    `official_slots` are the grid slots the heat sheet marks "Bump-Up". Times may be of any zone, if all
    are of the same.
    """

    race_id: Hashable
    label: str
    class_name: str = ""
    round: str = ""
    number: int | None = None
    completed_at: datetime | None = None
    length: timedelta | None = None
    session_type: str | None = None
    starts: tuple[Start, ...] = ()
    official_slots: frozenset[int] = frozenset()

    @property
    def started_at(self) -> datetime | None:
        if self.completed_at is None or self.length is None:
            return None
        return self.completed_at - self.length


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a label stands: 0 is the top (A-Main, 1/1 final), each step down one more."""

    class_name: str
    rank: int
    leg: int = 0
    is_last_chance: bool = False


@dataclass(slots=True)
class Ladder:
    """The mains of one class by rank, each rank in running order."""

    key: str
    class_name: str
    tiers: dict[int, list[MainRace]] = field(default_factory=dict)
    last_chances: list[tuple[MainRace, MainRace]] = field(default_factory=list)


@lru_cache(maxsize=8192)
def read_rung(label: str) -> Rung | None:
    """The rung a label names, or None for heats and anything that is no main."""
    words = read_link_text(label).label
    read = read_label(words)
    if read.heat is not None:
        return None
    if read.main:
        found = Rung(read.class_name, ord(read.main) - ord("A"), read.leg or 0)
    elif read.final:
        found = Rung(read.class_name, rank_of_fraction(read.final))
    elif match := _LETTER_FINAL.match(words):
        found = Rung(match["class"], ord(match["main"].upper()) - ord("A"), int(match["leg"] or 0))
    elif match := _WORD_FINAL.match(words):
        of = int(match["of"]) if match["of"] else _WORDS.get((match["word"] or "main").lower(), 1)
        found = Rung(match["class"], rank_of_fraction(of))
    elif match := _WORD_SEMI.match(words):
        found = Rung(match["class"], rank_of_fraction(2))
    elif _LAST_CHANCE.search(words):
        found = Rung(words, 0)
    else:
        return None
    if _PRACTICE_CLASS.search(found.class_name):
        return None
    if match := _WORD_SEMI.match(found.class_name):
        # Semis entered as classes of their own: 'Buggy Semi A (Even) A-Main'.
        return Rung(match["class"].strip(), rank_of_fraction(2))
    if _LAST_CHANCE.search(found.class_name):
        name = _LAST_CHANCE.sub(" ", found.class_name).strip()
        return Rung(name, 0, is_last_chance=True)
    return found


def short_name(label: str) -> str:
    """What a main is called within its class: '1/8 Nitro Buggy B-Main' -> 'B-Main'."""
    words = " ".join(read_link_text(label).label.split())
    rung = read_rung(words)
    if rung is None or rung.is_last_chance:
        return words
    return words.removeprefix(rung.class_name).strip() or words


def rank_of_fraction(of: int) -> int:
    """1/1 is the top, a semi one below, a quarter two …"""
    return max(round(log2(of)), 0) if of else 0


def is_main_round(name: str) -> bool:
    """'Main Events' and whatever else is neither practice, seeding nor qualifying."""
    return not _NOT_A_MAIN.match(name)


def is_main(race: MainRace) -> bool:
    """Mains only: what the round or the session type calls practice or qualifying is none."""
    if race.session_type not in (None, "", "race") or not is_main_round(race.round):
        return False
    return read_rung(race.label) is not None


def is_last_chance(race: MainRace) -> bool:
    found = read_rung(race.label)
    return found is not None and found.is_last_chance


def running_order(races: Iterable[MainRace]) -> list[MainRace]:
    """By race number when all have one, else by completion, else lower mains first."""
    races = list(races)
    if all(race.number is not None for race in races) and one_sequence(races):
        return sorted(races, key=lambda r: (r.number, str(r.race_id)))
    if all(race.completed_at is not None for race in races):
        return sorted(races, key=lambda r: (r.completed_at, -rank(r), leg(r), str(r.race_id)))
    return sorted(races, key=lambda r: (-rank(r), leg(r), str(r.race_id)))


def one_sequence(races: list[MainRace]) -> bool:
    """Numbers restart in every round: they order races of one round only."""
    numbers = [race.number for race in races]
    return len({race.round for race in races}) <= 1 and len(set(numbers)) == len(numbers)


def rank(race: MainRace) -> int:
    found = read_rung(race.label)
    return found.rank if found else 0


def leg(race: MainRace) -> int:
    found = read_rung(race.label)
    return found.leg if found else 0


def ran_before(lower: MainRace, upper: MainRace) -> bool:
    """Was the lower main over before the higher one began? Order first, then the clock.

    A clock that contradicts the order wins: the answer is no. Neither known: labels say yes.
    """
    if lower.completed_at is not None and upper.completed_at is not None:
        if lower.completed_at > upper.completed_at:
            return False
        if not in_order(lower, upper) and lower.completed_at == upper.completed_at:
            return False
        started = upper.started_at
        if started is not None and lower.completed_at > started + CLOCK_SLACK:
            # A race that was stopped early began later than its full length says.
            return in_order(lower, upper)
        return True
    if lower.number is None or upper.number is None or lower.round != upper.round:
        return True
    return lower.number < upper.number


def in_order(lower: MainRace, upper: MainRace) -> bool:
    return (
        lower.number is not None
        and upper.number is not None
        and lower.round == upper.round
        and lower.number < upper.number
    )


def ladders(races: Iterable[MainRace]) -> list[Ladder]:
    """One ladder per class, with last chance qualifiers attached to the main they feed."""
    mains = running_order(race for race in races if is_main(race))
    found: dict[str, Ladder] = {}
    last_chances: list[tuple[MainRace, str]] = []
    nameless: list[tuple[MainRace, int]] = []
    for race in mains:
        rung = read_rung(race.label)
        if rung is None:
            continue
        if rung.is_last_chance:
            last_chances.append((race, class_key(rung.class_name)))
            continue
        # The label's own class: a short label carries the class as the long one does.
        name = rung.class_name
        if not name:
            nameless.append((race, rung.rank))
            continue
        key = class_key(name)
        ladder = found.setdefault(key, Ladder(key=key, class_name=race.class_name or name))
        ladder.tiers.setdefault(rung.rank, []).append(race)
    for race, of_rank in nameless:
        target = fed_by(race, "", found, mains)
        if target is not None and of_rank > 0:
            target[0].tiers.setdefault(of_rank, []).append(race)
    for race, named in last_chances:
        target = fed_by(race, named, found, mains)
        if target is not None:
            ladder, upper = target
            ladder.last_chances.append((race, upper))
    return [found[key] for key in sorted(found)]


def fed_by(
    race: MainRace, named: str, found: dict[str, Ladder], mains: list[MainRace]
) -> tuple[Ladder, MainRace] | None:
    """The class and main that a last chance qualifier, or a semi without a class of its own, feeds.

    Its own name if it says a class; else the class most of its drivers raced in; else, when no race
    is missing in between, the class whose main comes next.
    """
    after = mains[mains.index(race) + 1 :]
    drivers = {start.driver_id for start in race.starts}
    if named in found:
        candidates = [found[named]]
    else:
        shares = {
            key: len(drivers & people_of(ladder)) / len(drivers) if drivers else 0
            for key, ladder in found.items()
        }
        best = max(shares, key=lambda key: (shares[key], key), default=None)
        if best is not None and shares[best] >= 0.5:
            candidates = [found[best]]
        else:
            candidates = list(found.values()) if is_unbroken(race, after) else []
    for upper in after:
        for ladder in candidates:
            if any(upper in tier for tier in ladder.tiers.values()):
                return (ladder, upper) if ran_before(race, upper) else None
    return None


def people_of(ladder: Ladder) -> set[Hashable]:
    return {start.driver_id for tier in ladder.tiers.values() for r in tier for start in r.starts}


def is_unbroken(race: MainRace, after: list[MainRace]) -> bool:
    """Does the next main carry the next number? Without numbers we cannot say no."""
    if not after or race.number is None or after[0].number is None:
        return bool(after)
    return after[0].number == race.number + 1
