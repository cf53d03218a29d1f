"""The evidence for each move between two mains, weighed: how sure it is, and what speaks against it."""

from collections.abc import Hashable
from dataclasses import dataclass

from ingestion.domain.bumpups.moves import HIGH, LOW, MEDIUM, OFFICIAL, Move, Step
from ingestion.domain.bumpups.sources import Source
from ingestion.domain.ladder import Ladder, MainRace, Start

# IFMAR sub-finals move 3 to 4, semis 4 to 5 and two fastest losers, clubs 2 to 4. More makes us look twice.
MOST_FROM_A_MAIN = 7

Order = dict[Hashable, tuple[int | None, Start]]


@dataclass(frozen=True, slots=True)
class _Way:
    """One lower main's way into one higher main, with what every move along it is weighed by.

    `places` were handed out in the lower main, `fewest` in any that stands beside it.
    """

    source: Source
    upper: MainRace
    direct: tuple[Start, ...]
    order: Order
    places: int
    fewest: int
    fits: bool
    is_whole: bool

    @property
    def crowd(self) -> int:
        return sum(1 for _, start in self.order.values() if not start.is_dns)

    @property
    def has_too_many(self) -> bool:
        return self.places > MOST_FROM_A_MAIN or (
            self.places > 2
            and not self.direct
            and len(self.order) <= self.places
            and self.source.upper is None
        )

    def is_official(self, start: Start) -> bool:
        return start.slot is not None and start.slot in self.upper.official_slots


def step_between(
    ladder: Ladder,
    source: Source,
    upper: MainRace,
    starts: list[Start],
    moved: set[Hashable],
    places: int,
    fewest: int,
    *,
    is_whole: bool,
) -> Step:
    order = source.order()
    direct = tuple(s for s in upper.starts if s.driver_id not in moved)
    fits = grid_fits(starts, direct, order)
    way = _Way(source, upper, direct, order, places, fewest, fits, is_whole)
    moves = [_move(way, start, ladder.class_name) for start in starts]
    moves.sort(key=lambda m: (m.lower_position or 999, str(m.driver_id)))
    gone = {start.driver_id for start in starts}
    return Step(
        class_name=ladder.class_name,
        lower=source.last,
        upper=upper,
        moves=tuple(moves),
        direct=direct,
        stayed=tuple(driver for driver in order if driver not in gone),
        legs=tuple(race.race_id for race in source.races),
    )


def _move(way: _Way, start: Start, class_name: str) -> Move:
    position, below = way.order[start.driver_id]
    flags = doubts(way, start)
    return Move(
        lower_id=way.source.last.race_id,
        upper_id=way.upper.race_id,
        driver_id=start.driver_id,
        class_name=class_name,
        lower_position=position,
        lower_slot=below.slot,
        upper_position=start.position,
        upper_slot=start.slot,
        upper_laps=start.laps,
        confidence=confidence(way, start, is_doubtful=bool(flags)),
        flags=flags,
        direct=len(way.direct),
        beaten=sum(1 for s in way.direct if (s.position or 999) > (start.position or 999)),
        name=start.name or below.name,
        evidence={
            "official": way.is_official(start),
            "places": way.places,
            "finish": position,
            "grid_slot": start.slot,
            "grid_fits": way.fits,
            "legs": len(way.source.races),
            "last_chance": way.source.upper is not None,
        },
    )


def doubts(way: _Way, start: Start) -> tuple[str, ...]:
    """Why a person should look at this move; where the heat sheet marks it there is no doubt."""
    if way.is_official(start):
        return ()
    position, below = way.order[start.driver_id]
    found = []
    if way.upper.official_slots and start.slot is not None:
        found.append("The heat sheet does not mark this grid slot as a bump-up.")
    if position is None or position > way.places:
        found.append(f"Finished {position or 'unplaced'} below, but {way.places} moved up.")
    if way.is_whole and stands_among(start, way.direct):
        found.append(f"Grid slot {start.slot} is one of the direct qualifiers'.")
    if below.is_dns:
        found.append("Did not start the lower main.")
    if way.has_too_many:
        found.append(f"{way.places} of {way.crowd} moved up, more than any rule gives.")
    return tuple(found)


def confidence(way: _Way, start: Start, *, is_doubtful: bool) -> str:
    if way.is_official(start):
        return OFFICIAL
    if is_doubtful:
        return LOW
    position, _ = way.order[start.driver_id]
    is_high = way.fits and len(way.source.races) == 1 and (position or 999) <= way.fewest
    return HIGH if is_high else MEDIUM


def grid_fits(starts: list[Start], direct: tuple[Start, ...], order: Order) -> bool:
    """Those who moved stand behind the direct qualifiers, in their finishing order."""
    slots = [s.slot for s in starts if s.slot is not None]
    taken = [s.slot for s in direct if s.slot is not None]
    if len(slots) < len(starts) or len(taken) < len(direct):
        return False
    if taken and min(slots) <= max(taken):
        return False
    by_finish = sorted(starts, key=lambda s: order[s.driver_id][0] or 999)
    return [s.slot for s in by_finish] == sorted(slots)


def stands_among(start: Start, direct: tuple[Start, ...]) -> bool:
    """Does the driver start ahead of most direct qualifiers? Whoever moved up starts behind them."""
    slots = [s.slot for s in direct if s.slot is not None]
    if start.slot is None or len(slots) < 2:
        return False
    return sum(slot > start.slot for slot in slots) * 2 > len(slots)
