"""Write today's guidance of a mission now, or once more, in this process."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from coaching.models import Mission
from coaching.services import mission_runs, missions
from racecontrol.shared import jobs
from racecontrol.shared.errors import RaceError


class Command(BaseCommand):
    help = "Run a mission's guidance of today, or again (developer tool)."

    def add_arguments(self, parser):
        parser.add_argument("mission", type=int)
        parser.add_argument("--mail", action="store_true", help="Send the mail again as well.")

    def handle(self, *, mission, mail, **options):
        row = Mission.objects.select_related("owner").filter(pk=mission).first()
        if row is None:
            raise CommandError("There is no such mission.")
        try:
            run = mission_runs.run_now(
                mission_id=row.pk, by=row.owner, now=now(), is_mail_wanted=mail
            )
        except RaceError as refusal:
            raise CommandError(str(refusal)) from refusal
        jobs.run_now(missions.enqueue_run(run))
        run.refresh_from_db()
        self.stdout.write(f"{run}: {run.get_status_display()} {run.reason}")
