"""The web server: uvicorn with our ASGI application, streams included."""

import asyncio
import contextlib
import signal
from types import FrameType

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from racecontrol import checks, livestream
from racecontrol.aftermath import become_this
from racecontrol.devdb import cluster_of
from racecontrol.shared.leash import Leash


class Server(uvicorn.Server):
    """Ends open streams first: otherwise stopping would wait for every page to be closed."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        livestream.close_streams()
        super().handle_exit(sig, frame)


class Command(BaseCommand):
    help = "Serve the site. Behind a proxy that ends TLS; several may run on one database."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, host, port, **options):
        leash = Leash()
        leash.hold()
        checks.tell_at_start()
        connection.close()  # the server's threads open their own
        # uvicorn sends itself the signal again after a clean stop; by then it has said all.
        signal.signal(signal.SIGTERM, lambda *_: None)
        config = uvicorn.Config(
            "racecontrol.asgi:application",
            host=host,
            port=port,
            log_config=None,  # Django's logging is set up already
            access_log=False,  # django-structlog writes one line per request
            server_header=False,
            proxy_headers=False,  # settings.TRUSTED_PROXIES decides whom to believe
            timeout_graceful_shutdown=5,
        )
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            Server(config).run()
        cluster = cluster_of(settings.DATABASES["default"])
        if leash.is_cut and cluster:
            become_this(cluster)
