"""What the account pages of allauth ask this house."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest
from django.shortcuts import redirect

from racecontrol.shared.ratelimit import client_ip


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """Judged as everywhere by TRUSTED_PROXIES; allauth's own way breaks where an entry is missing."""
        return client_ip(request) or super().get_client_ip(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """An address opens the account (reset link, code to delete it): an open session alone changes none.

        Who has no password, but an address, gets one by a link to that address first.
        """
        user = self.request.user
        if user.email and not user.has_usable_password():
            raise ImmediateHttpResponse(redirect("account_set_password"))
        return True
