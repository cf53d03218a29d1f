"""The coach's machinery: checks of an answer, the board, the due test, and a client call over real HTTP."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall

from bench.figures import Figure


def run() -> list[Figure]:
    import django

    django.setup()
    return [checks(), board(), due(), *calls()]


def timed(what: Callable[[], object], times: int) -> float:
    """Median seconds of one call."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def row(name: str, limit_s: float, took_s: float, note: str) -> Figure:
    return Figure(name, took_s * 1000, "ms", limit_s * 1000, note=note)


def checks() -> Figure:
    """Every number, date, limit and link of a long answer against 30 facts."""
    from coaching.domain.missions.checks import Block, Day, Limits, Said, Workout, check
    from coaching.domain.missions.facts import Fact, number

    today = date(2026, 6, 8)
    facts = number(
        Fact(f"k{n}", f"Value {n}", 10 + n, "min", today, "bench", (f"value {n}",))
        for n in range(30)
    )
    words = "Ride 15 min easy and 20 minutes firm today, Monday, and rest before the day after. "
    said = Said(
        texts={"reason": words * 14, "headline": words},
        action="maintain",
        intensity="moderate",
        workout=Workout("endurance", 35, (Block(2, 15), Block(3, 20))),
    )
    day, limits = Day(today=today, facts=facts), Limits(max_minutes=60)
    assert check(said, day, limits) == []
    took = timed(lambda: check(said, day, limits), 30)
    return row("check a 1,200-character answer against 30 facts", 0.05, took, "no problem found")


def board() -> Figure:
    from coaching.domain.missions.points import StageRow, progress
    from coaching.domain.missions.rules import Stage, StagePlan
    from coaching.domain.missions.tables import stage_race_schema

    first = date(2026, 7, 4)
    plan = StagePlan(
        tuple(
            Stage(n, first + timedelta(days=n), ("flat", "hilly", "mountain")[n % 3])
            for n in range(1, 22)
        )
    )
    rows = [StageRow(s.number, s.on, s.type, "gc") for s in plan.stages[:9]]
    schema = stage_race_schema()
    today = plan.stages[9].on
    took = timed(lambda: progress(schema=schema, plan=plan, rows=rows, today=today), 50)
    return row("board of 21 stages with what is still reachable", 0.01, took, "computed each time")


def due() -> Figure:
    from coaching.domain.missions.schedule import agenda

    now = datetime(2026, 6, 20, 4, 0, tzinfo=UTC)
    taken = {date(2026, 6, 1) + timedelta(days=n) for n in range(19)}

    def look() -> None:
        agenda(now, tz="Europe/Berlin", run_at=wall(5, 30), started_at=now - timedelta(days=19),
               taken=taken, last_day=date(2026, 12, 1))  # fmt: skip

    took = timed(look, 200)
    return row("due test of one mission", 0.001, took, f"{1 / took:,.0f} missions a second")


def calls() -> list[Figure]:
    """What our client adds to a model's answer, and how soon it gives up on one that drips."""
    from coaching.llm.client import Client, Endpoint, Limits
    from coaching.llm.errors import ModelDown
    from coaching.llm.fake_openai import FakeOpenAI
    from coaching.llm.guard import Rules, check_url
    from coaching.llm.shapes import DailyCoaching

    messages = [{"role": "user", "content": "FACTS\nF1 Today: 2026-06-08 (Monday)\n"}]
    with FakeOpenAI() as fake:
        target = check_url(fake.base_url, Rules(trusted_origins=frozenset({fake.origin})))

        def client(model: str, **limits: float) -> Client:
            return Client(
                Endpoint(target, f"fake-{model}", key="sk-bench", mode="json_schema"),
                limits=Limits(**limits),
            )

        happy = timed(lambda: client("happy").ask(messages, DailyCoaching), 30)
        began = time.perf_counter()
        try:
            client("drip", deadline_s=1.0, call_s=1.0).ask(messages, DailyCoaching)
        except ModelDown:
            gave_up = time.perf_counter() - began
        else:
            raise AssertionError("a dripping server was believed")
    return [
        row("one checked answer over real HTTP (fake_openai)", 0.1, happy, "connection included"),
        row(
            "a dripping server is left at its deadline of 1 s", 1.3, gave_up, "total, not per read"
        ),
    ]
