"""Strava's hook for this site: one subscription of the whole application."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from coaching.connections import strava
from coaching.connections.errors import ProviderError
from coaching.connections.providers import STRAVA, provider_of


class Command(BaseCommand):
    help = "Show, create or delete this site's subscription to Strava's news."

    def add_arguments(self, parser):
        parser.add_argument("action", choices=["show", "create", "delete"])

    def handle(self, *, action, **options):
        provider = provider_of(STRAVA)
        if not provider.is_set_up or not settings.STRAVA_WEBHOOK_SECRET:
            raise CommandError(
                "Set STRAVA_CLIENT_ID, STRAVA_CLIENT_SECRET and STRAVA_WEBHOOK_SECRET first."
            )
        path = reverse("coaching:strava_hook", args=[settings.STRAVA_WEBHOOK_SECRET])
        try:
            found = strava.subscriptions(provider)
            if action == "create" and not found:
                strava.subscribe(
                    provider,
                    callback_url=f"{settings.PUBLIC_URL.rstrip('/')}{path}",
                    verify_token=settings.STRAVA_WEBHOOK_SECRET,
                )
            elif action == "delete":
                for number in found:
                    strava.unsubscribe(provider, number)
            found = strava.subscriptions(provider)
        except ProviderError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"subscriptions: {', '.join(map(str, found)) or 'none'}")
