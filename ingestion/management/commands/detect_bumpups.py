"""Find bump-ups in what is stored: in one event, or over all of history."""

import json

from django.core.management.base import BaseCommand, CommandError

from ingestion.models import Event
from ingestion.queries.bumpup_truth import truth_of
from ingestion.services import bumpups
from racecontrol.shared.progress import Progress


class Command(BaseCommand):
    help = (
        "Detect bump-ups in imported events; safe to repeat, never overrides a person's decision."
    )

    def add_arguments(self, parser):
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--event", metavar="SOURCE_ID", help="The event's id at LiveRC.")
        which.add_argument("--all", action="store_true", help="Every imported race event.")
        which.add_argument("--track", metavar="SLUG", help="Every imported event of a track.")
        parser.add_argument(
            "--json", action="store_true", help="Print the event's edges as ground truth files do."
        )

    def handle(self, *, event, track, json, **options):
        if json and not event:
            raise CommandError("--json goes with --event.")
        if event:
            self.one(event, as_json=json)
            return
        events = Event.objects.filter(kind=Event.Kind.RACE).exclude(state=Event.State.LISTED)
        if track:
            events = events.filter(track__slug=track)
        ids = list(events.order_by("pk").values_list("pk", flat=True))
        summary = bumpups.detect_for_events(ids, on_progress=self.show)
        self.say(summary)

    def one(self, source_id: str, *, as_json: bool) -> None:
        event = Event.objects.filter(source_event_id=source_id).first()
        if event is None:
            raise CommandError(f"Event {source_id} is not stored; import it first.")
        summary = bumpups.detect_for_event(event.pk)
        if as_json:
            self.stdout.write(json.dumps(truth_of(event), indent=1, ensure_ascii=False))
        else:
            self.say(summary)

    def say(self, summary: bumpups.Summary) -> None:
        self.stdout.write(
            self.style.SUCCESS(
                f"{summary.events} events: {summary.standing} bump-ups, {summary.flagged} to look at "
                f"({summary.created} new, {summary.updated} changed, {summary.removed} gone)"
            )
        )

    def show(self, step: Progress) -> None:
        self.stderr.write(f"{step.done}/{step.total} {step.label}")
