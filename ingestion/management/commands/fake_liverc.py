"""The LiveRC stand-in as a process of its own."""

import signal
from datetime import date

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion.fake_liverc import FakeLiveRC
from ingestion.fake_liverc.faults import read_faults
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from racecontrol.shared.leash import Leash


class Command(BaseCommand):
    help = "Serve LiveRC-shaped pages of invented races, for the demo and for tests."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8009, help="0 takes any free port.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--today", type=date.fromisoformat, help="The day it is there; default: today."
        )
        parser.add_argument(
            "--faults",
            default="",
            help="kind[:value][xCOUNT]@pattern;… or JSON, e.g. '429:5x2@view_event'.",
        )
        parser.add_argument("--leash", action="store_true", help="End when stdin is closed.")

    def handle(self, *, port, seed, today, faults, leash, **options):
        try:
            told = read_faults(faults)
        except (ValueError, TypeError) as error:
            raise CommandError(f"--faults: {error}") from error
        try:
            fake = FakeLiveRC(seed=seed, today=today or timezone.localdate(), port=port)
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used: {error}") from error
        for fault in told:
            fake.faults.add(fault)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: fake.stop())
        if leash:
            Leash().hold()
        self.stdout.write(f"LiveRC stand-in at {fake.url}/ (demo event {DEMO_EVENT_ID} at redgum)")
        self.stdout.flush()
        with fake.server:
            fake.serve()
