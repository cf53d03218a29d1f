"""What the readers make of a saved page, as JSON; needs no database."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from ingestion.liverc.pages import read_page
from ingestion.liverc.pages.as_json import to_expected
from racecontrol.shared.errors import RaceError


class Command(BaseCommand):
    help = "Print what is read from a saved LiveRC page, as JSON. Touches no database."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", help="The page, as it was saved.")
        parser.add_argument(
            "--url", default="", help="Its address; without one the content tells the kind."
        )

    def handle(self, *, file: str, url: str, **options):
        try:
            page = Path(file).read_bytes()
        except OSError as missing:
            raise CommandError(f"{file} cannot be read: {missing.strerror}.") from missing
        try:
            kind, contents = read_page(page, url)
        except RaceError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(to_expected(kind, contents), indent=1, ensure_ascii=False))
