"""The record of a race from its log: laps without their stops, fuel lap by lap, cautions with their pace."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from strategy.domain.analytics.record import GREEN, Driven, Lap, Neutral, Record, Stop, clean_laps
from strategy.domain.live import log
from strategy.domain.live.pace import known_fuel

# How much slower laps under a flag are where the race has none to measure by.
USUAL_PACE = {"fcy": 1.4, "sc": 1.6, "red": 1.0}


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop as the pit log has it; None where nobody noted it."""

    in_ms: int
    out_ms: int | None
    added_ml: int | None = None
    tyres: str = ""
    compound: int | None = None
    repair_ms: int = 0
    is_drive_through: bool = False
    box_ms: int | None = None


def record_of(race: log.Race, visits: Sequence[Visit] = (), *, penalty_ms: int = 0) -> Record:
    """What was driven so far. Stints without a lap are left out, with their stop added to the next.

    Fuel follows the readings of each stint, at the burn they show; without any it follows the plan.
    """
    done = [s for s in race.driven if s.start_ms is not None and s.laps > 0]
    burn = _burn_ratio(race, done)
    by_in = {visit.in_ms: visit for visit in visits if not visit.is_drive_through}
    stints: list[Driven] = []
    for n, stint in enumerate(done):
        fuel_in, fuel_out = _fuel(race, stint, burn)
        end = stint.end_ms if stint.end_ms is not None else race.now_ms
        kept = n > 0 and _tyres(stint, by_in.get(done[n - 1].end_ms or 0)) == "keep"
        stints.append(Driven(
            number=stint.number, seat=stint.seat, start_lap=stint.start_lap or 0,
            end_lap=(stint.start_lap or 0) + stint.laps, start_ms=stint.start_ms or 0, end_ms=end,
            fuel_in_ml=fuel_in, fuel_out_ml=fuel_out, tyres="keep" if kept else "new",
            compound=_compound(stint, by_in.get(done[n - 1].end_ms or 0) if n else None),
        ))  # fmt: skip
    stops = [
        _stop(race, n, before, after, by_in.get(before.end_ms))
        for n, (before, after) in enumerate(pairwise(stints), start=1)
    ]
    laps = [lap for n, stint in enumerate(stints) for lap in _laps(race, n, stint, stints, burn)]
    bare = Record(race.instance, stints, laps, stops, (), penalty_ms, race.names)
    return replace(bare, neutrals=_neutrals(race, bare))


def _tyres(stint: log.Driven, visit: Visit | None) -> str:
    return (visit.tyres if visit and visit.tyres else "") or stint.plan.tyres


def _compound(stint: log.Driven, visit: Visit | None) -> int:
    told = visit.compound if visit else None
    return stint.plan.compound if told is None else told


def _planned_burn(race: log.Race, first: int, last: int) -> int:
    burn = race.instance.car.burn_ml
    return sum(getattr(burn, race.letter(lap)) for lap in range(first, last))


def _burn_ratio(race: log.Race, done: Sequence[log.Driven]) -> float:
    """Burn told by readings over the plan's for the same laps, cautions included; 1 without any."""
    known, used, planned = known_fuel(race), 0, 0
    for stint in done:
        end = stint.end_ms if stint.end_ms is not None else race.now_ms
        here = [k for k in known if (stint.start_ms or 0) <= k[1] <= end]
        for (lap, _, ml), (later, _, less) in pairwise(here):
            if later > lap and less < ml:
                used += ml - less
                planned += _planned_burn(race, lap, later)
    return used / planned if planned else 1.0


def _fuel(race: log.Race, stint: log.Driven, ratio: float) -> tuple[int, int]:
    """Fuel at the start and at the end of a stint."""
    first = stint.start_lap or 0
    last = first + stint.laps
    end = stint.end_ms if stint.end_ms is not None else race.now_ms
    here = [k for k in known_fuel(race) if (stint.start_ms or 0) <= k[1] <= end]
    if not here:
        fuel_in = stint.plan.fuel_in_ml
        return fuel_in, max(round(fuel_in - ratio * _planned_burn(race, first, last)), 0)
    lap, _, ml = here[0]
    fuel_in = round(ml + ratio * _planned_burn(race, first, max(lap, first)))
    lap, _, ml = here[-1]
    return fuel_in, max(round(ml - ratio * _planned_burn(race, min(lap, last), last)), 0)


def _stop(race: log.Race, n: int, before: Driven, after: Driven, visit: Visit | None) -> Stop:
    told = visit.added_ml if visit else None
    added = max(after.fuel_in_ml - before.fuel_out_ml, 0) if told is None else told
    under = race.neutral_at(before.end_ms)
    return Stop(
        stint=n, in_ms=before.end_ms, out_ms=after.start_ms, added_ml=added,
        new_tyres=after.tyres == "new", swap=after.seat != before.seat,
        neutral=under.kind if under else GREEN, repair_ms=visit.repair_ms if visit else 0,
        box_ms=visit.box_ms if visit else None,
    )  # fmt: skip


def _laps(
    race: log.Race, n: int, stint: Driven, stints: Sequence[Driven], ratio: float
) -> list[Lap]:
    """The laps whose both ends were told; time spent in the lane within them is taken out."""
    out = []
    age = _age(stints, n)
    fuel = float(stint.fuel_in_ml)
    for step, lap in enumerate(range(stint.start_lap, stint.end_lap)):
        here, fuel_now = race.crossings.get(lap + 1), round(fuel)
        fuel -= ratio * _planned_burn(race, lap, lap + 1)
        began = 0 if lap == 0 else race.crossings[lap].at_ms if lap in race.crossings else None
        if here is None or began is None:
            continue
        standing = sum(
            max(min(here.at_ms, b.start_ms) - max(began, a.end_ms), 0) for a, b in pairwise(stints)
        )
        flag = next((x.kind for x in race.neutrals if x.from_ms < here.at_ms
                     and (x.to_ms is None or x.to_ms > began)), GREEN)  # fmt: skip
        out.append(Lap(
            number=lap, ms=here.at_ms - began - standing, end_ms=here.at_ms, seat=stint.seat,
            stint=n, age=age + step, fuel_ml=max(fuel_now, 0), compound=stint.compound,
            letter=race.letter(lap), neutral=flag, is_out=step == 0,
            is_in=n < len(stints) - 1 and lap == stint.end_lap - 1,
        ))  # fmt: skip
    return out


def _age(stints: Sequence[Driven], n: int) -> int:
    """Laps the tyres had done when stint `n` began."""
    age = 0
    for stint in reversed(stints[:n]):
        if stints[n].tyres != "keep":
            return 0
        age += stint.laps
        if stint.tyres != "keep":
            break
    return age


def _neutrals(race: log.Race, record: Record) -> list[Neutral]:
    usual = {
        seat: median(lap.ms for lap in clean)
        for seat in range(record.drivers)
        if (clean := clean_laps([lap for lap in record.laps if lap.seat == seat]))
    }
    out = []
    for flag in race.neutrals:
        end = race.now_ms if flag.to_ms is None else flag.to_ms
        shares = [
            lap.ms / usual[lap.seat]
            for lap in record.laps
            if lap.seat in usual and flag.from_ms <= lap.end_ms - lap.ms < end
            and not (lap.is_in or lap.is_out)
        ]  # fmt: skip
        pace = median(shares) if shares and flag.kind != "red" else USUAL_PACE[flag.kind]
        out.append(Neutral(flag.kind, flag.from_ms, end, max(pace, 1.0)))
    return out
