"""The mains of an event as ladders to look at: who finished where, and who moved up."""

from dataclasses import dataclass

from ingestion.domain.ladder import MainRace, ladders, short_name
from ingestion.models import BumpUp, Driver
from ingestion.queries.bumpups import bump_ups_of_event, mains_of


@dataclass(frozen=True, slots=True)
class Place:
    """One driver in one main. `moved_up` is the standing move out of it, `came_by` the one into it."""

    driver: Driver
    position: int | None
    is_dns: bool
    moved_up: BumpUp | None
    came_by: BumpUp | None


@dataclass(frozen=True, slots=True)
class Main:
    race_id: int
    label: str
    name: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class ClassLadder:
    """A class from its lowest main up, with every move people may look at."""

    key: str
    name: str
    mains: tuple[Main, ...]
    moves: tuple[BumpUp, ...]

    @property
    def standing(self) -> int:
        return sum(move.is_standing for move in self.moves)

    @property
    def doubtful(self) -> int:
        return sum(move.status == BumpUp.Status.FLAGGED for move in self.moves)


def ladders_of(event_id: int) -> list[ClassLadder]:
    """Classes with more than one rung, those where somebody moved first; in six queries."""
    mains = mains_of([event_id])[event_id]
    moves = list(bump_ups_of_event(event_id))
    drivers = Driver.objects.in_bulk({s.driver_id for race in mains for s in race.starts})
    out = {(m.source_race_id, m.driver_id): m for m in moves if m.is_standing}
    into = {(m.target_race_id, m.driver_id): m for m in moves if m.is_standing}
    found = []
    for ladder in ladders(mains):
        races = [race for rank in sorted(ladder.tiers, reverse=True) for race in ladder.tiers[rank]]
        chances = [race for race, _ in ladder.last_chances]
        if len(ladder.tiers) < 2 and not chances:
            continue
        top = len(ladder.tiers[min(ladder.tiers)])
        races = [*races[: len(races) - top], *chances, *races[len(races) - top :]]
        ids = {race.race_id for race in races}
        found.append(
            ClassLadder(
                key=ladder.key,
                name=ladder.class_name,
                mains=tuple(_main(race, drivers, out, into) for race in races),
                moves=tuple(m for m in moves if m.target_race_id in ids),
            )
        )
    return sorted(found, key=lambda one: (not one.moves, one.name))


def _main(race: MainRace, drivers, out, into) -> Main:
    places = [
        Place(
            driver=drivers[start.driver_id],
            position=start.position,
            is_dns=start.is_dns,
            moved_up=out.get((race.race_id, start.driver_id)),
            came_by=into.get((race.race_id, start.driver_id)),
        )
        for start in sorted(race.starts, key=lambda s: (s.position or 999, str(s.driver_id)))
    ]
    return Main(
        race_id=int(str(race.race_id)),
        label=race.label,
        name=short_name(race.label),
        places=tuple(places),
    )
