"""Monte-Carlo races of one car: what a plan is likely to come to, and whether it beats another.

All races run at once (numpy over races, a loop over laps). Every plan meets the same safety cars,
the same incidents and the same luck in the pits (common random numbers), so small differences show.
With every source of luck off, the result is the scorer's race time to the millisecond.

Default rates are assumptions, not measurements: about one safety car in three hours of some 18
minutes, one full-course yellow in two hours of some 5 minutes. Times are ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from racecontrol.shared.errors import InvalidInput
from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.scoring import lap_ms, score
from strategy.domain.stints.verdict import StintFacts

HOUR_MS = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Luck:
    """What may happen. Rates per hour, lengths in minutes, noise as deviations."""

    safety_cars_per_hour: float = 0.33
    safety_car_minutes: float = 18.0
    yellows_per_hour: float = 0.5
    yellow_minutes: float = 5.0
    safety_car_pace: float = 1.6
    yellow_pace: float = 1.4
    neutral_stop_share: float = 0.5  # what a stop under neutral costs of its green loss
    lap_noise_ms: float = 600.0
    lap_memory: float = 0.4  # how much of a lap's deviation the next one keeps
    incidents_per_hour: float = 0.05
    incident_ms: float = 45_000.0
    stop_noise: float = 0.08  # deviation of the logarithm of the service
    burn_noise: float = 0.01
    retirements_per_hour: float = 0.003

    @classmethod
    def none(cls) -> "Luck":
        return cls(
            safety_cars_per_hour=0, yellows_per_hour=0, lap_noise_ms=0, incidents_per_hour=0,
            stop_noise=0, burn_noise=0, retirements_per_hour=0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the simulated races of one plan came to; times (ms) and laps are those of finished races.

    `times_ms`: the planned laps in each race, NaN where the car did not finish. `laps`: laps begun
    before the flag in each finished race, so complete once it falls.
    """

    mean_ms: float
    p10_ms: float
    p50_ms: float
    p90_ms: float
    worst_tenth_ms: float
    finishes: float
    runs_dry: float
    laps_p10: float
    laps_p50: float
    laps_p90: float
    laps: np.ndarray
    times_ms: np.ndarray

    def lap_shares(self) -> dict[int, float]:
        """Laps at the flag and the share of finished races that come to them, fewest first."""
        counts, races = np.unique(self.laps, return_counts=True)
        return {int(n): float(k) / len(self.laps) for n, k in zip(counts, races, strict=True)}


@dataclass(frozen=True, slots=True)
class Duel:
    """Plan B against plan A: mean of B - A over the same races, its 95 % interval, P(B faster)."""

    difference_ms: float
    low_ms: float
    high_ms: float
    b_wins: float

    @property
    def is_clear(self) -> bool:
        return self.low_ms > 0 or self.high_ms < 0


class Simulator:
    """Draws the luck of `races` races once; every plan then meets the same."""

    def __init__(
        self,
        instance: Instance,
        *,
        luck: Luck | None = None,
        races: int = 2_000,
        seed: int = 1,
        known: Sequence[tuple[float, float, float]] = (),
        flag_ms: float | None = None,
    ) -> None:
        """`known` neutral periods happen in every race: from ms, to ms, times as slow.

        `flag_ms`: when a timed race ends; without it, at the end of the nominal clock.
        """
        if not 1 <= races <= 50_000:
            raise InvalidInput(
                "Between 1 and 50000 races.", fields={"races": ["Must be 1 to 50000."]}
            )
        self.instance, self.luck, self.races = instance, luck or Luck(), races
        self.rows = np.arange(races)
        self.known = known
        self.rng = np.random.default_rng(seed)
        self.horizon = float(instance.race.clock_ms[-1]) * 1.6
        self.flag_ms = float(instance.race.clock_ms[-1] if flag_ms is None else flag_ms)
        self._neutral()
        n, rng = instance.race.laps, self.rng
        hours_a_lap = float(np.mean(instance.race.lap_nominal_ms)) / HOUR_MS
        self.noise = self._lap_noise(n)
        hit = rng.random((n, races), dtype=np.float32) < self.luck.incidents_per_hour * hours_a_lap
        loss = rng.lognormal(0.0, 0.6, size=int(hit.sum())) * self.luck.incident_ms
        self.incident = np.zeros((n, races), dtype=np.float32)
        self.incident[hit] = loss
        self.pit_luck = rng.standard_normal((n, races), dtype=np.float32)
        self.burn_luck = rng.standard_normal((n, races), dtype=np.float32)
        gone = rng.exponential(1.0, size=races) / max(self.luck.retirements_per_hour, 1e-12)
        self.retires_at = gone * HOUR_MS

    def _lap_noise(self, laps: int) -> np.ndarray:
        fresh = self.rng.standard_normal((laps, self.races), dtype=np.float32)
        if not self.luck.lap_noise_ms:
            return np.zeros_like(fresh)
        keep = np.float32(self.luck.lap_memory)
        scale = np.float32(np.sqrt(1 - keep * keep))
        for lap in range(1, laps):
            fresh[lap] = keep * fresh[lap - 1] + scale * fresh[lap]
        return fresh * np.float32(self.luck.lap_noise_ms)

    def _neutral(self) -> None:
        """Neutral periods of each race as sorted starts and ends, padded with never."""
        luck, rng, hours = self.luck, self.rng, self.horizon / HOUR_MS
        pieces = []
        for rate, minutes, pace in (
            (luck.safety_cars_per_hour, luck.safety_car_minutes, luck.safety_car_pace),
            (luck.yellows_per_hour, luck.yellow_minutes, luck.yellow_pace),
        ):
            counts = rng.poisson(rate * hours, size=self.races)
            most = int(counts.max(initial=0))
            starts = rng.uniform(0, self.horizon, size=(self.races, most))
            length = rng.lognormal(-0.08, 0.4, size=(self.races, most)) * minutes * 60_000.0
            starts[np.arange(most)[None, :] >= counts[:, None]] = np.inf
            pieces.append((starts, starts + length, np.full_like(starts, pace)))
        for start, end, pace in self.known:
            one = np.ones((self.races, 1))
            pieces.append((one * start, one * end, one * pace))
        never = np.full((self.races, 1), np.inf)
        starts = np.concatenate([p[0] for p in pieces] + [never], axis=1)
        self.has_neutral = starts.shape[1] > 1
        order = np.argsort(starts, axis=1)
        self.starts = np.take_along_axis(starts, order, axis=1)
        ends = np.concatenate([p[1] for p in pieces] + [never], axis=1)
        self.ends = np.take_along_axis(ends, order, axis=1)
        # a period that begins inside another waits for it
        self.ends = np.maximum.accumulate(self.ends, axis=1)
        factor = np.concatenate([p[2] for p in pieces] + [np.ones_like(never)], axis=1)
        self.pace = np.take_along_axis(factor, order, axis=1)

    def run(self, plan: Sequence[Stint], *, from_lap: int = 0, from_ms: float = 0.0) -> Outcome:
        """All races of one plan; raises InvalidInput if it does not cover the race.

        With `from_lap` the laps before it are behind us, driven as the plan has them, and the race
        clock stands at `from_ms`: only what follows is drawn. A race with time left after the last
        planned lap goes on at the plan's average pace, stops included.
        """
        judged = score(self.instance, list(plan))
        if any(v.rule in ("coverage", "driver") for v in judged.violations):
            raise InvalidInput(
                "The plan does not cover the race.", fields={"plan": ["Incomplete."]}
            )
        rows, t = self.rows, np.full(self.races, float(from_ms))
        at = (self.ends <= from_ms).sum(axis=1)
        dry = np.zeros(self.races, dtype=bool)
        laps_done = np.full(self.races, from_lap, dtype=np.int64)
        for stint, facts in zip(plan, judged.stints, strict=True):
            if facts.end_lap <= from_lap:
                continue
            if facts.stop_ms and facts.start_lap >= from_lap:
                t += self._stop_loss(facts, t, at)
            burn = 1.0 + self.luck.burn_noise * self.burn_luck[facts.start_lap]
            dry |= facts.fuel_added_ml * burn > facts.fuel_in_ml
            fuel = facts.fuel_in_ml
            for step, lap in enumerate(range(facts.start_lap, facts.end_lap)):
                base = lap_ms(self.instance, lap=lap, driver=stint.driver,
                              age=facts.tyre_age + step, fuel_ml=fuel, compound=facts.compound)  # fmt: skip
                fuel -= getattr(self.instance.car.burn_ml, self.instance.conditions.by_lap[lap])
                if lap < from_lap:
                    continue
                laps_done += t < self.flag_ms
                lap_time = base + self.noise[lap]
                if self.has_neutral:
                    at += t >= self.ends[rows, at]
                    under = t >= self.starts[rows, at]
                    lap_time = np.where(under, base * self.pace[rows, at], lap_time)
                t += lap_time + self.incident[lap]
        more = (self.flag_ms - t) * self.instance.race.laps / judged.z1_ms
        laps_done += np.maximum(np.ceil(more), 0).astype(np.int64)
        return _outcome(t, laps_done, (t < self.retires_at + from_ms) & ~dry, dry)

    def _stop_loss(self, facts: StintFacts, t: np.ndarray, at: np.ndarray) -> np.ndarray:
        """What the stop before a stint costs in each race: less where it is under neutral."""
        lane = float(self.instance.pit.lane_ms)
        luck = np.exp(self.luck.stop_noise * self.pit_luck[facts.start_lap])
        loss = lane + (facts.stop_ms - lane) * luck
        if not self.has_neutral:
            return loss
        under = (t >= self.starts[self.rows, at]) & (t < self.ends[self.rows, at])
        return np.where(under, loss * self.luck.neutral_stop_share, loss)


def _outcome(t: np.ndarray, laps_done: np.ndarray, alive: np.ndarray, dry: np.ndarray) -> Outcome:
    """What the races came to; if nobody finished, the times and laps are those of all."""
    times = np.where(alive, t, np.nan)
    done, laps = (t[alive], laps_done[alive]) if alive.any() else (t, laps_done)
    low, middle, high = np.percentile(done, (10, 50, 90))
    fewest, usual, most = np.percentile(laps, (10, 50, 90), method="nearest")
    worst = np.sort(done)[-max(len(done) // 10, 1) :]
    return Outcome(
        float(done.mean()), float(low), float(middle), float(high), float(worst.mean()),
        float(alive.mean()), float(dry.mean()), float(fewest), float(usual), float(most),
        laps, times,
    )  # fmt: skip


def duel(a: Outcome, b: Outcome) -> Duel:
    """B against A over the same races; a race only one of them finishes counts for that one."""
    both = ~np.isnan(a.times_ms) & ~np.isnan(b.times_ms)
    gap = (b.times_ms - a.times_ms)[both]
    if not len(gap):
        return Duel(0.0, 0.0, 0.0, 0.5)
    mean = float(gap.mean())
    half = 1.96 * float(gap.std(ddof=1)) / np.sqrt(len(gap)) if len(gap) > 1 else 0.0
    only_b = (np.isnan(a.times_ms) & ~np.isnan(b.times_ms)).sum()
    any_one = (~np.isnan(a.times_ms) | ~np.isnan(b.times_ms)).sum()
    wins = (gap < 0).sum() + 0.5 * (gap == 0).sum() + only_b
    return Duel(mean, mean - float(half), mean + float(half), float(wins / any_one))
