"""What the account pages of allauth ask this house."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from racecontrol.shared.ratelimit import client_ip


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """Judged as everywhere by TRUSTED_PROXIES; allauth's own way breaks where an entry is missing."""
        return client_ip(request) or super().get_client_ip(request)
