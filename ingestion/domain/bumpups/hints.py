"""What is only hinted at: a main that was skipped, a lower main without a result."""

from collections.abc import Hashable

from ingestion.domain.bumpups.moves import LOW, Move, Step
from ingestion.domain.ladder import Ladder, MainRace, Start, ran_before


def skipped(ladder: Ladder, rank: int) -> list[Step]:
    """Drivers of a main two or more ranks below: somebody must look, a main may be missing."""
    uppers = ladder.tiers[rank]
    between = {s.driver_id for race in ladder.tiers.get(rank + 1, []) for s in race.starts}
    between |= {s.driver_id for race, _ in ladder.last_chances for s in race.starts}
    steps: list[Step] = []
    seen: set[Hashable] = set()
    for lower in (r for n in sorted(ladder.tiers) if n > rank + 1 for r in ladder.tiers[n]):
        order = {s.driver_id: s for s in lower.starts}
        for upper in (race for race in uppers if ran_before(lower, race)):
            moves = []
            for start in upper.starts:
                below = order.get(start.driver_id)
                if below is not None and start.driver_id not in between | seen:
                    seen.add(start.driver_id)
                    moves.append(_skipping(ladder, lower, below, upper, start))
            if moves:
                steps.append(Step(ladder.class_name, lower, upper, tuple(moves), (), ()))
    return steps


def _skipping(ladder: Ladder, lower: MainRace, below: Start, upper: MainRace, start: Start) -> Move:
    return Move(
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
        flags=("Skips a main: the one in between is missing or was not driven.",),
        evidence={"finish": below.position, "grid_slot": start.slot},
        name=start.name or below.name,
    )


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
