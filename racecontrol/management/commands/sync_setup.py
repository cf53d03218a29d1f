from django.core.management.base import BaseCommand
from django.db import transaction
from django_q.models import Schedule
from waffle.models import Flag

from racecontrol.schedules import CRON
from racecontrol.shared import flags, store


class Command(BaseCommand):
    help = "Make the flags and schedules in the database match the code; safe to run again."

    def add_arguments(self, parser):
        parser.add_argument(
            "--new-store",
            action="store_true",
            help="The site's files are lost: what this host sees is the file store from now on.",
        )

    @transaction.atomic
    def handle(self, *, new_store: bool = False, **options):
        for name, sentence in flags.ALL.items():
            # everyone stays as a person chose it; None means off but for chosen people, and
            # superusers are not chosen unless somebody says so (waffle would choose them)
            values = {"note": sentence}
            Flag.objects.update_or_create(
                name=name, defaults=values, create_defaults=values | {"superusers": False}
            )
        for task, cron in CRON.items():
            values = {
                "func": task,
                "schedule_type": Schedule.CRON,
                "cron": cron,
                "cluster": "default",
            }
            Schedule.objects.update_or_create(
                name=task, defaults=values, create_defaults=values | {"repeats": -1}
            )
        if new_store:
            store.renew()
        gone, _ = Schedule.objects.exclude(name__in=CRON).delete()
        self.stdout.write(f"{len(flags.ALL)} flags, {len(CRON)} schedules, {gone} removed")
