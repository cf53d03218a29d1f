"""Import an event from the command line: the same service the page and the worker call."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from ingestion.liverc.addresses import EVENT, read_address
from ingestion.management.patience import wait_out
from ingestion.queries.events import events
from ingestion.services import costs, imports
from ingestion.services.fetching import BudgetExhausted
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import Progress


class Command(BaseCommand):
    help = "Import every race of a LiveRC event; safe to run again."

    def add_arguments(self, parser):
        parser.add_argument("event", help="The event's number, or the address of its page.")
        parser.add_argument("--track", default="", help="The track, where the event is new here.")
        parser.add_argument(
            "--refresh", action="store_true", help="Ask again for races that are long settled."
        )

    def handle(self, *, event: str, track: str, refresh: bool, **options):
        if "/" in event:
            address = read_address(event)
            if address.kind != EVENT or not address.id:
                raise CommandError(f"{event} is not the address of an event page.")
            event, track = address.id, track or address.track or ""
        self.tell_cost(event, track, refresh)
        since, summary = now(), imports.ImportSummary(event)
        while True:
            try:
                imports.import_event(
                    source_event_id=event,
                    track_slug=track,
                    refresh=refresh,
                    since=since,
                    summary=summary,
                    on_progress=self.show,
                )
                break
            except BudgetExhausted as spent:
                wait_out(spent, self)
            except RaceError as refusal:
                raise CommandError(str(refusal)) from refusal
        for race in summary.failed:
            self.stderr.write(f"{race['label']}: {race['reason']}")
        self.stdout.write(
            self.style.SUCCESS(
                f"{summary.races} races: {summary.changed} changed, {summary.unchanged} unchanged, "
                f"{summary.skipped} not asked for again, {len(summary.failed)} failed; "
                f"{summary.laps} laps read"
            )
        )

    def tell_cost(self, event: str, track: str, refresh: bool) -> None:
        """Before the first request: would this take most of the day's budget?"""
        known = events().filter(source_event_id=event).first()
        slug = known.track.slug if known else track
        if slug:
            cost = costs.import_cost(track_slug=slug, event=known, refresh=refresh)
            if cost.warning:
                self.stdout.write(self.style.WARNING(cost.warning))

    def show(self, step: Progress) -> None:
        self.stdout.write(f"{step.done}/{step.total} {step.label}")
