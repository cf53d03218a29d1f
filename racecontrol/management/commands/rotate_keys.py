"""Seal every stored secret with the first of FIELD_KEYS; then the old key may go."""

from django.core.management.base import BaseCommand

from racecontrol.shared import secrets


class Command(BaseCommand):
    help = "Seal every stored secret anew with the first of FIELD_KEYS; safe to run again."

    def handle(self, **options):
        written = secrets.rotate()
        self.stdout.write(
            self.style.SUCCESS(f"{written} rows and files sealed with the newest key.")
        )
