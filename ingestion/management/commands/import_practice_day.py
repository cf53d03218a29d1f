"""Import a practice day from the command line: the same service the page and the worker call."""

from django.core.management.base import BaseCommand, CommandError

from ingestion.management.patience import wait_out
from ingestion.services.fetching import BudgetExhausted
from ingestion.services.practice.importing import DaySummary, import_day
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import Progress


class Command(BaseCommand):
    help = "Import every session of a LiveRC practice day; safe to run again."

    def add_arguments(self, parser):
        parser.add_argument("day", help="Such as canberraoffroad-practice-2025-10-25.")
        parser.add_argument(
            "--refresh", action="store_true", help="Ask for the day's overview past the cache."
        )

    def handle(self, *, day: str, refresh: bool, **options):
        summary = self.bring(day, refresh)
        for one in summary.failed:
            self.stderr.write(f"{one['source_session_id']}: {one['reason']}")
        self.stdout.write(
            self.style.SUCCESS(
                f"{summary.sessions} sessions: {summary.changed} read, {summary.unchanged} unchanged, "
                f"{summary.removed} removed, {len(summary.failed)} failed; {summary.laps} laps read"
            )
        )

    def bring(self, day: str, refresh: bool) -> DaySummary:
        """Waits out the budget's minutes; what was read before a wait comes from the store after it."""
        while True:
            try:
                return import_day(source_event_id=day, refresh=refresh, on_progress=self.show)
            except BudgetExhausted as spent:
                wait_out(spent, self)
            except RaceError as refusal:
                raise CommandError(str(refusal)) from refusal

    def show(self, step: Progress) -> None:
        self.stdout.write(f"{step.done}/{step.total} {step.label}")
