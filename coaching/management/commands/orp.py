"""Score lap times from the command line; reads no database."""

import json

from django.core.management.base import BaseCommand, CommandError

from coaching.domain.advice import STRATEGY_NAMES, advice_for
from coaching.domain.laps import FLAGS, read_lap_ms
from coaching.domain.orp_v1 import orp_v1
from coaching.domain.orp_v2 import orp_v2
from racecontrol.shared.errors import InvalidInput


class Command(BaseCommand):
    help = "Optimal Race Pace of one run: lap times in driven order, in seconds or m:ss.sss."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--laps", required=True, help="58.1,58.0,1:02.345")
        parser.add_argument("--formula", choices=["v1", "v2"], default="v2")
        parser.add_argument("--confidence", type=int, help="1 to 5; below 3 closes the gate.")
        parser.add_argument("--experience", default="Intermediate", metavar="LEVEL")
        parser.add_argument("--kind", choices=["race", "practice"], default="practice")
        parser.add_argument(
            "--flags",
            default="",
            help='Laps that do not count: 1=out,7=pit, or {"0": "out"} with positions from 0.',
        )
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(
        self,
        *,
        laps: str,
        formula: str,
        confidence: int | None,
        experience: str,
        kind: str,
        flags: str,
        as_json: bool,
        **options,
    ):
        if confidence is not None and not 1 <= confidence <= 5:
            raise CommandError("--confidence goes from 1 to 5.")
        laps_s = read_laps(laps)
        if formula == "v1":
            answer = orp_v1(
                laps_s,
                experience_level=experience,
                driver_confidence=3 if confidence is None else confidence,
            )
            lines = [answer.get("recommendation") or answer.get("reason") or answer["message"]]
            head = f"ORP v1 {answer['orp_score']} ({answer['status']})"
        else:
            result = orp_v2(
                laps_s, kind=kind, flags=read_flags(flags, len(laps_s)), confidence=confidence
            )
            lines = advice_for(result, confidence=confidence)
            answer = result.as_dict() | {"advice": lines}
            head = f"ORP v2 no score ({result.status})"
            if result.is_valid:
                head = (
                    f"ORP v2 {result.score} ({result.low} to {result.high}), "
                    f"{STRATEGY_NAMES[result.strategy].lower()}, quality {result.quality}"
                )
        self.stdout.write(
            json.dumps(answer, ensure_ascii=False) if as_json else "\n".join([head, *lines])
        )


def read_laps(text: str) -> list[float]:
    """Seconds as given: a formula's tie must not be decided by a rounding of ours."""
    laps = []
    for number, part in enumerate(filter(None, (p.strip() for p in text.split(","))), start=1):
        try:
            read_lap_ms(part)
        except InvalidInput as refusal:
            raise CommandError(f"Lap {number}: {refusal}") from refusal
        minutes, _, seconds = part.rpartition(":")
        laps.append(int(minutes or 0) * 60 + float(seconds))
    return laps


def read_flags(text: str, laps: int) -> dict[int, str]:
    """Driven lap number -> flag."""
    try:
        if text.lstrip().startswith("{"):
            flags = {int(position) + 1: flag for position, flag in json.loads(text).items()}
        else:
            pairs = (part.split("=") for part in text.split(",") if part.strip())
            flags = {int(number): flag.strip() for number, flag in pairs}
    except (ValueError, AttributeError) as error:
        raise CommandError("--flags looks like 1=out,7=pit.") from error
    for number, flag in flags.items():
        if flag not in FLAGS:
            raise CommandError(f"--flags: {flag!r} is none of {', '.join(FLAGS)}.")
        if not 1 <= number <= laps:
            raise CommandError(f"--flags: there is no lap {number}.")
    return flags
