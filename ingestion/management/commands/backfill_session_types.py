"""Give old races their session type, and take it back."""

from django.core.management.base import BaseCommand, CommandError

from ingestion.domain.session_types import HIGH
from ingestion.models.events import Confidence
from ingestion.services import session_types
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import Progress


class Command(BaseCommand):
    help = (
        "Infer the session type of races that have none. Killed, it goes on when started again; "
        "contradictions go to the review queue; --rollback undoes a run."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="Only count what would be said; write nothing."
        )
        parser.add_argument(
            "--min-confidence",
            choices=Confidence.values,
            default=HIGH,
            help="Leave races alone whose type is less sure than this (default: high).",
        )
        parser.add_argument(
            "--batch",
            type=int,
            default=session_types.BATCH,
            help="Races per transaction (default: %(default)s).",
        )
        parser.add_argument(
            "--rollback", type=int, metavar="RUN", help="Undo the run of this number."
        )

    def handle(self, *, dry_run, min_confidence, batch, rollback, **options):
        self.shown = -1
        if dry_run and rollback is not None:
            raise CommandError("--dry-run does not go with --rollback.")
        try:
            if rollback is not None:
                undone = session_types.roll_back(
                    run_id=rollback, batch=batch, on_progress=self.show
                )
                self.stdout.write(
                    f"run {rollback}: {undone.restored} races are as before"
                    f"{f', {undone.kept} changed since and kept' if undone.kept else ''}"
                )
                return
            work = session_types.dry_run if dry_run else session_types.backfill
            summary = work(min_confidence=min_confidence, batch=batch, on_progress=self.show)
        except RaceError as refusal:
            details = [f"{name}: {' '.join(words)}" for name, words in refusal.fields.items()]
            raise CommandError(" ".join([str(refusal), *details])) from refusal
        self.say(summary)

    def say(self, summary: session_types.BackfillSummary) -> None:
        name = f"run {summary.run_id}" if summary.run_id else "dry run"
        again = ", continued" if summary.was_resumed else ""
        self.stdout.write(f"{name}{again}: {summary.seen} races without a type read")
        for (kind, confidence), count in sorted(summary.written.items()):
            if kind:
                self.stdout.write(f"  {count:>9} {kind} ({confidence})")
        self.stdout.write(f"  {summary.conflicts:>9} contradictory: to the review queue")
        self.stdout.write(f"  {summary.below:>9} not sure enough: left alone, read as races")
        for line in summary.examples:
            self.stdout.write(f"    {line}")
        if summary.overtaken:
            self.stdout.write(f"  {summary.overtaken:>9} changed by somebody else meanwhile: kept")
        if summary.is_consistent is None:
            return
        counts = f"{self.counts(summary.counts_before)} → {self.counts(summary.counts_after)}"
        if not summary.is_consistent:
            raise CommandError(
                f"The counts do not add up: {counts}. Something else wrote to races meanwhile; "
                f"look at the trail, or --rollback {summary.run_id}."
            )
        self.stdout.write(self.style.SUCCESS(f"counts add up: {counts}"))

    @staticmethod
    def counts(types: dict[str, int]) -> str:
        return ", ".join(f"{kind or 'none'} {count}" for kind, count in sorted(types.items()))

    def show(self, step: Progress) -> None:
        """A line per hundredth of the way."""
        percent = 100 * step.done // step.total if step.total else 100
        if percent != self.shown:
            self.shown = percent
            self.stderr.write(f"{step.done}/{step.total} {step.label}")
