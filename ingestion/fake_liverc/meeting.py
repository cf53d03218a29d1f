"""How a race meeting runs: heats in rounds, seeding by the best rounds, mains from the bottom up."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from ingestion.fake_liverc.facts import Formula, Meeting, Race, Racer, Run, Track
from ingestion.fake_liverc.figures import laps_and_time
from ingestion.fake_liverc.simulate import run_race

BETWEEN_RACES = timedelta(seconds=185)
FIRST_START = time(7)
BUMP_UP = "Bump-Up"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round brought a driver: IFMAR points (0, 2, 3 …), or none when it has not been run."""

    points: int
    laps: int
    ms: int
    mark: str
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Standing:
    racer: Racer
    result: int
    tie: str
    rounds: tuple[Round, ...]

    @property
    def best(self) -> tuple[int, int]:
        """Most laps, then least time; sorts best first."""
        return min((-r.laps, r.ms) for r in self.rounds)

    @property
    def seed_result(self) -> str:
        laps, ms = self.best
        return laps_and_time(-laps, ms)


@dataclass(frozen=True, slots=True)
class Programme:
    """The order of the day for one meeting."""

    id: int
    track: Track
    name: str
    day: date
    classes: tuple[tuple[Formula, int], ...]
    rounds: int = 2
    counted: int = 1
    starts_at: time = time(9)
    days: int = 1
    practice_rounds: int = 0
    # What must happen in a main: (class, main) -> slots that do not start, slots that lose this many ms.
    absent: dict[tuple[str, str], frozenset[int]] | None = None
    crashes: dict[tuple[str, str], dict[int, int]] | None = None

    @property
    def last_day(self) -> date:
        return self.day + timedelta(days=self.days - 1)


def run_meeting(
    programme: Programme, *, paddock: list[Racer], seed: int, is_run: bool = True
) -> Meeting:
    """The whole meeting, race by race in running order; entries only while it lies ahead."""
    rng = Random(f"{seed}/meeting/{programme.id}")
    entries = {}
    for formula, cars in programme.classes:
        entries[formula.name] = tuple(rng.sample(paddock, cars))
    formulas = tuple(formula for formula, _ in programme.classes)
    day = Day(programme, rng, entries)
    if is_run:
        for number in range(1, programme.practice_rounds + 1):
            day.heats(f"Practice Round {number}", f"P{number}", formulas)
        for number in range(1, programme.rounds + 1):
            day.heats(f"Qualifier Round {number}", f"Q{number}", formulas)
        day.mains(formulas)
    return Meeting(
        id=programme.id,
        track=programme.track,
        name=programme.name,
        first_day=programme.day,
        last_day=programme.last_day,
        listed_at=datetime.combine(programme.day, programme.starts_at),
        formulas=formulas,
        entries=entries,
        races=tuple(day.races),
        is_short=programme.track.is_short,
        counted_rounds=programme.counted,
    )


class Day:
    """The clock of a meeting and the races run so far."""

    def __init__(self, programme: Programme, rng: Random, entries: dict[str, tuple[Racer, ...]]):
        self.programme = programme
        self.rng = rng
        self.entries = entries
        self.races: list[Race] = []
        self.clock = datetime.combine(programme.day, max(programme.starts_at, FIRST_START))

    def heats(self, round_name: str, code: str, formulas: tuple[Formula, ...]) -> None:
        number = 0
        for formula in formulas:
            racers = list(self.entries[formula.name])
            count = -(-len(racers) // formula.cars)
            for heat in range(1, count + 1):
                number += 1
                grid = racers[heat - 1 :: count]
                absent = frozenset(
                    slot for slot in range(1, len(grid) + 1) if self.rng.random() < 0.02
                )
                self.post(
                    formula,
                    number=number,
                    round=round_name,
                    code=code,
                    suffix=f" (Heat {heat}/{count})",
                    length_ms=formula.heat_ms,
                    grid=grid,
                    absent=absent,
                    race_id=self.programme.id * 100 + len(self.races) + 1,
                )

    def mains(self, formulas: tuple[Formula, ...]) -> None:
        """Lower mains first; the legs of double and triple mains take turns with the rest."""
        self.clock += timedelta(days=self.programme.days - 1)
        grids = {formula.name: self.grids(formula) for formula in formulas}
        ids = self.main_ids(formulas, grids)
        phases: list[list[tuple[Formula, str, int]]] = [[], [], []]
        for formula in formulas:
            letters = sorted(grids[formula.name], reverse=True)
            if formula.legs > 1:
                for leg in range(1, formula.legs + 1):
                    phases[leg - 1] += [(formula, letter, leg) for letter in letters]
            elif len(letters) == 1:
                phases[1].append((formula, "A", 0))
            else:
                for back, letter in enumerate(reversed(letters)):
                    phases[max(2 - back, 0)].append((formula, letter, 0))
        for number, (formula, letter, leg) in enumerate(
            (step for phase in phases for step in sorted(phase, key=running_order)), start=1
        ):
            grid, bumped = grids[formula.name][letter]
            race = self.post(
                formula,
                number=number,
                round="Main Events",
                code="M1",
                suffix=f"{letter}{leg or ''}-Main",
                length_ms=formula.main_ms.get(letter, formula.main_ms["A"]),
                grid=grid,
                absent=(self.programme.absent or {}).get((formula.name, letter), frozenset()),
                crashes=(self.programme.crashes or {}).get((formula.name, letter)),
                race_id=ids[formula.name, letter, leg],
                bumped=bumped,
                letter=letter,
                leg=leg,
            )
            if formula.moving_up and letter != "A":
                above, slots = grids[formula.name][chr(ord(letter) - 1)]
                moved = [run.racer for run in race.runs[: formula.moving_up]]
                slots |= set(range(len(above) + 1, len(above) + len(moved) + 1))
                above += moved

    def grids(self, formula: Formula) -> dict[str, tuple[list[Racer], set[int]]]:
        """Main -> direct qualifiers in grid order, and the slots that wait for the main below."""
        ranked = [
            standing.racer for standing in qualifying(self.races, formula, self.programme.counted)
        ]
        direct = formula.cars - formula.moving_up
        grids: dict[str, tuple[list[Racer], set[int]]] = {}
        letter = "A"
        while ranked:
            last = len(ranked) <= formula.cars or letter not in formula.main_ms
            take = len(ranked) if last else direct
            grids[letter] = (ranked[:take], set())
            ranked, letter = ranked[take:], chr(ord(letter) + 1)
        return grids

    def main_ids(self, formulas, grids) -> dict[tuple[str, str, int], int]:
        """Ids are given when the mains are drawn up, A first: they do not follow the running order."""
        first = self.programme.id * 100 + 60
        keys = [
            (formula.name, letter, leg)
            for formula in formulas
            for letter in sorted(grids[formula.name])
            for leg in (range(1, formula.legs + 1) if formula.legs > 1 else (0,))
        ]
        return {key: first + n for n, key in enumerate(keys)}

    def post(
        self, formula: Formula, *, number, round, code, suffix, length_ms, grid, absent, race_id,
        crashes=None, bumped=(), letter="", leg=0,
    ) -> Race:  # fmt: skip
        runs = run_race(
            self.rng,
            list(grid),
            lap_ms=formula.lap_ms,
            length_ms=length_ms,
            from_grid=bool(letter),
            absent=absent,
            crashes=crashes,
        )
        longest = max((run.total_ms for run in runs), default=0)
        self.clock += BETWEEN_RACES + timedelta(milliseconds=max(longest, length_ms))
        standings = {
            s.racer.id: s.seed_result
            for s in qualifying(self.races, formula, self.programme.counted)
        }
        race = Race(
            id=race_id,
            number=number,
            round=round,
            code=code,
            class_name=formula.name,
            suffix=suffix,
            length_ms=length_ms,
            completed_at=self.clock.replace(microsecond=0),
            runs=runs,
            skips_first_lap=formula.skips_first_lap and bool(letter),
            seeds={
                run.slot: BUMP_UP if run.slot in bumped else standings.get(run.racer.id, "")
                for run in runs
            },
            letter=letter,
            leg=leg,
        )
        self.races.append(race)
        return race


def running_order(step: tuple[Formula, str, int]) -> tuple[bool, str]:
    formula, letter, _ = step
    return formula.legs == 1, chr(255 - ord(letter))


def qualifying(
    races: list[Race] | tuple[Race, ...], formula: Formula, counted: int
) -> list[Standing]:
    """The seeding of a class: the sum of each driver's best rounds, ties by the best single run."""
    rounds: dict[str, list[tuple[Run, Race]]] = {}
    for race in races:
        if race.class_name == formula.name and race.code.startswith("Q"):
            rounds.setdefault(race.round, []).extend((run, race) for run in race.runs)
    scored: dict[Racer, list[Round]] = {}
    for pairs in rounds.values():
        pairs.sort(key=lambda pair: (-len(pair[0].laps_ms), pair[0].total_ms, pair[0].racer.id))
        for place, (run, race) in enumerate(pairs, start=1):
            mark = "DNS" if run.is_dns else "DNF" if run.total_ms < race.length_ms else ""
            scored.setdefault(run.racer, []).append(
                Round(0 if place == 1 else place, len(run.laps_ms), run.total_ms, mark, False)
            )
    standings = []
    for racer, got in scored.items():
        best = sorted(range(len(got)), key=lambda n: (got[n].points, n))[:counted]
        marked = tuple(replace(r, is_counted=n in best) for n, r in enumerate(got))
        left = [r for r in marked if not r.is_counted]
        tie = ""
        if left:
            throwout = min(left, key=lambda r: r.points)
            tie = f"[{throwout.points}] {laps_and_time(throwout.laps, throwout.ms)}"
        standings.append(Standing(racer, sum(got[n].points for n in best), tie, marked))
    return sorted(standings, key=lambda s: (s.result, s.best, s.racer.id))
