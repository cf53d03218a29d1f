"""What if: the same plans under other numbers, and many races of them with luck."""

from dataclasses import dataclass
from typing import Any

from racecontrol.shared.errors import InvalidInput
from strategy import access
from strategy.domain.simulation import Duel, Luck, Outcome, Simulator, duel
from strategy.domain.stints.instance import Instance, read_instance
from strategy.domain.stints.scoring import score
from strategy.domain.stints.verdict import Score
from strategy.models import PlanVersion
from strategy.services.plans import plan_of, version_of

MOST_LAPS_TIMES_RACES = 4_000_000
MOST_LAP_ROWS = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """One version under the changed numbers; `against` compares it with the first of the list."""

    version: PlanVersion
    score: Score
    outcome: Outcome
    against: Duel | None

    @property
    def p10(self) -> int:
        return round(self.outcome.p10_ms)

    @property
    def p50(self) -> int:
        return round(self.outcome.p50_ms)

    @property
    def p90(self) -> int:
        return round(self.outcome.p90_ms)

    @property
    def laps(self) -> str:
        """Laps at the flag: the median, and from the worst tenth of the races to the best."""
        o = self.outcome
        return f"{o.laps_p50:.0f} ({o.laps_p10:.0f}–{o.laps_p90:.0f})"

    @property
    def finish_percent(self) -> float:
        return round(100 * self.outcome.finishes, 1)

    @property
    def against_ms(self) -> int | None:
        return round(self.against.difference_ms) if self.against else None

    @property
    def win_percent(self) -> float | None:
        return round(100 * self.against.b_wins, 1) if self.against else None


def laps_at_flag(trials: list[Trial]) -> list[tuple[str, list[float]]]:
    """Laps, and the percentage of each trial's finished races that come to them; most laps first.

    Far apart, they stand together in at most MOST_LAP_ROWS rows of equally many laps.
    """
    shares = [trial.outcome.lap_shares() for trial in trials]
    every = {laps for one in shares for laps in one}
    if not every:
        return []
    fewest, most = min(every), max(every)
    width = -(-(most - fewest + 1) // MOST_LAP_ROWS)
    found = []
    for top in range(most, fewest - 1, -width):
        low = top - width + 1
        label = f"{low}–{top}" if width > 1 else str(top)
        inside = [sum(p for laps, p in one.items() if low <= laps <= top) for one in shares]
        found.append((label, [round(100 * share, 1) for share in inside]))
    return found


def changed(
    instance: Instance,
    *,
    pace_percent: float = 100,
    burn_percent: float = 100,
    pit_loss_ms: int = 0,
    wet: tuple[int, int] | None = None,
) -> Instance:
    """The race with everybody's pace, the burn and the stop changed, and rain over laps wet[0]..wet[1]."""
    data = instance.model_dump()
    for driver in data["drivers"]:
        driver["lap_ms"] = {k: round(v * pace_percent / 100) for k, v in driver["lap_ms"].items()}
    burn = data["car"]["burn_ml"]
    data["car"]["burn_ml"] = {k: max(round(v * burn_percent / 100), 1) for k, v in burn.items()}
    data["pit"]["lane_ms"] = max(data["pit"]["lane_ms"] + pit_loss_ms, 0)
    if wet is not None:
        if not 0 <= wet[0] < wet[1] <= instance.race.laps:
            raise InvalidInput("Rain falls within the race.", fields={"wet": ["From lap to lap."]})
        letters = list(data["conditions"]["by_lap"])
        for lap in range(*wet):
            letters[lap] = "X" if letters[lap] in "NX" else "W"
        data["conditions"]["by_lap"] = "".join(letters)
    return read_instance(data)


def _luck(drivers: list[dict]) -> Luck:
    """The usual luck; laps scatter as the drivers' imported laps do, where any are known."""
    spreads = [who["spread_ms"] for who in drivers if who.get("spread_ms")]
    return Luck(lap_noise_ms=sum(spreads) / len(spreads)) if spreads else Luck()


def simulate(
    *,
    strategy_id: int,
    numbers: list[int],
    races: int,
    by: Any,
    seed: int = 1,
    wet: tuple[int, int] | None = None,
    **change: float,
) -> list[Trial]:
    """Races of each version with the same luck; the first version is the one others are held against."""
    row = access.strategy_for(by, strategy_id)
    chosen = [version_of(row, n) for n in dict.fromkeys(numbers)] or (
        [row.current] if row.current else []
    )
    if not chosen:
        raise InvalidInput("There is no plan to simulate.", fields={"versions": ["Choose one."]})
    instance = changed(read_instance(row.problem), wet=wet, **change)  # type: ignore[arg-type]
    if instance.race.laps * races > MOST_LAPS_TIMES_RACES:
        races = max(MOST_LAPS_TIMES_RACES // instance.race.laps, 10)
    simulator = Simulator(
        instance, luck=_luck(row.drivers), races=races, seed=seed, flag_ms=row.event.duration_ms
    )
    trials: list[Trial] = []
    for version in chosen:
        plan = plan_of(version)
        outcome = simulator.run(plan)
        against = duel(trials[0].outcome, outcome) if trials else None
        trials.append(Trial(version, score(instance, plan), outcome, against))
    return trials
