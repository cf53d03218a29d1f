"""What may become of a stint, and why not: one table, and the conditions that go with each move."""

from typing import Final

from racecontrol.shared.errors import InvalidInput, NotFound, NotReady
from strategy.domain.live.log import Driven, Race, Status

# from -> where it may go
MOVES: Final[dict[Status, frozenset[Status]]] = {
    "planned": frozenset({"ready", "skipped"}),
    "ready": frozenset({"in_progress", "planned", "skipped"}),
    "in_progress": frozenset({"completed", "aborted"}),
    "completed": frozenset({"in_progress"}),  # taken back, while nobody drove after it
    "skipped": frozenset({"planned"}),  # taken back, while nobody drove after it
    "aborted": frozenset(),
}
WORDS: Final[dict[Status, str]] = {
    "planned": "planned", "ready": "ready", "in_progress": "under way", "completed": "completed",
    "skipped": "skipped", "aborted": "aborted",
}  # fmt: skip


class WrongMove(NotReady):
    code = "wrong_move"


def stint_of(race: Race, number: int) -> Driven:
    stint = next((s for s in race.driven if s.number == number), None)
    if stint is None:
        raise NotFound(f"There is no stint {number} in the plan.")
    return stint


def check_move(race: Race, number: int, to: Status) -> Driven:
    """The stint, if it may become `to` now. Raises WrongMove with what stands in the way."""
    stint = stint_of(race, number)
    if to not in MOVES:
        raise InvalidInput("There is no such state.", fields={"status": ["Unknown state."]})
    if to not in MOVES[stint.status]:
        raise WrongMove(f"Stint {number} is {WORDS[stint.status]}: it cannot become {WORDS[to]}.")
    if race.state == "finished" or (race.state == "scheduled" and to not in ("skipped", "planned")):
        raise WrongMove("The race is not on.")
    if to in ("ready", "in_progress") and stint.status != "completed":
        _is_next(race, stint)
    if to == "in_progress":
        _may_start(race, stint)
    elif to == "planned" and stint.status == "ready":
        if race.running is None:
            raise WrongMove(f"The car waits for stint {number}: skip it, or give it to another.")
    elif stint.status == "skipped" and any(s.start_ms is not None and s.number > number
                                           for s in race.driven):  # fmt: skip
        raise WrongMove(f"Somebody drove after stint {number}: it stays skipped.")
    elif to == "skipped" and len(race.coming) < 2 and race.running is None:
        raise WrongMove("It is the last stint: somebody has to drive it.")
    return stint


def _is_next(race: Race, stint: Driven) -> None:
    first = next((s for s in race.driven if s.status in ("planned", "ready")), None)
    if first is None or first.number != stint.number:
        raise WrongMove(f"Stint {first.number if first else '?'} comes before it.")


def _may_start(race: Race, stint: Driven) -> None:
    if race.state != "racing":
        raise WrongMove("The first stint starts with the green flag.")
    under = race.neutral_at(race.now_ms)
    if under is not None and under.kind == "red":
        raise WrongMove("The race is red: nobody goes out.")
    if race.running is not None:
        raise WrongMove(f"Stint {race.running.number} is still under way: complete it first.")
    later = [s for s in race.driven if s.start_ms is not None and s.number > stint.number]
    if stint.status == "completed" and later:
        raise WrongMove(f"Stint {later[0].number} was driven after it: correct the log instead.")
