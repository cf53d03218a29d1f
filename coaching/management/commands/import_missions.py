"""Bring in a legacy mission (TOML) and its points (JSON); a dry run unless --save is given."""

from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from coaching.services.mission_import import import_mission
from racecontrol.shared.errors import RaceError


class Command(BaseCommand):
    help = (
        "Import a legacy mission and its points for a person. Shows every difference and saves "
        "nothing unless --save is given; safe to run again."
    )

    def add_arguments(self, parser):
        parser.add_argument("mission", type=Path, help="The mission file (TOML).")
        parser.add_argument("--points", type=Path, help="The points file (JSON).")
        parser.add_argument("--user", required=True, help="Whose mission it is (username).")
        parser.add_argument("--timezone", help="The mission's zone; the person's own by default.")
        parser.add_argument("--save", action="store_true", help="Write; otherwise only look.")

    def handle(self, *, mission, points, user, timezone, save, **options):
        owner = get_user_model().objects.filter(username=user).first()
        if owner is None:
            raise CommandError(f"There is nobody called {user}.")
        try:
            mission_data = mission.read_bytes()
            points_data = points.read_bytes() if points else None
        except OSError as missing:
            raise CommandError(f"Cannot read {missing.filename}: {missing.strerror}.") from missing
        try:
            done = import_mission(
                owner=owner,
                mission_data=mission_data,
                points_data=points_data,
                timezone=timezone or owner.time_zone,
                now=now(),
                is_saved=save,
            )
        except RaceError as refusal:
            fields = "".join(
                f"\n  {name}: {' '.join(words)}" for name, words in refusal.fields.items()
            )
            raise CommandError(f"{refusal}{fields}") from refusal
        for difference in done.differences:
            self.stdout.write(f"  differs: {difference}")
        word = "new" if done.is_new else "known"
        self.stdout.write(
            f"{word} mission; stages: {done.stages_made} new, {done.stages_changed} changed, "
            f"{done.stages_same} the same; {done.total_points} points by the rules"
        )
        if done.is_saved:
            self.stdout.write(self.style.SUCCESS("saved"))
        else:
            self.stdout.write("dry run: nothing was saved (use --save)")
