"""manage.py solve_stints INSTANCE.json: the fastest plan of a stint problem, and what is proven."""

import json
import sys
from pathlib import Path
from time import monotonic

from django.core.management.base import BaseCommand, CommandError

from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import Progress
from racecontrol.shared.units import format_ms
from strategy.domain.stints.instance import Instance, read_instances, write_plan
from strategy.domain.stints.solve import Solution, solve

# the hardest known race (48 h, eight drivers) is proven in little over a minute
ONE_S, BATCH_S, LEAST_S = 120.0, 240.0, 1.0


class Command(BaseCommand):
    help = "Solve a stint problem (stintopt/1, or a batch): plan, objective, bound, proof, time."
    requires_system_checks: list[str] = []  # a calculation: it needs no database

    def add_arguments(self, parser):
        parser.add_argument("instance", help="The file; - reads standard input.")
        parser.add_argument(
            "--time-limit",
            type=float,
            metavar="S",
            help=f"Seconds for the file ({ONE_S:.0f}; {BATCH_S:.0f} for a batch, whose entries share them).",
        )
        parser.add_argument("--json", action="store_true", help="Print JSON, nothing else.")

    def handle(self, *, instance: str, time_limit: float | None, json: bool, **options):
        if time_limit is not None and not time_limit > 0:
            raise CommandError("--time-limit must be above zero.")
        try:
            data = _load(instance)
            problems = read_instances(data)
        except RaceError as refusal:
            raise CommandError(str(refusal)) from refusal
        if time_limit is None:
            time_limit = ONE_S if len(problems) == 1 else BATCH_S
        answers, until = [], monotonic() + time_limit
        for number, problem in enumerate(problems):
            share = max(until - monotonic(), LEAST_S) / (len(problems) - number)
            solution = solve(problem, time_limit=share, on_progress=self._listener(quiet=json))
            if json:
                answers.append(answer_of(problem, solution))
            else:
                self._show(problem, solution)
        if json:
            is_batch = isinstance(data, dict) and "entries" in data
            body = {"schema": "stintopt-results/1", "entries": answers} if is_batch else answers[0]
            self.stdout.write(_dump(body))

    def _listener(self, *, quiet: bool):
        last = ""

        def show(step: Progress) -> None:
            nonlocal last
            if not quiet and step.label != last and sys.stderr.isatty():
                last = step.label
                self.stderr.write(f"{step.done}/{step.total} s {step.label}")

        return show

    def _show(self, problem: Instance, solution: Solution) -> None:
        self.stdout.write(f"{problem.id}: {solution.status} in {solution.seconds:.1f} s")
        if solution.score is None:
            self.stdout.write(f"  {solution.how or 'no plan found in time'}")
            return
        gap = solution.gap_ms or 0
        proof = "proven best" if solution.status == "optimal" else f"at most {gap / 1000:.1f} s off"
        self.stdout.write(f"  race time {format_ms(solution.score.z1_ms)} ({proof})")
        for number, (stint, facts) in enumerate(
            zip(solution.plan, solution.score.stints, strict=True), start=1
        ):
            who = problem.drivers[stint.driver].id
            rubber = f"{stint.tyres} {'wet' if stint.compound else 'dry'} tyres"
            self.stdout.write(
                f"  {number:3} {who:12} laps {facts.start_lap + 1}-{facts.end_lap} "
                f"({stint.laps}), {facts.fuel_in_ml / 1000:.1f} L, {rubber}"
            )


def _load(name: str) -> object:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
        return json.loads(text)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{name} is not JSON: {error}.") from error


def _dump(body: dict) -> str:
    return json.dumps(body, indent=1)


def answer_of(problem: Instance, solution: Solution) -> dict:
    """The outcome in the words of the instance format (whole ms)."""
    judged = solution.score
    return {
        "schema": "stintopt-result/1",
        "id": problem.id,
        "status": solution.status,
        "proven_optimal": solution.status == "optimal",
        "z1_best_ms": judged.z1_ms if judged else None,
        "z1_lower_bound_ms": solution.bound_ms if solution.status != "infeasible" else None,
        "gap_ms": solution.gap_ms,
        "objective": {
            "z1_ms": judged.z1_ms,
            "z2_ms": judged.z2_ms,
            "z3_ms": judged.z3_ms,
        }
        if judged
        else None,
        "proof": solution.how,
        "time_s": round(solution.seconds, 3),
        "plan": write_plan(solution.plan),
    }
