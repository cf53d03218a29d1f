"""Strava, Oura and intervals.icu as stand-ins for development. None of their data is anybody's."""

import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from coaching.connections.fakes import KINDS, FakeProviders
from coaching.connections.fakes.faults import Fault


class Command(BaseCommand):
    help = "Run stand-ins of Strava, Oura and intervals.icu (development only)."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8097)
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            help=f"KIND[xTIMES][@PATH], e.g. 429x2@activities. Kinds: {', '.join(KINDS)}",
        )

    def handle(self, *, port, fault, **options):
        if settings.PRODUCTION:
            raise CommandError("The stand-ins are for development.")
        faults = [read_fault(told) for told in fault]
        try:
            fakes = FakeProviders(port=port, is_asking=True, faults=faults)
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used: {error}") from error
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: fakes.stop())
        for name, value in fakes.settings().items():
            self.stdout.write(f"{name}={value}")
        self.stdout.write("intervals.icu also takes the key icu-key")
        self.stdout.flush()
        fakes.serve_forever()


def read_fault(told: str) -> Fault:
    """ "429x2@activities" as a fault; without a count it lasts for ever."""
    what, _, path = told.partition("@")
    kind, _, times = what.partition("x")
    if kind not in KINDS or (times and not times.isdigit()):
        raise CommandError(f"--fault {told}: KIND[xTIMES][@PATH], KIND one of {', '.join(KINDS)}.")
    return Fault(kind, int(times or -1), path)
