"""Making and reading run plans by program, answered straight from the event loop.

Django's request machinery costs several times what a run plan does. So the plain case - no
cookie, the feature on for everyone, a stranger where strangers are welcome or a token seen
lately - is answered here by the same reading, calculation, statements, counters and logs as
everywhere else. Whatever is not plain goes the long way through Django, which has the last word
on flags, people and refusals.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from time import perf_counter
from types import SimpleNamespace
from typing import Any, Final

import psycopg
import structlog
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from racecontrol.shared import flags, tokens
from racecontrol.shared.api import error_body
from racecontrol.shared.database import connection_parameters
from racecontrol.shared.errors import RaceError, TooMany
from racecontrol.shared.ratelimit import client_ip
from runplans import services
from runplans.domain.document import LARGEST_BODY
from runplans.queries import READ, StoredPlan, plan_id_of

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH: Final = "/api/v1/run-plans"
CONNECTIONS: Final = 8  # writes that wait for the disk together are flushed together
# Whoever sends one of these is somebody, or wants more than the plain answer.
NOT_PLAIN: Final = {b"cookie", b"if-none-match", b"expect", b"upgrade"}

_open = "SELECT FROM waffle_flag WHERE name = %s AND everyone"
_COUNT: Final = """
    ON CONFLICT (key, "window") DO UPDATE SET count = racecontrol_ratewindow.count + 1
    RETURNING count
"""
# One round trip says who writes, counts the write and says that the feature is on; no row means:
# the long way. Rows: user id, whether staff, writes of this minute.
COUNT_STRANGER: Final = f"""
    WITH counted AS (
        INSERT INTO racecontrol_ratewindow (key, "window", count)
        SELECT %s, date_trunc('minute', now()), 1 WHERE EXISTS ({_open}) {_COUNT}
    )
    SELECT NULL::integer, false, count FROM counted
"""
COUNT_TOKEN: Final = f"""
    WITH caller AS ({tokens.FIND_SEEN_LATELY} AND token.scope = 'write' AND EXISTS ({_open})),
    counted AS (
        INSERT INTO racecontrol_ratewindow (key, "window", count)
        SELECT 'token:' || caller.id, date_trunc('minute', now()), 1 FROM caller {_COUNT}
    )
    SELECT caller.user_id, caller.is_staff, counted.count FROM caller, counted
"""
# Rows: the plan, then user id and whether staff.
READ_STRANGER: Final = f"""
    SELECT plan.*, NULL::integer, false FROM ({READ}) plan WHERE EXISTS ({_open})
"""
READ_TOKEN: Final = f"""
    SELECT plan.*, caller.user_id, caller.is_staff
    FROM ({READ}) plan, ({tokens.FIND_SEEN_LATELY}) caller WHERE EXISTS ({_open})
"""


def is_plain(scope: Scope) -> bool:
    """May this request be answered here? Asked before anything of it is read."""
    path, method = scope["path"], scope["method"]
    creates = method == "POST" and path == PATH
    reads = method == "GET" and path.startswith(f"{PATH}/") and not scope["query_string"]
    if not (creates or reads):
        return False
    host, is_secure, is_known = b"", scope["scheme"] == "https", False
    for name, value in scope["headers"]:
        if name in NOT_PLAIN:
            return False
        if name == b"host":
            host = value
        elif name == b"authorization":
            is_known = value.startswith(b"Bearer rc_")
            if not is_known:
                return False
        elif name == b"x-forwarded-proto" and settings.SECURE_PROXY_SSL_HEADER:
            is_secure = value == b"https"
    if settings.SECURE_SSL_REDIRECT and not is_secure:
        return False
    if not is_known and not settings.RUN_PLANS_ANONYMOUS:
        return False
    return is_our_host(host, tuple(settings.ALLOWED_HOSTS))


@lru_cache(maxsize=100)
def is_our_host(host: bytes, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1").lower())
    return bool(domain) and validate_host(domain, allowed)


async def answer(scope: Scope, receive: Receive, send: Send, *, long_way: App) -> None:
    """Answer a plain request, or pass it on untouched."""
    work = _create if scope["method"] == "POST" else _read
    await work(scope, receive, send, long_way)


async def _read(scope: Scope, receive: Receive, send: Send, long_way: App) -> None:
    row, hashed = None, _token_hash(scope)
    key = plan_id_of(scope["path"][len(PATH) + 1 :])
    if key is not None:
        statement, values = READ_STRANGER, [key, flags.RUN_PLANS_V1]
        if hashed:
            statement = READ_TOKEN
            values = [key, hashed, tokens.SEEN_EVERY, flags.RUN_PLANS_V1]
        row = await _first_row(statement, values)
    if row is None or not _is_for(*row[3:]):
        await long_way(scope, receive, send)
        return
    plan, user_id = StoredPlan(*row[:4]), row[4]
    with _request_id() as request_id:
        _note_flag(user_id)
        log.info("run_plan_read", plan_id=str(key), user_id=user_id)
    etag = (b"etag", f'"{key}"'.encode())
    await _say(send, 200, plan.body, request_id, etag)


def _is_for(owner_id: int | None, user_id: int | None, is_staff: bool) -> bool:
    """The cases of `access.may_read` that need no further question; teams are asked the long way."""
    return owner_id is None or owner_id == user_id or is_staff


async def _create(scope: Scope, receive: Receive, send: Send, long_way: App) -> None:
    hashed = _token_hash(scope)
    if hashed:
        values = [hashed, tokens.SEEN_EVERY, flags.RUN_PLANS_V1]
        row = await _first_row(COUNT_TOKEN, values)
        limit = settings.API_WRITES_PER_MINUTE
    else:
        row = await _first_row(COUNT_STRANGER, [f"ip:{_ip_of(scope)}", flags.RUN_PLANS_V1])
        limit = settings.API_ANONYMOUS_WRITES_PER_MINUTE
    if row is None:
        await long_way(scope, receive, send)
        return
    user_id, _, count = row
    with _request_id() as request_id:
        try:
            if count > limit:
                raise TooMany("Too many writes; try again in a minute.")
            body = await _body_of(receive)
            if body is None:
                return  # the caller has gone
            _note_flag(user_id)
            plan = await _store(body, user_id)
        except RaceError as refusal:
            told = error_body(refusal.code, str(refusal), refusal.fields)
            more = [(b"retry-after", b"60")] if isinstance(refusal, TooMany) else []
            await _say(send, refusal.status, json.dumps(told).encode(), request_id, *more)
        except psycopg.Error:
            # Stored or not, nobody knows: asking Django to store it again could make two.
            log.exception("run_plan_not_stored")
            told = error_body("internal_error", "Something broke here; it was written down.")
            await _say(send, 500, json.dumps(told).encode(), request_id)
        else:
            await _say(send, 201, plan.body, request_id)


async def _store(body: bytes, owner_id: int | None) -> StoredPlan:
    """`services.create_plan` with the statement awaited."""
    began = perf_counter()
    inputs, result = services.checked(body=body, owner_id=owner_id)
    async with _cursor() as cursor:
        values = services.values_of(inputs, result, owner_id)
        await cursor.execute(services.STORE, values, prepare=True)
        plan = StoredPlan(*await cursor.fetchone())  # type: ignore[misc]
    services.note_created(plan, result, took_ms=(perf_counter() - began) * 1000)
    return plan


async def _first_row(statement: str, values: list[Any]) -> tuple | None:
    """The row, or None where there is none or no database: then Django is asked."""
    try:
        async with _cursor() as cursor:
            await cursor.execute(statement, values, prepare=True)
            return await cursor.fetchone()
    except psycopg.Error:
        log.warning("run_plan_hot_path_without_database")
        return None


@contextmanager
def _request_id() -> Iterator[str]:
    """A number for this request, on its log lines and its answer."""
    request_id = str(uuid.uuid4())
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield request_id


def _note_flag(user_id: int | None) -> None:
    """As `flags.is_on`: use by a person is logged."""
    if user_id is not None:
        log.info("flag_used", flag=flags.RUN_PLANS_V1, user_id=user_id)


def _token_hash(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return tokens.hash_of(value.partition(b" ")[2].decode("latin-1"))
    return ""


async def _say(
    send: Send, status: int, body: bytes, request_id: str, *more: tuple[bytes, bytes]
) -> None:
    if settings.SECURE_HSTS_SECONDS:
        more = (*more, (b"strict-transport-security", _hsts()))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *_SAFE_HEADERS,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# What Django's security middleware says on every answer, for a body no browser may interpret.
_SAFE_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


def _hsts() -> bytes:
    subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
    preload = "; preload" if settings.SECURE_HSTS_PRELOAD else ""
    return f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}{preload}".encode()


def _ip_of(scope: Scope) -> str:
    """Who is asking, judged as everywhere by `TRUSTED_PROXIES`."""
    hops = [v.decode("latin-1") for name, v in scope["headers"] if name == b"x-forwarded-for"]
    client = scope.get("client") or ("",)
    told = {"HTTP_X_FORWARDED_FOR": ",".join(hops), "REMOTE_ADDR": client[0]}
    return client_ip(SimpleNamespace(META=told))  # type: ignore[arg-type]


async def _body_of(receive: Receive) -> bytes | None:
    """The body, or None when the caller left; what is too large is not read to its end."""
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > LARGEST_BODY:
            break
        message = await receive()
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        return None
    return body


# -- connections ---------------------------------------------------------------------------------


class _Pool:
    """A few connections of this event loop, opened when first needed, in autocommit."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.free: asyncio.LifoQueue[psycopg.AsyncCursor | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self.free.put_nowait(None)

    async def take(self) -> psycopg.AsyncCursor:
        cursor = await self.free.get()
        if cursor is not None and not cursor.connection.closed:
            return cursor
        try:
            database = await psycopg.AsyncConnection.connect(
                **connection_parameters(), autocommit=True, application_name="run plans"
            )
        except BaseException:
            self.free.put_nowait(None)
            raise
        return database.cursor()


_pool: _Pool | None = None


@asynccontextmanager
async def _cursor() -> AsyncIterator[psycopg.AsyncCursor]:
    """A cursor on a connection of its own for this while; a broken one is not used again."""
    global _pool
    if _pool is None or _pool.loop is not asyncio.get_running_loop():
        _pool = _Pool()
    pool = _pool
    cursor: psycopg.AsyncCursor | None = await pool.take()
    try:
        yield cursor  # type: ignore[misc]
    except BaseException:
        # Cancelled or failed half way: its state is unknown.
        broken, cursor = cursor, None
        await broken.connection.close()  # type: ignore[union-attr]
        raise
    finally:
        pool.free.put_nowait(cursor)


async def close() -> None:
    """Let go of the connections; called when the server stops."""
    global _pool
    ending, _pool = _pool, None
    if ending is None or ending.loop is not asyncio.get_running_loop():
        return
    while not ending.free.empty():
        cursor = ending.free.get_nowait()
        if cursor is not None:
            await cursor.connection.close()
