"""All moves of an event: each rank of each ladder with the mains below it, and what is unsure."""

from collections.abc import Hashable, Iterable
from dataclasses import replace

from ingestion.domain.bumpups.evidence import step_between
from ingestion.domain.bumpups.hints import guessed, skipped
from ingestion.domain.bumpups.moves import HIGH, MEDIUM, Detection, Step
from ingestion.domain.bumpups.sources import Source, sources_of
from ingestion.domain.ladder import (
    Ladder,
    MainRace,
    Start,
    is_last_chance,
    ladders,
    ran_before,
)


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
        chances = [Source([race], upper) for race, upper in ladder.last_chances if upper in uppers]
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


def moves_into(ladder: Ladder, uppers: list[MainRace], sources: list[Source]) -> list[Step]:
    """Moves from each lower main into this rank. Of several ways up, a driver took the last."""
    came_from: dict[Hashable, Source] = {}
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
