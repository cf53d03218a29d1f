"""How many writes a token, a person or an address may make in a minute, over all processes."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.timezone import now
from ninja.throttling import BaseThrottle

# The table is unlogged: the count may be lost in a crash, and a write to it waits for no disk.
COUNT_ONE = """
    INSERT INTO racecontrol_ratewindow (key, "window", count)
    VALUES (%s, date_trunc('minute', now()), 1)
    ON CONFLICT (key, "window") DO UPDATE SET count = racecontrol_ratewindow.count + 1
    RETURNING count
"""


def count_write(key: str) -> int:
    """Count one write for `key`; the number of writes in the running minute, this one included."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ONE, [key])
        return cursor.fetchone()[0]


def client_ip(request: HttpRequest) -> str:
    """The caller's address: the entry our own proxies wrote, never one a stranger can invent.

    With fewer entries than there should be proxies none is ours: whoever holds the connection.
    """
    hops = [h.strip() for h in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if h.strip()]
    proxies = settings.TRUSTED_PROXIES
    if proxies and len(hops) >= proxies:
        return hops[-proxies]
    return request.META.get("REMOTE_ADDR", "")


def write_is_allowed(*, token_id: int | None, user_id: int | None, ip: str) -> bool:
    """Count a write for whoever makes it and say whether it is within the limit."""
    if token_id:
        key, limit = f"token:{token_id}", settings.API_WRITES_PER_MINUTE
    elif user_id:
        key, limit = f"user:{user_id}", settings.API_WRITES_PER_MINUTE
    else:
        key, limit = f"ip:{ip}", settings.API_ANONYMOUS_WRITES_PER_MINUTE
    return count_write(key) <= limit


class WriteThrottle(BaseThrottle):
    """Refuses writes over the limit with 429; reads are free."""

    def allow_request(self, request: Any) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return True
        token = getattr(request, "api_token", None)
        user_id = request.user.pk if request.user.is_authenticated else None
        return write_is_allowed(
            token_id=token.pk if token else None, user_id=user_id, ip=client_ip(request)
        )

    def wait(self) -> float:
        return 60 - now().second
