"""Who drove how long, how equal that was, and whether every limit of drive and rest was kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from strategy.domain.analytics.record import Driven, Planned, Record


@dataclass(frozen=True, slots=True)
class Share:
    """One driver: time driven, the share of all driving, the equal share, and the plan's share."""

    seat: int
    drive_ms: int
    laps: int
    stints: int
    share: float
    fair_share: float
    planned_share: float | None


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule of one driver: measured against the limit in ms (laps for fair_share)."""

    rule: str
    seat: int
    measured: int
    limit: int
    is_kept: bool


@dataclass(frozen=True, slots=True)
class DriveTime:
    """`equality` is 1 for equal times; `follows_plan` is 1 when the plan's shares were met."""

    shares: list[Share]
    variance_ms2: float
    equality: float
    follows_plan: float | None
    limits: list[Limit]

    @property
    def spread_ms(self) -> int:
        times = [share.drive_ms for share in self.shares]
        return max(times) - min(times) if times else 0


def equality(times: Sequence[float]) -> float:
    """1 minus the Gini coefficient: 1 - sum |Ti - Tj| / (2 n^2 mean); 1 where nothing was driven."""
    total, n = sum(times), len(times)
    if total <= 0:
        return 1.0
    apart = sum(abs(a - b) for a in times for b in times)
    return 1.0 - apart / (2 * n * total)


def variance(times: Sequence[float]) -> float:
    """Mean square distance from the mean (over all drivers, not n - 1)."""
    if not times:
        return 0.0
    mean = sum(times) / len(times)
    return sum((t - mean) ** 2 for t in times) / len(times)


def follows_shares(times: Sequence[float], planned: Sequence[float]) -> float | None:
    """1 - 0.5 sum |Ti / T - planned share i|; None while either is empty."""
    total, target = sum(times), sum(planned)
    if total <= 0 or target <= 0:
        return None
    pairs = zip(times, planned, strict=True)
    return 1.0 - 0.5 * sum(abs(a / total - b / target) for a, b in pairs)


def drive_times(record: Record, *, with_stops: bool = False) -> list[int]:
    """Time on the track by driver; `with_stops` adds each stop to the driver who leaves it."""
    times = [0] * record.drivers
    for stint in record.stints:
        times[stint.seat] += stint.ms
    if with_stops:
        for stop in record.stops:
            times[record.stints[stop.stint].seat] += stop.ms
    return times


def measure(
    record: Record, planned: Sequence[Planned] = (), *, with_stops: bool = False
) -> DriveTime:
    """Times, shares and limits; every driver of the plan counts, also one who never drove."""
    times = drive_times(record, with_stops=with_stops)
    plan = [0] * record.drivers
    for stint in planned:
        plan[stint.seat] += stint.end_ms - stint.start_ms
    total, target = sum(times), sum(plan)
    shares = [
        Share(
            seat=n, drive_ms=times[n],
            laps=sum(s.laps for s in record.stints if s.seat == n),
            stints=sum(1 for s in record.stints if s.seat == n),
            share=times[n] / total if total else 0.0,
            fair_share=1 / record.drivers,
            planned_share=plan[n] / target if target else None,
        )
        for n in range(record.drivers)
    ]  # fmt: skip
    return DriveTime(
        shares=shares, variance_ms2=variance(times), equality=equality(times),
        follows_plan=follows_shares(times, plan), limits=limits(record, times),
    )  # fmt: skip


def turns(stints: Sequence[Driven]) -> list[list[Driven]]:
    """Stints of one driver in a row belong together."""
    found: list[list[Driven]] = []
    for stint in stints:
        if found and found[-1][-1].seat == stint.seat:
            found[-1].append(stint)
        else:
            found.append([stint])
    return found


def limits(record: Record, times: Sequence[int]) -> list[Limit]:
    """Least and most drive time, longest run, shortest rest, fair share: what each came to."""
    out: list[Limit] = []
    far = record.instance.race.clock_ms[-1]  # a limit beyond the race is none
    fair, runs = record.instance.fair_share_laps(), turns(record.stints)
    for n, who in enumerate(record.instance.drivers):
        mine = [run for run in runs if run[0].seat == n]
        if who.min_drive_ms:
            kept = times[n] >= who.min_drive_ms
            out.append(Limit("min_drive", n, times[n], who.min_drive_ms, kept))
        if who.max_drive_ms <= far:
            kept = times[n] <= who.max_drive_ms
            out.append(Limit("max_drive", n, times[n], who.max_drive_ms, kept))
        if mine and who.max_continuous_ms <= far:
            longest = max(run[-1].end_ms - run[0].start_ms for run in mine)
            kept = longest <= who.max_continuous_ms
            out.append(Limit("continuous", n, longest, who.max_continuous_ms, kept))
        if len(mine) > 1 and who.min_rest_ms:
            rest = min(b[0].start_ms - a[-1].end_ms for a, b in pairwise(mine))
            out.append(Limit("rest", n, rest, who.min_rest_ms, rest >= who.min_rest_ms))
        if fair:
            laps = sum(s.laps for s in record.stints if s.seat == n)
            out.append(Limit("fair_share", n, laps, fair, laps >= fair))
    return out
