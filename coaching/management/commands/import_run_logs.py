"""Read a lap file from a terminal; the same as the upload, with progress."""

from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from coaching.services.lap_files import import_laps
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import Progress


class Command(BaseCommand):
    help = (
        "Read a CSV of laps (heat_name, lap_number, lap_time; optional session_id, "
        "confidence_rating, flag, kind) into somebody's run log. Safe to run again."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--user", required=True, help="Whose sessions: name or email.")
        parser.add_argument("--session", type=int, help="Session of rows that name none.")
        parser.add_argument("--skip-bad", action="store_true", help="Leave out bad rows.")

    def handle(
        self, *, file: Path, user: str, session: int | None, skip_bad: bool, **options
    ) -> None:
        owner = get_user_model().objects.filter(Q(username=user) | Q(email__iexact=user)).first()
        if owner is None:
            raise CommandError(f"There is nobody called {user}.")
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                report = import_laps(
                    lines, by=owner, session_id=session, skip_bad=skip_bad, on_progress=self.show
                )
        except (RaceError, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        except UnicodeDecodeError as error:
            raise CommandError("The file is not UTF-8 text.") from error
        for row in report.bad_rows:
            self.stderr.write(f"line {row['line']}: {row['reason']}")
        self.stdout.write(
            f"{report.stored} laps stored, {report.there} were there "
            f"({report.different} with another time), {report.bad} left out"
        )

    def show(self, step: Progress) -> None:
        self.stderr.write(step.label)
