"""The OAuth 2 dance, the same for every provider; what differs is told by its Provider.

Bodies are made and read by oauthlib. Where we are sent and what is posted is ours, because
oauthlib refuses the plain http of a stand-in on this machine.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from coaching.connections.errors import GrantLost, ProviderDown, ProviderRefused
from coaching.connections.transport import Reply, call

TOKEN_CALL_S: Final = 15.0


@dataclass(frozen=True, slots=True, repr=False)
class Provider:
    """How one provider does it. `scopes` are asked for; those in `needed` must be granted."""

    name: str
    label: str
    api_url: str
    authorize_url: str = ""
    token_url: str = ""
    revoke_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scopes: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    separator: str = " "
    revoke_style: str = ""  # "basic": client credentials and token; "query": token in the address
    extra: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"Provider({self.name})"

    @property
    def is_set_up(self) -> bool:
        """Did the operator register this site with the provider?"""
        return bool(self.client_id and self.client_secret and self.authorize_url)


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What a token endpoint gave. `expires_at` in epoch seconds, None where it never ends."""

    access: str
    refresh: str
    expires_at: float | None
    scopes: tuple[str, ...]
    account_id: str

    def __repr__(self) -> str:
        return "Tokens(…)"


def authorize_url(provider: Provider, *, redirect_uri: str, state: str) -> str:
    """Where the person agrees."""
    values = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.separator.join(provider.scopes),
        "state": state,
    }
    return f"{provider.authorize_url}?{urlencode(values | dict(provider.extra or {}))}"


def exchange(provider: Provider, *, code: str, redirect_uri: str) -> Tokens:
    """Tokens for the code of a callback. Raises GrantLost, ProviderDown."""
    body = WebApplicationClient(provider.client_id).prepare_request_body(
        code=code, redirect_uri=redirect_uri, client_secret=provider.client_secret
    )
    return _ask(provider, body, "The permission did not arrive whole: connect again.")


def refresh(provider: Provider, *, refresh_token: str) -> Tokens:
    """New tokens for an old refresh token. Raises GrantLost where it is not taken any more."""
    body = WebApplicationClient(provider.client_id).prepare_refresh_body(
        refresh_token=refresh_token,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
    )
    message = f"{provider.label} does not accept the permission any more: connect again."
    return _ask(provider, body, message, old_refresh=refresh_token)


def _ask(provider: Provider, body: str, lost: str, *, old_refresh: str = "") -> Tokens:
    reply = call(
        "POST", provider.token_url, provider=provider.label, form=body, call_s=TOKEN_CALL_S
    )
    if reply.status in (400, 401, 403):
        raise GrantLost(lost, reason="invalid_grant", status=reply.status)
    if reply.status != 200:
        raise ProviderDown(
            f"{provider.label} is busy or broken (HTTP {reply.status}).",
            reason="rate_limited" if reply.status == 429 else "server_error",
            status=reply.status,
        )
    return _read(provider, reply, lost, old_refresh)


def _read(provider: Provider, reply: Reply, lost: str, old_refresh: str) -> Tokens:
    told: Any = reply.json(provider.label)
    try:
        parsed = WebApplicationClient(provider.client_id).parse_request_body_response(
            reply.body.decode()
        )
        access = str(parsed["access_token"])
        expires_at = told.get("expires_at")
        if expires_at is None and told.get("expires_in") is not None:
            expires_at = time.time() + float(told["expires_in"])
        expires_at = None if expires_at is None else float(expires_at)
    except OAuth2Error as error:
        if error.error == "invalid_grant":
            raise GrantLost(lost, reason="invalid_grant", status=reply.status) from None
        raise _garbled(provider) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _garbled(provider) from None
    scopes = str(told.get("scope") or "").replace(",", " ").split()
    athlete = told.get("athlete")
    account = athlete.get("id") if isinstance(athlete, dict) else ""
    return Tokens(
        access=access,
        refresh=str(told.get("refresh_token") or old_refresh),
        expires_at=expires_at,
        scopes=tuple(scopes),
        account_id=str(account or ""),
    )


def _garbled(provider: Provider) -> ProviderDown:
    return ProviderDown(f"{provider.label} gave a permission we cannot read.", reason="garbled")


def revoke(provider: Provider, *, token: str) -> None:
    """Give the permission back. Quiet where it is gone already; raises ProviderDown to try again."""
    if not provider.revoke_url:
        return
    basic, form, params = None, None, None
    if provider.revoke_style == "basic":
        basic = (provider.client_id, provider.client_secret)
        form = urlencode({"token": token})
    else:
        params = {"access_token": token}
    reply = call(
        "POST", provider.revoke_url, provider=provider.label, form=form, params=params, basic=basic,
        call_s=TOKEN_CALL_S,
    )  # fmt: skip
    if reply.status in (200, 204, 400, 401, 404):  # gone now, or was gone
        return
    if reply.status == 429 or reply.status >= 500:
        raise ProviderDown(
            f"{provider.label} is busy or broken (HTTP {reply.status}).",
            reason="server_error", status=reply.status,
        )  # fmt: skip
    raise ProviderRefused(
        f"{provider.label} refused to take the permission back (HTTP {reply.status}).",
        reason="refused", status=reply.status,
    )  # fmt: skip
