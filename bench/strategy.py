"""Stint solving, formation and simulation: problems made here, and the shared instances where present.

Times are of one core's processor, so that a busy machine tells the same.
"""

from collections.abc import Iterator
from random import Random
from statistics import mean
from time import process_time

from bench.figures import Figure
from racecontrol.testing.shared_cases import shared_json
from strategy.domain.formation import HOUR_MS, Limits, Person, Signups, form_teams, snake_draft
from strategy.domain.problem import CarNumbers, Entrant, build_problem
from strategy.domain.regulations import read_regulations
from strategy.domain.simulation import Simulator
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.instance import Instance, Stint, read_instance
from strategy.domain.stints.solve import Solution, solve

CAR = CarNumbers(100_000, 2_000, 6_700, 90, 27, 36, 60, 1_500, 3_800, 18_000)
RULES = {"rest_s": 3600, "continuous_max_s": 9000, "fair_share_pct": 25}


def race(hours: int, drivers: int) -> dict:
    people = [
        Entrant(f"d{n}", 240_000 + 400 * n, 265_000 + 400 * n, [(0, hours * HOUR_MS)])
        for n in range(drivers)
    ]
    return build_problem(
        name=f"{hours} h, {drivers} drivers", duration_ms=hours * HOUR_MS, lap_ms=241_000,
        conditions=[[hours * HOUR_MS // 3, hours * HOUR_MS * 2 // 3, "N"]], car=CAR,
        rules=read_regulations(RULES), drivers=people,
    )  # fmt: skip


def crowd(count: int) -> list[Person]:
    rng, people = Random(5), []
    for key in range(count):
        zone, windows = rng.choice((0, 1, 8, 9, 17, 20)), []
        for day in (-1, 0, 1):
            start = day * 24 + zone + rng.randint(6, 10)
            windows.append((start * HOUR_MS, (start + rng.randint(6, 14)) * HOUR_MS))
        cars = tuple(rng.sample((1, 2, 3), 3))
        people.append(Person(key, tuple(windows), cars, skill=rng.gauss(2000, 600)))
    return people


# seconds to a plan within 0.05 % of the best known; the facts' target
PLAN_WITHIN = {"d09-24h4-short": 30}
# seconds to the proof; the facts ask it of d01, d02, d04 and d05
PROOF_WITHIN = 60
EXPLAINED_WITHIN = 20
FORMED_WITHIN, SEARCH_S = 3, 2
PROVEN = ("d01-6h3", "d02-6h3-wet", "d03-12h4-proam", "d04-24h4", "d05-12h4-rolling",
          "d06-24h6-holes", "d07-48h8")  # fmt: skip
FIELD, SECONDS_A_CAR, MEAN_GAP_S = "d08-24h-field60", 4.0, 20


def known_races() -> list[Figure]:
    """The shared instances against their targets; nothing where they are not present."""
    reference = shared_json("cases/stints/reference.json") or {}
    rows = []
    for name, known in sorted(reference.items()):
        if "entries" in known:
            continue
        instance = read_instance(shared_json(f"cases/stints/{name}.json"))
        seconds = PLAN_WITHIN.get(name, 10)
        found = solve(instance, time_limit=seconds, clock=process_time)
        loss = (found.score.z1_ms - known["z1_best_ms"]) / known["z1_best_ms"]
        note = f"after {found.seconds:.1f} of {seconds} s: {found.status}, gap {found.gap_ms} ms"
        rows.append(Figure(f"plan {name}, above the best known", 100 * loss, "%", 0.05, note=note))
        if name in PROVEN:
            rows.append(proof(name, instance, found, known["z1_best_ms"]))
    if FIELD in reference:
        rows += field(reference[FIELD]["entries"])
    return rows


def proof(name: str, instance: Instance, found: Solution, best_ms: int) -> Figure:
    """Seconds until nothing faster can exist; begun anew where the first time was too short."""
    if found.status != "optimal":
        found = solve(instance, time_limit=2 * PROOF_WITHIN, clock=process_time)
    return Figure(
        f"proof of {name}", found.seconds if found.status == "optimal" else None, "s", PROOF_WITHIN,
        note=f"{found.status}, {found.score.z1_ms - best_ms:+} ms of the known optimum",
    )  # fmt: skip


def field(known: dict) -> list[Figure]:
    """Every car of the batch, each with its share of the batch's time."""
    spent, gaps, proven, off = [], [], 0, []
    for entry in shared_json(f"cases/stints/{FIELD}.json")["entries"]:
        found = solve(read_instance(entry), time_limit=SECONDS_A_CAR, clock=process_time)
        spent.append(found.seconds)
        gaps.append(found.gap_ms / 1000)
        proven += found.status == "optimal"
        off.append(found.score.z1_ms - known[entry["id"]]["z1_best_ms"])
    cars = f"batch of {len(gaps)} cars"
    return [
        Figure(f"{cars}, a car", mean(spent), "s", SECONDS_A_CAR, note=f"slowest {max(spent):.1f} s"),
        Figure(
            f"{cars}, mean gap to the bound", mean(gaps), "s", MEAN_GAP_S,
            note=f"{proven} proven; against the best known {mean(off):+.0f} ms a car, worst {max(off):+} ms",
        ),
    ]  # fmt: skip


def run() -> list[Figure]:
    rows = known_races() + [conflict(name, data) for name, data in contradictions()]
    for hours, drivers in ((6, 3), (12, 4), (24, 4)):
        instance = read_instance(race(hours, drivers))
        found = solve(instance, time_limit=20, clock=process_time)
        note = f"{found.status}, gap {found.gap_ms} ms; asked: below 0.05 %"
        is_close = found.gap_ms is not None and found.gap_ms <= 0.0005 * found.bound_ms
        spent = found.seconds if is_close else None
        rows.append(Figure(f"own race, {instance.id}", spent, "s", 10, note=note))
    return [*rows, simulated(instance, found.plan), *map(formed, (12, 40, 200))]


def contradictions() -> Iterator[tuple[str, dict]]:
    """Known races made impossible: all drivers limited, all owing more, and a rest too long."""
    for name in ("d06-24h6-holes", "d07-48h8", "d10-24h4-lmv"):
        data = shared_json(f"cases/stints/{name}.json")
        if data is None:
            return
        whole, people = sum(data["race"]["lap_nominal_ms"]), data["drivers"]
        share = whole // len(people)
        for words, limit in (
            ("maximum", {"max_drive_ms": int(0.95 * share)}),
            ("minimum", {"min_drive_ms": int(1.03 * share)}),
            ("rest", {"min_rest_ms": 20 * HOUR_MS}),
        ):
            yield f"{name} {words}", data | {"drivers": [who | limit for who in people]}


def conflict(name: str, data: dict) -> Figure:
    """Seconds until the smallest set of rules that contradict is named; None: a larger one was."""
    started = process_time()
    found = explain(read_instance(data), seconds=EXPLAINED_WITHIN - 1, clock=process_time)
    return Figure(
        f"why {name} is impossible", process_time() - started if found.is_smallest else None, "s",
        EXPLAINED_WITHIN, note=f"{len(found.rules)} rules, {len(found.frees)} known to free it",
    )  # fmt: skip


def simulated(instance: Instance, plan: list[Stint]) -> Figure:
    simulator = Simulator(instance, races=5_000)
    started = process_time()
    simulator.run(plan)
    rate = 5_000 / max(process_time() - started, 1e-6)
    return Figure(
        "24 h simulated, own car", rate, "races/s", 20_000, more_is_better=True,
        note="one core, drawing the luck not counted",
    )  # fmt: skip


def formed(count: int) -> Figure:
    started = process_time()
    signups = Signups(crowd(count), race_ms=24 * HOUR_MS)
    made = form_teams(signups, limits=Limits(4, 4), seconds=SEARCH_S)
    spent = process_time() - started
    draft = snake_draft(signups.people, teams=count // 4)
    classic = sum(signups.quick([signups.index[k] for k in t]) for t in draft) / len(draft)
    note = f"score {made.total:.3f}, snake draft {classic:.3f}"
    return Figure(
        f"teams of {count} people", spent, "s", FORMED_WITHIN,
        note=note + (", proven" if made.is_proven else ""),
    )  # fmt: skip
