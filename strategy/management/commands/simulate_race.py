"""`manage.py simulate_race 12 --speed 60`: a whole race on the wall, told over HTTP."""

import re
import time
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError, CommandParser

from racecontrol.shared import tokens
from strategy.domain.stints.instance import read_instance
from strategy.management.simulator import MOST_AT_ONCE, RaceSimulator, Spell
from strategy.models import LiveRun, Membership, RaceStrategy, Role

FASTEST = 600
ALL_SPEED = 10_000  # what the wall is told where the race runs as fast as it can


class Command(BaseCommand):
    help = "Drives a race of a strategy through the live API of a running site."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("strategy", type=int)
        parser.add_argument("--speed", default="60", help="1 to 600, or max")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the site answers")
        parser.add_argument("--token", default="", help="an API token that may write; else one is "
                            "made for an owner of the team and revoked at the end")  # fmt: skip
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--rain", action="append", default=[], metavar="H:MM-H:MM")
        parser.add_argument("--caution", action="append", default=[], metavar="H:MM-H:MM")
        parser.add_argument(
            "--again", action="store_true", help="throw an earlier training race away"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        strategy = RaceStrategy.objects.select_related("event", "current").filter(
            pk=options["strategy"]).first()  # fmt: skip
        if strategy is None or strategy.current is None:
            raise CommandError("There is no such strategy, or it has no plan.")
        speed = _speed(options["speed"])
        self._make_room(strategy, options["again"])
        token, made = options["token"], None
        if not token:
            owner = Membership.objects.filter(team_id=strategy.team_id, role=Role.OWNER).first()
            if owner is None:
                raise CommandError("The team has no owner: give a --token.")
            made, token = tokens.make(by=owner.user, name="simulate_race", scope="write")
        spells = [_spell("wet", text) for text in options["rain"]]
        spells += [_spell("sc", text) for text in options["caution"]]
        try:
            tally = RaceSimulator(
                caller(options["url"], strategy.pk, token), read_instance(strategy.current.problem),
                strategy.event.duration_ms, seed=options["seed"], spells=spells, wait=pacer(speed),
                say=self.stdout.write, laps_at_once=1 if speed else MOST_AT_ONCE,
            ).run(speed=speed or ALL_SPEED)  # fmt: skip
        except requests.RequestException as fault:
            raise CommandError(f"The site at {options['url']} does not answer: {fault}") from fault
        finally:
            if made is not None:
                tokens.revoke(by=made.user, token_id=made.pk)
        self.stdout.write(self.style.SUCCESS(
            f"{tally.laps} laps, {tally.stops} stops, {len(tally.stints)} stints, "
            f"finished after {tally.finish_ms / 3_600_000:.3f} h."
        ))  # fmt: skip

    def _make_room(self, strategy: RaceStrategy, again: bool) -> None:
        run = LiveRun.objects.filter(strategy=strategy).first()
        if run is None:
            return
        if not (again and run.is_training):
            raise CommandError("This strategy has its race already. A training race is thrown away "
                               "with --again; a real one never is.")  # fmt: skip
        plan = run.first_plan
        run.delete()
        if plan is not None:
            strategy.current = plan
            strategy.save(update_fields=["current"])
            plan.stints.update(status="planned", actual_start_at=None, actual_end_at=None,
                               actual_start_lap=None, actual_laps=None)  # fmt: skip


def _speed(text: str) -> int:
    """Times as fast as real; 0 for as fast as it goes."""
    if text == "max":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= FASTEST:
        raise CommandError(f"--speed takes 1 to {FASTEST}, or max.")
    return int(text)


def _spell(kind: str, text: str) -> Spell:
    found = re.fullmatch(r"(\d+):([0-5]\d)-(\d+):([0-5]\d)", text)
    if not found:
        raise CommandError(f"{text!r} is no stretch of the race: write 1:30-2:15.")
    a, b, c, d = map(int, found.groups())
    return Spell(kind, (a * 60 + b) * 60_000, (c * 60 + d) * 60_000)


def pacer(speed: int):
    began = time.monotonic()

    def wait(at_ms: int) -> None:
        if speed:
            time.sleep(max(began + at_ms / 1000 / speed - time.monotonic(), 0))

    return wait


def caller(url: str, strategy_id: int, token: str):
    """Calls of the live API over one connection; waits where the site asks to."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    base = f"{url.rstrip('/')}/api/v1/strategies/{strategy_id}/live"

    def call(method: str, path: str, body: dict | None = None) -> dict:
        while True:
            answer = session.request(method, base + path, json=body, timeout=60)
            if answer.status_code != 429:
                break
            time.sleep(int(answer.headers.get("Retry-After", "5")))
        if answer.status_code >= 400:
            told = answer.json().get("error", {}) if "json" in answer.headers.get(
                "Content-Type", "") else {}  # fmt: skip
            raise CommandError(f"{method} {path}: {told.get('message', answer.status_code)}")
        return answer.json()

    return call
