"""Plan a run from the terminal: from options, a file, or the JSON a machine would post."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from racecontrol.shared.api import error_body
from racecontrol.shared.errors import RaceError
from runplans import services
from runplans.domain.document import LARGEST_BODY, read_document, write_document
from runplans.forms import number_of, seconds_of
from runplans.presentation import Shown

# Option -> place in the document, words for the help.
NUMBERS = {
    "laps": ("required_laps", "laps to drive"),
    "minutes": ("run_duration_min", "or minutes to drive; needs --pace"),
    "burn": ("fuel_burn_l_per_lap", "litres burned in a lap"),
    "start": ("starting_fuel_l", "litres at the start; by default a full tank"),
    "tank": ("car.tank_capacity_l", "litres a full tank holds"),
    "pit-loss": ("track.pit_lane_loss_s", "seconds one stop costs"),
    "reserve-laps": ("reserve_laps", "laps of fuel that are never touched"),
    "reserve": ("reserve_l", "litres that are never touched"),
}
TEXTS = {
    "title": ("title", "name of the plan"),
    "objective": ("objective", "such as baseline"),
    "finish-rule": ("finish_rule", "floor, finish_lap or plus_one"),
    "fill-policy": ("fill_policy", "minimum, full or even"),
    "driver": ("driver.name", "who drives"),
    "car": ("car.name", "what is driven"),
    "track": ("track.name", "where"),
}
INLINE = "\x00"  # --json without a value


class Command(BaseCommand):
    help = (
        "Plan a run: laps possible, fuel, stints, stops, time. Inputs come from the options, or as "
        "JSON from a file, from standard input (-), or as text after --json. Refused inputs name "
        "every wrong field and end with status 1."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("document", nargs="?", help="JSON file, or - for standard input")
        for name, (_, words) in (NUMBERS | TEXTS).items():
            parser.add_argument(f"--{name}", help=words)
        parser.add_argument("--pace", help="a lap: seconds, or m:ss.sss")
        parser.add_argument("--pit-time-counts", action="store_true", help="stops cost run time")
        parser.add_argument("--saving", action="store_true", help="how to save a stop, pit windows")
        parser.add_argument(
            "--json",
            nargs="?",
            const=INLINE,
            metavar="TEXT",
            help="print JSON as the API does; with TEXT, that is the document",
        )
        parser.add_argument("--store", action="store_true", help="keep the plan and print its id")
        parser.add_argument("--owner", help="user name the stored plan belongs to")

    def handle(self, *, document: str | None, store: bool, owner: str | None, **options: Any):
        wants_json = options["json"] is not None
        body = self._body(document, options)
        try:
            if store:
                plan = services.create_plan(body=body, by=self._owner(owner))
                answer = plan.body.decode()
            else:
                result = services.computed(body)
                inputs = write_document(read_document(body)[0])
                answer = f'{{"inputs": {inputs}, "result": {json.dumps(result)}}}'
        except RaceError as refusal:
            self._refuse(refusal, wants_json=wants_json)
            return
        self.stdout.write(answer if wants_json else self._words(json.loads(answer)))

    def _body(self, document: str | None, options: dict[str, Any]) -> bytes | str:
        """The JSON to plan from: as it was given, or written from the options."""
        inline = options["json"]
        told = [name for name in (*NUMBERS, *TEXTS, "pace") if options[name.replace("-", "_")]]
        flags = [name for name in ("pit_time_counts", "saving") if options[name]]
        if inline not in (None, INLINE):
            document = document or inline
        if document is None and not told and not flags:
            if sys.stdin is None or sys.stdin.isatty():
                raise CommandError("Give --laps or --minutes with --burn, or a JSON document.")
            document = "-"
        if document is not None:
            if told or flags:
                raise CommandError(f"Give a document or options, not both (--{(told + flags)[0]}).")
            return self._read(document)
        return write_document(self._from_options(options))

    def _read(self, document: str) -> bytes | str:
        if document.lstrip()[:1] in ("{", "["):
            return document
        if document == "-":
            source = getattr(sys.stdin, "buffer", None)
            return source.read(LARGEST_BODY + 1) if source else sys.stdin.read(LARGEST_BODY + 1)
        try:
            with Path(document).open("rb") as file:
                return file.read(LARGEST_BODY + 1)
        except OSError as error:
            raise CommandError(f"{document} cannot be read: {error.strerror}.") from error

    def _from_options(self, options: dict[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for name, (place, _) in (NUMBERS | TEXTS).items():
            value = options[name.replace("-", "_")]
            if value is None:
                continue
            holder, _, key = place.rpartition(".")
            inside = document.setdefault(holder, {}) if holder else document
            inside[key] = number_of(value) if name in NUMBERS else value
        if options["pace"] is not None:
            document["target_pace_s"] = seconds_of(options["pace"])
        if options["pit_time_counts"]:
            document["pit_time_counts"] = True
        if options["saving"]:
            document["options"] = ["saving"]
        return document

    def _owner(self, name: str | None) -> Any:
        if name is None:
            return None
        user = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        return user

    def _refuse(self, refusal: RaceError, *, wants_json: bool) -> None:
        if wants_json:
            told = error_body(refusal.code, str(refusal), refusal.fields)
            self.stdout.write(json.dumps(told))
            raise SystemExit(1)
        lines = [
            f"{name}: {' '.join(texts)}"
            for name, texts in refusal.fields.items()
            if texts != [str(refusal)]
        ]
        raise CommandError("\n  ".join([str(refusal), *lines]))

    def _words(self, answer: dict[str, Any]) -> str:
        """The plan for a person at a terminal."""
        shown = Shown(answer["inputs"], answer["result"])
        plural = "" if shown.stops == 1 else "s"
        lines = [
            f"{shown.laps} laps, {shown.total_fuel} needed, {shown.stops} stop{plural}, time {shown.time}",
            "",
            "stint  laps      from – to      fuel in  starts with    ends with",
        ]
        for stint in shown.stints:
            span = f"{stint.first_lap} – {stint.last_lap}"
            lines.append(
                f"{stint.number:>5}  {stint.laps:>4}  {span:>13}  {stint.refuel or '–':>11}"
                f"  {stint.fuel_start:>11}  {stint.fuel_end:>11}"
            )
        if shown.saving:
            lines += ["", shown.saving]
            lines += [
                f"stop {w['stop_no']}: after lap {w['earliest_lap']} at the earliest, "
                f"{w['latest_lap']} at the latest"
                for w in shown.windows
            ]
        lines += ["", *(note.sentence for note in shown.notes)]
        if "id" in answer:
            lines += ["", f"stored as {answer['id']}"]
        return "\n".join(lines)
