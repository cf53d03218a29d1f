"""Put old practice days away, or bring one back."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ingestion.models import PracticeDay
from ingestion.services.practice import archive
from racecontrol.shared.errors import RaceError


class Command(BaseCommand):
    help = (
        "Archive practice days older than --months (PRACTICE_ARCHIVE_MONTHS); nothing is deleted."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--months",
            type=int,
            help=f"Older than so many months (default {settings.PRACTICE_ARCHIVE_MONTHS}).",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say which days.")
        parser.add_argument(
            "--restore", metavar="SOURCE_ID", help="Bring this day back into the lists."
        )

    def handle(self, *, months: int | None, dry_run: bool, restore: str | None, **options):
        try:
            if restore:
                self.restore(restore)
                return
            days = archive.old_days(months=months)
            for day in days:
                self.stdout.write(str(day))
                if not dry_run:
                    archive.archive_day(event_id=day.pk)
        except RaceError as refusal:
            raise CommandError(str(refusal)) from refusal
        verb = "would be archived" if dry_run else "archived"
        self.stdout.write(self.style.SUCCESS(f"{len(days)} practice days {verb}"))

    def restore(self, source_event_id: str) -> None:
        day = PracticeDay.objects.filter(event__source_event_id=source_event_id).first()
        if day is None:
            raise CommandError(f"{source_event_id} is not known here.")
        archive.restore_day(event_id=day.pk)
        self.stdout.write(self.style.SUCCESS(f"{day} is back"))
