"""Days of open running: who went out when, and the laps the loop counted."""

from datetime import date, datetime, time, timedelta
from random import Random

from ingestion.fake_liverc.facts import Formula, Racer, Session, Track

UNKNOWN_DRIVER = "Unknown Driver"
UNKNOWN_CLASS = "Unknown Class"


def practice_day(
    *, track: Track, day: date, day_id: int, racers: list[Racer], formulas: list[Formula], seed: int
) -> tuple[Session, ...]:
    """Sessions of a day, first to last. One transponder is nobody's; now and then the loop misses a car."""
    rng = Random(f"{seed}/practice/{track.slug}/{day}")
    people = rng.sample(racers, rng.randint(5, 9))
    sessions = []
    for n, racer in enumerate(people):
        formula = rng.choice(formulas)
        clock = datetime.combine(day, time(9)) + timedelta(
            seconds=rng.randint(0, 7_000), microseconds=rng.randrange(1_000_000)
        )
        pace = formula.lap_ms * racer.skill * rng.uniform(1.0, 1.06)
        tags = [racer.transponder] if n else [racer.transponder, str(rng.randint(10**6, 10**7 - 1))]
        for outing in range(rng.randint(2, 5)):
            # A driver learns the track: half a percent per outing.
            laps = stint(rng, pace * (1 - 0.005 * outing), rng.randint(1, 22))
            known = n < len(people) - 1 or outing
            sessions.append(
                Session(
                    id=0,
                    driver_name=racer.name if known else UNKNOWN_DRIVER,
                    class_name=formula.name if known else UNKNOWN_CLASS,
                    transponder=tags[outing % len(tags)],
                    started_at=clock,
                    laps_ms=laps,
                    valid_ms=valid_range(formula),
                )
            )
            clock += timedelta(milliseconds=sum(laps), seconds=rng.randint(400, 3_000))
    sessions = [s for s in sessions if s.counted_ms]
    sessions.sort(key=lambda s: (s.started_at, s.transponder))
    return tuple(
        Session(
            id=day_id * 1000 + n,
            driver_name=s.driver_name,
            class_name=s.class_name,
            transponder=s.transponder,
            started_at=s.started_at,
            laps_ms=s.laps_ms,
            valid_ms=s.valid_ms,
        )
        for n, s in enumerate(sessions, start=1)
    )


def stint(rng: Random, pace_ms: float, laps: int) -> tuple[int, ...]:
    """Warm-up, then a steady run; a missed crossing doubles a lap, a cut corner halves one."""
    times = []
    for n in range(laps):
        ms = pace_ms * rng.lognormvariate(0.006, 0.014) * (1.03 if n == 0 else 1)
        roll = rng.random()
        if roll < 0.04:
            ms += rng.expovariate(1 / 8_000) + 2_000
        elif roll < 0.055:
            ms *= 3.4
        elif roll < 0.065:
            ms *= 0.25
        times.append(round(ms))
    return tuple(times)


def valid_range(formula: Formula) -> tuple[int, int]:
    """What the club set as believable for the class: whole tens of seconds round the usual lap."""
    return formula.lap_ms * 6 // 10 // 5_000 * 5_000, formula.lap_ms * 19 // 10 // 10_000 * 10_000
