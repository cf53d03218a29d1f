from django.core.management.base import BaseCommand

from ingestion.liverc.pages import READERS
from ingestion.services.reparse import reparse
from racecontrol.shared.progress import Progress


class Command(BaseCommand):
    help = "Run today's readers over the stored pages, without asking LiveRC; safe to run again."

    def add_arguments(self, parser):
        parser.add_argument(
            "--kind", choices=sorted(READERS), default="", help="One page type only."
        )
        parser.add_argument("--track", default="", help="One track's slug only.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what differs, write nothing."
        )

    def handle(self, *, kind, track, dry_run, verbosity, **options):
        self.verbosity = verbosity
        done = reparse(kind=kind, track=track, dry_run=dry_run, on_progress=self.show)
        for name, count in sorted(done.read.items()):
            self.stdout.write(f"{name}: {count} read, {done.changed[name]} read differently")
        for line in done.failed:
            self.stderr.write(line)
        word = "would be" if dry_run else "were"
        changed = sum(done.changed.values()) if dry_run else done.saved
        self.stdout.write(f"{changed} races or pages {word} changed, {len(done.failed)} unreadable")

    def show(self, step: Progress) -> None:
        if self.verbosity > 1:
            self.stdout.write(f"{step.done}/{step.total} {step.label}")
