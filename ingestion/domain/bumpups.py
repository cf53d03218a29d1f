"""Bump-ups: who moved up from a lower main, and how sure that is.

A bump-up is one driver, by id, in a lower main that was over before the next higher main of the class
began. How many move up is read from the event itself (as many as did), never from a rule book; the rule
book's numbers only make us look twice. What does not fit is flagged for a person, not asserted.
Evidence, strongest first: the heat sheet's "Bump-Up", a finish among those who moved with the grid
pattern of moving up, the finish alone, the grid alone (a result is missing).
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

from ingestion.domain.ladder import (
    Ladder,
    MainRace,
    Start,
    is_last_chance,
    ladders,
    leg,
    ran_before,
)

OFFICIAL, HIGH, MEDIUM, LOW = "official", "high", "medium", "low"
CONFIDENT = frozenset({OFFICIAL, HIGH})

# IFMAR sub-finals move 3 to 4, semis 4 to 5 and two fastest losers, clubs 2 to 4. More makes us look twice.
MOST_FROM_A_MAIN = 7


@dataclass(frozen=True, slots=True)
class Move:
    """One driver's way from a lower main into a higher one. Positions and slots count from 1.

    `flags` says why a person should look; a flagged move is not asserted. `direct` counts the direct
    qualifiers above, `beaten` those of them the driver finished in front of.
    """

    lower_id: Hashable
    upper_id: Hashable
    driver_id: Hashable
    class_name: str
    lower_position: int | None
    lower_slot: int | None
    upper_position: int | None
    upper_slot: int | None
    upper_laps: int
    confidence: str
    flags: tuple[str, ...] = ()
    evidence: dict = field(default_factory=dict)
    direct: int = 0
    beaten: int = 0
    moved_again_to: Hashable | None = None
    name: str = ""

    @property
    def is_flagged(self) -> bool:
        return bool(self.flags)

    @property
    def upper_dns(self) -> bool:
        return self.upper_laps == 0


@dataclass(frozen=True, slots=True)
class Step:
    """Two mains of a class and who moved between them."""

    class_name: str
    lower: MainRace
    upper: MainRace
    moves: tuple[Move, ...]
    direct: tuple[Start, ...]
    stayed: tuple[Hashable, ...]
    legs: tuple[Hashable, ...] = ()

    @property
    def asserted(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if not move.is_flagged)

    @property
    def places(self) -> int:
        """How many moved up, as the event itself shows."""
        return max((m.lower_position or 0 for m in self.asserted), default=0)


@dataclass(frozen=True, slots=True)
class Detection:
    steps: tuple[Step, ...]

    @property
    def moves(self) -> list[Move]:
        return [move for step in self.steps for move in step.asserted]

    @property
    def flagged(self) -> list[Move]:
        return [move for step in self.steps for move in step.moves if move.is_flagged]


@dataclass(slots=True)
class _Source:
    """A lower main, or the legs of one, as a single finishing order."""

    races: list[MainRace]
    upper: MainRace | None = None  # set where only one main is fed (last chance)

    @property
    def last(self) -> MainRace:
        return self.races[-1]

    def order(self) -> dict[Hashable, tuple[int | None, Start]]:
        """Driver -> finishing position and line; over legs the best results but one, summed."""
        if len(self.races) == 1:
            return {s.driver_id: (s.position, s) for s in self.races[0].starts}
        got: dict[Hashable, list[Start]] = {}
        for race in self.races:
            for start in race.starts:
                got.setdefault(start.driver_id, []).append(start)
        counted = max(len(self.races) - 1, 1)

        def points(driver: Hashable) -> tuple:
            places = sorted(s.position or 999 for s in got[driver])
            return sum(places[:counted]), places[0], got[driver][-1].position or 999

        ranked = sorted(got, key=lambda d: (*points(d), str(d)))
        return {driver: (n, got[driver][-1]) for n, driver in enumerate(ranked, start=1)}


def detect(races: Iterable[MainRace]) -> Detection:
    """All moves of one event, whatever order the races come in.

    Races that are no mains may be among them: their numbers show that nothing is missing in between.
    """
    races = list(races)
    steps: list[Step] = []
    for ladder in ladders(races):
        steps += [cautious(step, races) for step in steps_of(ladder)]
    steps.sort(key=lambda s: (s.class_name, str(s.lower.race_id), str(s.upper.race_id)))
    return Detection(steps=tuple(linked(steps)))


def steps_of(ladder: Ladder) -> list[Step]:
    steps: list[Step] = []
    usual = 0
    ranks = sorted(ladder.tiers)
    for rank in ranks:
        if rank == ranks[-1] and not ladder.last_chances:
            break
        uppers = ladder.tiers[rank]
        below = ladder.tiers.get(rank + 1, [])
        chances = [_Source([race], upper) for race, upper in ladder.last_chances if upper in uppers]
        found = moves_into(ladder, uppers, [*sources_of(below), *chances])
        steps += found
        usual = usual or max((step.places for step in found), default=0)
        steps += skipped(ladder, rank)
        steps += guessed(ladder, uppers, below, usual)
    return steps


def cautious(step: Step, races: list[MainRace]) -> Step:
    """Nothing is sure while a race between the two mains is missing: it may have been a way up, too."""
    lower, upper = step.lower, step.upper
    if lower.number is None or upper.number is None or lower.round != upper.round:
        return step
    between = {r.number: r for r in races if r.round == upper.round and r.number is not None}
    for number in range(lower.number + 1, upper.number):
        race = between.get(number)
        if race is None or (not race.starts and is_last_chance(race)):
            sure = (
                replace(m, confidence=MEDIUM) if m.confidence == HIGH else m for m in step.moves
            )
            return replace(step, moves=tuple(sure))
    return step


def sources_of(tier: list[MainRace]) -> list[_Source]:
    """Races of one rank: legs driven by the same people count as one main, others stand side by side."""
    sources: list[_Source] = []
    for race in tier:
        people = {s.driver_id for s in race.starts}
        for source in sources:
            same = people & {s.driver_id for s in source.races[0].starts}
            if leg(race) and people and len(same) * 2 > len(people):
                source.races.append(race)
                break
        else:
            sources.append(_Source([race]))
    return sources


def moves_into(ladder: Ladder, uppers: list[MainRace], sources: list[_Source]) -> list[Step]:
    """Moves from each lower main into this rank. Of several ways up, a driver took the last."""
    came_from: dict[Hashable, _Source] = {}
    for source in sources:
        for start in (s for race in source.races for s in race.starts):
            held = came_from.get(start.driver_id)
            if held is None or ran_before(held.last, source.last):
                came_from[start.driver_id] = source
    taken: dict[tuple[int, Hashable], list[Start]] = {}
    targets: dict[Hashable, MainRace | None] = {}
    for upper in uppers:
        for start in upper.starts:
            origin = came_from.get(start.driver_id)
            if origin is None or start.driver_id in targets:
                continue
            if origin.upper not in (None, upper):
                continue
            if not ran_before(origin.last, upper):
                # In the higher main already: a later leg is no way up.
                targets[start.driver_id] = None
                continue
            targets[start.driver_id] = upper
            taken.setdefault((sources.index(origin), upper.race_id), []).append(start)
    # Places handed out per lower main; side by side they should agree.
    handed = {n: sum(len(v) for (m, _), v in taken.items() if m == n) for n in range(len(sources))}
    beside = [c for n, c in handed.items() if c and sources[n].upper is None]
    moved = {driver for driver, upper in targets.items() if upper is not None}
    # With a result of this rank missing, whom we take for a direct qualifier may have come from there.
    is_whole = all(race.starts for source in sources for race in source.races)
    steps = []
    for (n, upper_id), starts in sorted(
        taken.items(), key=lambda item: (item[0][0], str(item[0][1]))
    ):
        upper = next(race for race in uppers if race.race_id == upper_id)
        fewest = handed[n] if sources[n].upper else min(beside)
        step = step_between(
            ladder, sources[n], upper, starts, moved, handed[n], fewest, is_whole=is_whole
        )
        steps.append(step)
    return steps


def step_between(
    ladder: Ladder,
    source: _Source,
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
    crowd = sum(1 for position, start in order.values() if not start.is_dns)
    too_many = places > MOST_FROM_A_MAIN or (
        places > 2 and not direct and len(order) <= places and source.upper is None
    )
    moves = []
    for start in starts:
        position, below = order[start.driver_id]
        is_official = start.slot is not None and start.slot in upper.official_slots
        flags = []
        if not is_official:
            if upper.official_slots and start.slot is not None:
                flags.append("The heat sheet does not mark this grid slot as a bump-up.")
            if position is None or position > places:
                flags.append(f"Finished {position or 'unplaced'} below, but {places} moved up.")
            if is_whole and stands_among(start, direct):
                flags.append(f"Grid slot {start.slot} is one of the direct qualifiers'.")
            if below.is_dns:
                flags.append("Did not start the lower main.")
            if too_many:
                flags.append(f"{places} of {crowd} moved up, more than any rule gives.")
        if is_official:
            confidence = OFFICIAL
        elif flags:
            confidence = LOW
        elif fits and len(source.races) == 1 and (position or 999) <= fewest:
            confidence = HIGH
        else:
            confidence = MEDIUM
        moves.append(
            Move(
                lower_id=source.last.race_id,
                upper_id=upper.race_id,
                driver_id=start.driver_id,
                class_name=ladder.class_name,
                lower_position=position,
                lower_slot=below.slot,
                upper_position=start.position,
                upper_slot=start.slot,
                upper_laps=start.laps,
                confidence=confidence,
                flags=tuple(flags),
                direct=len(direct),
                beaten=sum(1 for s in direct if (s.position or 999) > (start.position or 999)),
                name=start.name or below.name,
                evidence={
                    "official": is_official,
                    "places": places,
                    "finish": position,
                    "grid_slot": start.slot,
                    "grid_fits": fits,
                    "legs": len(source.races),
                    "last_chance": source.upper is not None,
                },
            )
        )
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


def grid_fits(
    starts: list[Start], direct: tuple[Start, ...], order: dict[Hashable, tuple[int | None, Start]]
) -> bool:
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


def skipped(ladder: Ladder, rank: int) -> list[Step]:
    """Drivers of a main two or more ranks below: somebody must look, a main may be missing."""
    uppers = ladder.tiers[rank]
    between = {s.driver_id for race in ladder.tiers.get(rank + 1, []) for s in race.starts}
    between |= {s.driver_id for race, _ in ladder.last_chances for s in race.starts}
    steps: list[Step] = []
    seen: set[Hashable] = set()
    for lower_rank in sorted(r for r in ladder.tiers if r > rank + 1):
        for lower in ladder.tiers[lower_rank]:
            order = {s.driver_id: s for s in lower.starts}
            for upper in uppers:
                moves = []
                for start in upper.starts:
                    below = order.get(start.driver_id)
                    if below is None or start.driver_id in between | seen:
                        continue
                    if not ran_before(lower, upper):
                        continue
                    seen.add(start.driver_id)
                    moves.append(
                        Move(
                            lower_id=lower.race_id,
                            upper_id=upper.race_id,
                            driver_id=start.driver_id,
                            class_name=ladder.class_name,
                            lower_position=below.position,
                            lower_slot=below.slot,
                            upper_position=start.position,
                            upper_slot=start.slot,
                            upper_laps=start.laps,
                            confidence=LOW,
                            flags=(
                                "Skips a main: the one in between is missing or was not driven.",
                            ),
                            evidence={"finish": below.position, "grid_slot": start.slot},
                            name=start.name or below.name,
                        )
                    )
                if moves:
                    steps.append(Step(ladder.class_name, lower, upper, tuple(moves), (), ()))
    return steps


def guessed(
    ladder: Ladder, uppers: list[MainRace], below: list[MainRace], usual: int
) -> list[Step]:
    """The lower main is on the list but its result is missing: only the grid hints who came from it.

    The hint is the heat sheet's mark, or the last slots of a full grid, as many as moved further up.
    """
    if len(below) != 1 or below[0].starts:
        return []
    steps = []
    for upper in (race for race in uppers if race.starts):
        slots = set(upper.official_slots)
        if not slots and usual:
            grid = sorted(s.slot for s in upper.starts if s.slot is not None)
            slots = set(grid[-usual:]) if len(grid) == len(upper.starts) > 2 * usual else set()
        moves = tuple(
            Move(
                lower_id=below[0].race_id,
                upper_id=upper.race_id,
                driver_id=start.driver_id,
                class_name=ladder.class_name,
                lower_position=None,
                lower_slot=None,
                upper_position=start.position,
                upper_slot=start.slot,
                upper_laps=start.laps,
                confidence=LOW,
                flags=("The lower main's result is missing: only the grid suggests it.",),
                evidence={
                    "official": start.slot in upper.official_slots,
                    "grid_slot": start.slot,
                    "places": usual,
                },
                name=start.name,
            )
            for start in sorted(upper.starts, key=lambda s: s.slot or 0)
            if start.slot in slots
        )
        if moves:
            steps.append(Step(ladder.class_name, below[0], upper, moves, (), ()))
    return steps


def linked(steps: list[Step]) -> list[Step]:
    """Each asserted move knows the main its driver moved up to from there."""
    onward = {
        (race_id, move.driver_id): move.upper_id
        for step in steps
        for move in step.asserted
        for race_id in step.legs
    }
    return [
        replace(
            step,
            moves=tuple(
                replace(move, moved_again_to=onward.get((move.upper_id, move.driver_id)))
                for move in step.moves
            ),
        )
        for step in steps
    ]
