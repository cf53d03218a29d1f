"""The demo team and its data: people, flags on, and one event through the real pipeline."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.module_loading import import_string
from waffle.models import Flag

from racecontrol.models import User
from racecontrol.shared import flags


class Command(BaseCommand):
    help = (
        "Make the demo login and queue the demo imports; safe to run again. Refused in production."
    )

    @transaction.atomic
    def handle(self, **options):
        if settings.PRODUCTION:
            raise CommandError("The demo login has a known password: not with DEBUG off.")
        demo, made = User.objects.get_or_create(
            username="demo",
            defaults={
                "email": "demo@example.org",
                "display_name": "Demo",
                "is_staff": True,
                "is_superuser": True,
            },
        )
        if made:
            demo.set_password("demo")
            demo.save()
            Flag.objects.filter(name__in=flags.ALL).update(everyone=True)
        for name in settings.DEMO_LOADERS:
            import_string(name)(by=demo)
        self.stdout.write("demo / demo" + ("" if made else " (was there already)"))
