"""What every router needs: who is asking, and how a refusal is written."""

import json
import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja.parser import Parser
from ninja.security import APIKeyCookie, HttpBearer

from racecontrol.shared import tokens
from racecontrol.shared.errors import InvalidInput, NotAllowed

READS = ("GET", "HEAD", "OPTIONS")
DEEPEST = 32
_unstorable = re.compile("[\x00\ud800-\udfff]")


class BearerToken(HttpBearer):
    """`Authorization: Bearer rc_…`; a read token may not write, a feed token only where it is told."""

    takes_feed = False

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        found = tokens.find(token)
        if found is None:
            return None
        if found.scope == "feed" and not self.takes_feed:
            raise NotAllowed("This token only sends timing.")
        if request.method not in READS and found.scope == "read":
            raise NotAllowed("This token may only read; make one that may write.")
        request.user, request.api_token = found.user, found  # type: ignore[attr-defined]
        return found.user


class FeedToken(BearerToken):
    """For operations of a timing feed: a token that can do nothing else will do."""

    takes_feed = True


class SignedIn(APIKeyCookie):
    """The session of a signed-in person; writes need the CSRF token."""

    param_name = "sessionid"

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return request.user if request.user.is_authenticated else None


def optional_user(request: HttpRequest) -> Any:
    """For operations strangers may call: the person if there is one, else AnonymousUser.

    A token that was sent must be good: a wrong one is refused rather than ignored.
    """
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        # None makes ninja answer 401
        return BearerToken().authenticate(request, secret) if scheme.lower() == "bearer" else None
    if request.user.is_authenticated:
        return SignedIn(csrf=True)(request)
    return AnonymousUser()


class StrictParser(Parser):
    """JSON as the standard has it, and only text the database can hold. Raises InvalidInput."""

    def parse_body(self, request: HttpRequest) -> Any:
        return read_json(request.body)

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> Any:
        for name in data:
            check_text(name, name)
            for value in data.getlist(name):  # texts, or files with a name
                check_text(value if isinstance(value, str) else value.name or "", name)
        return super().parse_querydict(data, list_fields, request)


def read_json(body: bytes, **hooks: Any) -> Any:
    """Parse a body; NaN, Infinity, NUL, lone surrogates and absurd depth or numbers are refused."""

    def no_constant(name: str) -> Any:
        raise InvalidInput("The body is not JSON.", fields={"body": [f"{name} is not JSON."]})

    try:
        value = json.loads(body, parse_constant=no_constant, **hooks)
    except (ValueError, RecursionError) as error:
        message = "The body is not JSON." if not isinstance(error, RecursionError) else "Too deep."
        raise InvalidInput(message, fields={"body": [message]}) from error
    _check(value, "", 0)
    return value


def check_text(value: str, field: str) -> None:
    """Refuse text that PostgreSQL cannot hold."""
    if _unstorable.search(value):
        message = "Contains a character that cannot be stored (NUL or half a surrogate pair)."
        raise InvalidInput("The text cannot be stored.", fields={field: [message]})


def _check(value: Any, path: str, depth: int) -> None:
    if depth > DEEPEST:
        raise InvalidInput(
            "Nested too deep.", fields={path or "body": [f"At most {DEEPEST} levels."]}
        )
    if isinstance(value, str):
        check_text(value, path or "body")
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise InvalidInput("A number is too large.", fields={path or "body": ["Too large."]})
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_text(name, path or "body")
            _check(inner, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, f"{path}.{index}" if path else str(index), depth + 1)


def error_body(code: str, message: str, fields: dict[str, list[str]] | None = None) -> dict:
    """The one shape of every refusal."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return {"error": error}


def with_etag(request: HttpRequest, etag: str, build: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer 304 where the caller has this version already, else build the answer."""
    quoted = f'"{etag}"'
    early = get_conditional_response(request, etag=quoted)
    if early is not None:
        return early
    response = build()
    response["ETag"] = quoted
    return response
