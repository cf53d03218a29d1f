"""Stint solving, formation and simulation: problems made here, and the shared instances where present.

Times are of one core's processor, so that a busy machine tells the same.
"""

from random import Random
from time import process_time

from racecontrol.testing.shared_cases import shared_json
from strategy.domain.formation import HOUR_MS, Limits, Person, Signups, form_teams, snake_draft
from strategy.domain.regulations import CarNumbers, Entrant, build_problem, read_regulations
from strategy.domain.simulation import Simulator
from strategy.domain.stints.instance import read_instance
from strategy.domain.stints.solve import solve

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
PROVEN = ("d01-6h3", "d02-6h3-wet", "d03-12h4-proam", "d04-24h4", "d05-12h4-rolling",
          "d06-24h6-holes", "d07-48h8")  # fmt: skip
FIELD, CARS, SECONDS_A_CAR = "d08-24h-field60", 12, 4.0


def known_races() -> list[dict]:
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
        rows.append({
            "entry": f"plan {name}", "target": f"0.05 % in {seconds} s",
            "measured": f"{loss:.4%} in {found.seconds:.1f} s",
            "ratio": f"{seconds / max(found.seconds, 0.01):.1f}x",
            "note": f"{found.status}, gap {found.gap_ms} ms",
        })  # fmt: skip
        if name in PROVEN:
            if found.status != "optimal":
                found = solve(instance, time_limit=150, clock=process_time)
            rows.append({
                "entry": f"prove {name}", "target": f"{PROOF_WITHIN} s",
                "measured": f"{found.status} in {found.seconds:.1f} s",
                "ratio": f"{PROOF_WITHIN / max(found.seconds, 0.01):.1f}x",
                "note": f"{found.score.z1_ms - known['z1_best_ms']:+} ms of the known optimum",
            })  # fmt: skip
    if FIELD in reference:
        rows.append(field(reference[FIELD]["entries"]))
    return rows


def field(known: dict) -> dict:
    """Every fifth car of the batch with its share of the batch's time."""
    entries = shared_json(f"cases/stints/{FIELD}.json")["entries"][:: 60 // CARS]
    spent, gaps, proven, off = 0.0, [], 0, 0
    for entry in entries:
        found = solve(read_instance(entry), time_limit=SECONDS_A_CAR, clock=process_time)
        spent += found.seconds
        gaps.append(found.gap_ms)
        proven += found.status == "optimal"
        off += found.score.z1_ms - known[entry["id"]]["z1_best_ms"]
    mean = sum(gaps) / len(gaps) / 1000
    return {
        "entry": f"batch, {len(entries)} of 60 cars", "target": "4 s a car, mean gap 20 s",
        "measured": f"{spent / len(entries):.1f} s a car, mean gap {mean:.1f} s",
        "ratio": f"{20 / max(mean, 0.01):.1f}x",
        "note": f"{proven} proven, {off / len(entries):+.0f} ms a car against the best known",
    }  # fmt: skip


def run() -> list[dict]:
    rows = known_races()
    for hours, drivers in ((6, 3), (12, 4), (24, 4)):
        instance, started = read_instance(race(hours, drivers)), process_time()
        found = solve(instance, time_limit=20)
        spent = process_time() - started
        rows.append({
            "entry": f"solve {instance.id}", "target": "10 s, gap below 0.05 %",
            "measured": f"{spent:.1f} s CPU", "ratio": f"{10 / max(spent, 0.01):.1f}x",
            "note": f"{found.status}, gap {found.gap_ms} ms",
        })  # fmt: skip
    simulator = Simulator(instance, races=5_000)
    started = process_time()
    simulator.run(found.plan)
    rate = 5_000 / max(process_time() - started, 1e-6)
    rows.append({
        "entry": "simulate 24 h, own car", "target": "20000 races/s",
        "measured": f"{rate:.0f} races/s", "ratio": f"{rate / 20_000:.1f}x",
        "note": "one core, drawing the luck not counted",
    })  # fmt: skip
    for count in (12, 40, 200):
        started = process_time()
        signups = Signups(crowd(count), race_ms=24 * HOUR_MS)
        made = form_teams(signups, limits=Limits(4, 4), seconds=3)
        spent = process_time() - started
        draft = snake_draft(signups.people, teams=count // 4)
        classic = sum(signups.quick([signups.index[k] for k in t]) for t in draft) / len(draft)
        rows.append({
            "entry": f"form teams of {count}", "target": "1-3 s", "measured": f"{spent:.1f} s CPU",
            "ratio": f"{3 / max(spent, 0.01):.1f}x",
            "note": f"score {made.total:.3f}, snake draft {classic:.3f}"
            + (", proven" if made.is_proven else ""),
        })  # fmt: skip
    return rows
