"""API tokens: made once, shown once, kept as a hash."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from racecontrol.models import ApiToken
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound

SEEN_EVERY = timedelta(minutes=5)  # how exactly we keep `last_used_at`
MOST_PER_PERSON = 20


@transaction.atomic
def make(
    *, by: Any, name: str, scope: str, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret (256 random bits), which nobody can read again."""
    name = name.strip()
    fields: dict[str, list[str]] = {}
    if not name or len(name) > 80:
        fields["name"] = ["Give the token a name of 1 to 80 characters."]
    if scope not in ApiToken.Scope.values:
        fields["scope"] = ["read, write or feed."]
    if expires_at and expires_at <= now():
        fields["expires_at"] = ["The end lies in the past."]
    if usable().filter(user=by).count() >= MOST_PER_PERSON:
        fields["name"] = [f"{MOST_PER_PERSON} tokens are in use; revoke one first."]
    if fields:
        raise InvalidInput("The token was not made.", fields=fields)
    secret = f"rc_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=by,
        name=name,
        scope=scope,
        expires_at=expires_at,
        prefix=secret[:9],
        sha256=hash_of(secret),
    )
    audit.record(by=by, verb="token.made", obj=token, after={"scope": scope})
    return token, secret


def own(*, by: Any, token_id: int) -> ApiToken:
    """A token in use, one's own or for staff any; raises NotFound otherwise."""
    tokens = ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True)
    token = (tokens if by.is_staff else tokens.filter(user=by)).first()
    if token is None:
        raise NotFound("There is no such token in use.")
    return token


@transaction.atomic
def revoke(*, by: Any, token_id: int) -> None:
    """End a token for good. Owners end their own, staff end any; raises NotFound otherwise."""
    token = own(by=by, token_id=token_id)
    token.revoked_at = now()
    token.save(update_fields=["revoked_at"])
    audit.record(by=by, verb="token.revoked", obj=token)


def usable() -> Any:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now())
    return ApiToken.objects.filter(alive, revoked_at__isnull=True)


def find(secret: str) -> ApiToken | None:
    """The token with this secret, if it may still be used and its owner is active."""
    token = (
        usable().filter(sha256=hash_of(secret), user__is_active=True).select_related("user").first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now() - SEEN_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now())
    return token


# The question of `find` in SQL, for a path that has no time for models; takes the hash and
# SEEN_EVERY. It knows only tokens seen lately: for any other no row comes, and `find` is to be
# asked, which also keeps `last_used_at`.
FIND_SEEN_LATELY = """
    SELECT token.id, token.user_id, token.scope, person.is_staff
    FROM racecontrol_apitoken token JOIN racecontrol_user person ON person.id = token.user_id
    WHERE token.sha256 = %s AND token.revoked_at IS NULL AND person.is_active
    AND token.scope <> 'feed'
    AND (token.expires_at IS NULL OR token.expires_at > now())
    AND token.last_used_at > now() - %s
"""


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
