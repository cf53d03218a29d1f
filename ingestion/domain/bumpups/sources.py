"""Lower mains as places people come from: one race, or the legs of one main."""

from collections.abc import Hashable
from dataclasses import dataclass

from ingestion.domain.ladder import MainRace, Start, leg


@dataclass(slots=True)
class Source:
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


def sources_of(tier: list[MainRace]) -> list[Source]:
    """Races of one rank: legs driven by the same people count as one main, others stand side by side."""
    sources: list[Source] = []
    for race in tier:
        people = {s.driver_id for s in race.starts}
        for source in sources:
            same = people & {s.driver_id for s in source.races[0].starts}
            if leg(race) and people and len(same) * 2 > len(people):
                source.races.append(race)
                break
        else:
            sources.append(Source([race]))
    return sources
