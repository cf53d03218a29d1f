"""The stream of server-sent events: `/live/?topic=a&topic=b&after=123`.

A raw ASGI handler, because a Django view would hold a thread and a database connection for each
open page. One hub per process LISTENs on one connection and hands the same bytes to every
follower. Each follower has a short queue; one that cannot keep up is told to fetch afresh.
"""

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

import psycopg
import structlog
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, close_old_connections
from django.db.models import Max, Min
from django.http import parse_cookie
from prometheus_client import Gauge

from racecontrol.models import LiveEvent
from racecontrol.shared import live
from racecontrol.shared.database import connection_parameters

log = structlog.get_logger(__name__)

CHANNEL: Final = "racecontrol_live"
HUB: Final = "live hub"  # as pg_stat_activity names the listening connection
QUEUE_LENGTH: Final = 64
PING_SECONDS: Final = 15.0
RECHECK_SECONDS: Final = 60.0  # a person who left the team or signed out is cut off within this
MOST_TOPICS: Final = 50
MOST_REPLAYED: Final = 500

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Access checks and catch-up run here: at most this many database connections for all streams.
readers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")
streams = Gauge("racecontrol_live_streams", "Open pages that follow news from this process.")


class News(NamedTuple):
    """One event as it goes over the wire. `number` 0 is the stream's own word."""

    number: int
    line: bytes


def event_line(number: int, topic: str, body: str) -> News:
    return News(number, f"id: {number}\nevent: {topic}\ndata: {body}\n\n".encode())


def control_line(name: str, body: str = "{}", *, number: int = 0) -> News:
    head = f"id: {number}\n" if number else ""
    return News(0, f"{head}event: {name}\ndata: {body}\n\n".encode())


END: Final = News(0, b"")


@dataclass(eq=False)
class Follower:
    """An open stream and what waits to be sent to it."""

    topics: frozenset[str]
    queue: asyncio.Queue[News] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def offer(self, news: News) -> None:
        if self.queue.full():  # too slow: drop the backlog, let the page fetch afresh
            self.empty()
            self.queue.put_nowait(control_line("resync", number=news.number))
        else:
            self.queue.put_nowait(news)

    def empty(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()


class Hub:
    """One LISTEN connection, fanned out to the followers of this process."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.followers: dict[str, set[Follower]] = {}
        self.last_number = 0
        self.knows_its_place = False  # has read where the counting stands
        self.is_listening = asyncio.Event()
        self.task = self.loop.create_task(self._listen(), name="live-hub")

    def follow(self, topics: Iterable[str]) -> Follower:
        follower = Follower(frozenset(topics))
        for topic in follower.topics:
            self.followers.setdefault(topic, set()).add(follower)
        streams.inc()
        return follower

    def leave(self, follower: Follower) -> None:
        for topic in follower.topics:
            self.followers[topic].discard(follower)
            if not self.followers[topic]:
                del self.followers[topic]
        streams.dec()

    def everyone(self) -> set[Follower]:
        return set().union(*self.followers.values()) if self.followers else set()

    def close_streams(self) -> None:
        """End every stream; browsers come back by themselves with the last number they saw."""
        for follower in self.everyone():
            follower.empty()
            follower.queue.put_nowait(END)

    async def stop(self) -> None:
        self.close_streams()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        live.heard(None)

    async def _listen(self) -> None:
        """Listen for ever; after a lost connection read what was committed meanwhile."""
        pause = 0.2
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **connection_parameters() | {"application_name": HUB}, autocommit=True
                ) as database:
                    await database.execute(f"LISTEN {CHANNEL}")
                    await self._catch_up(database)
                    self.is_listening.set()
                    pause = 0.2
                    async for notice in database.notifies():
                        self._hear(await read_notice(notice.payload))
                raise psycopg.OperationalError("the listening connection ended")
            except (psycopg.Error, DatabaseError, OSError) as loss:
                self.is_listening.clear()
                live.heard(None)
                log.warning("live_hub_lost_the_database", error=str(loss), again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _catch_up(self, database: psycopg.AsyncConnection) -> None:
        table = LiveEvent._meta.db_table
        found = await database.execute(
            f"SELECT id, topic, body FROM {table} WHERE id > %s ORDER BY id LIMIT %s",
            [self.last_number, MOST_REPLAYED + 1],
        )
        rows = await found.fetchall()
        if self.knows_its_place and len(rows) <= MOST_REPLAYED:
            for row in rows:
                self._hear(row)
        else:
            found = await database.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            self.last_number = (await found.fetchone() or [0])[0]
            self.knows_its_place = True
            for follower in self.everyone():
                follower.empty()
                follower.offer(control_line("resync", number=self.last_number))
        live.heard(self.last_number)

    def _hear(self, row: tuple[int, str, str] | None) -> None:
        if row is None or row[0] <= self.last_number:
            return  # pruned already, or read while catching up
        self.last_number = row[0]
        news = event_line(*row)
        for follower in self.followers.get(row[1], ()):
            follower.offer(news)
        live.heard(self.last_number)


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of this process; made at start-up, or by the first follower."""
    global _hub
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        _hub = Hub()
    return _hub


async def stop_hub() -> None:
    global _hub
    if _hub is not None:
        ending = _hub
        _hub = None
        await ending.stop()


def close_streams() -> None:
    """From any thread or signal handler: end all streams, so that the server can stop at once."""
    if _hub is not None and not _hub.loop.is_closed():
        _hub.loop.call_soon_threadsafe(_hub.close_streams)


# -- who may follow, and what was missed: in threads, on Django's connections ----------------------


def person_of(cookies: str) -> Any:
    """Who the session cookie belongs to. Reads only: a stream must never renew a session."""
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return AnonymousUser()
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    backend, number = session.get(BACKEND_SESSION_KEY), session.get(SESSION_KEY)
    if number is None or backend not in settings.AUTHENTICATION_BACKENDS:
        return AnonymousUser()
    person = load_backend(backend).get_user(get_user_model()._meta.pk.to_python(number))
    known = session.get(HASH_SESSION_KEY, "")
    if person is not None:
        for right in (person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()):
            if hmac.compare_digest(known, right):
                return person
    return AnonymousUser()


def allowed(cookies: str, topics: Iterable[str]) -> list[str]:
    close_old_connections()
    try:
        person = person_of(cookies)
        return [topic for topic in topics if live.may_follow(person, topic)]
    finally:
        close_old_connections()


def missed(topics: Iterable[str], after: int) -> list[News] | None:
    """What was said on these topics since; None where that cannot be told any more."""
    close_old_connections()
    try:
        kept = LiveEvent.objects.aggregate(oldest=Min("id"), newest=Max("id"))
        rows = LiveEvent.objects.filter(topic__in=topics, id__gt=after).order_by("id")
        found = list(rows.values_list("id", "topic", "body")[: MOST_REPLAYED + 1])
    finally:
        close_old_connections()
    is_pruned = after + 1 < (kept["oldest"] or 0)
    is_from_elsewhere = after > (kept["newest"] or 0)  # the numbers of another database
    if is_pruned or is_from_elsewhere or len(found) > MOST_REPLAYED:
        return None
    return [event_line(*row) for row in found]


async def read_notice(payload: str) -> tuple[int, str, str] | None:
    """`number|topic|body`, or `number` alone where the body was too long for a notice."""
    number, _, rest = payload.partition("|")
    if not rest:
        # Not on the listening connection, which is busy with listening.
        return await in_reader(event_numbered, int(number))
    topic, _, body = rest.partition("|")
    return int(number), topic, body


def event_numbered(number: int) -> tuple[int, str, str] | None:
    close_old_connections()
    try:
        rows = LiveEvent.objects.filter(pk=number).values_list("id", "topic", "body")
        return rows.first()
    finally:
        close_old_connections()


async def in_reader(function: Callable, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(readers, function, *arguments)


# -- the handler -----------------------------------------------------------------------------------


class Refused(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Wanted(NamedTuple):
    topics: list[str]
    after: int | None
    cookies: str


def read_request(scope: dict[str, Any]) -> Wanted:
    if scope["method"] != "GET":
        raise Refused(405, "Only GET.")
    query = parse_qs(scope["query_string"].decode("latin-1"))
    topics = list(dict.fromkeys(query.get("topic", [])))
    if not topics or len(topics) > MOST_TOPICS or not all(map(live.is_topic, topics)):
        raise Refused(400, f"topic: name 1 to {MOST_TOPICS} topics.")
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    after = headers.get(b"last-event-id") or query.get("after", [""])[0]
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise Refused(400, "after: give the number of an event.")
    return Wanted(topics, int(after) if after else None, headers.get(b"cookie", ""))


async def refuse(send: Send, refusal: Refused) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{refusal}\n".encode()})


async def lines(center: Hub, follower: Follower, wanted: Wanted) -> AsyncIterator[bytes]:
    """Everything a follower is sent, in order, without gaps and without repeats."""
    position = center.last_number  # what comes later is in the queue already
    yield b"retry: 1500\n\n"
    if wanted.after is not None:
        replay = await in_reader(missed, follower.topics, wanted.after)
        if replay is None:
            yield control_line("resync", number=position).line
        else:
            for news in replay:
                yield news.line
            # The table, like other processes, may know more than this hub has heard so far.
            position = max(position, wanted.after, *(news.number for news in replay))
    denied = [topic for topic in wanted.topics if topic not in follower.topics]
    for topic in denied:
        yield control_line("denied", f'{{"topic": "{topic}"}}').line
    yield control_line("hello", f'{{"position": {position}}}', number=position).line

    check_at = center.loop.time() + RECHECK_SECONDS
    while True:
        if center.loop.time() >= check_at:
            still = await in_reader(allowed, wanted.cookies, follower.topics)
            if len(still) < len(follower.topics):
                yield control_line("denied").line
                return
            check_at = center.loop.time() + RECHECK_SECONDS
        try:
            async with asyncio.timeout(PING_SECONDS):
                news = await follower.queue.get()
        except TimeoutError:
            yield b": ping\n\n"
            continue
        if news is END:
            return
        if news.number == 0 or news.number > position:
            yield news.line


async def stream(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer one GET /live/: the stream, or 400, 403, 405 or 503 as plain text."""
    try:
        wanted = read_request(scope)
        topics = await in_reader(allowed, wanted.cookies, wanted.topics)
        if not topics:
            raise Refused(403, "You may not follow this.")
        center = hub()
        try:
            async with asyncio.timeout(5):
                await center.is_listening.wait()
        except TimeoutError:
            raise Refused(503, "The database does not answer; try again.") from None
    except Refused as refusal:
        await refuse(send, refusal)
        return

    follower = center.follow(topics)

    async def pump() -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx: do not collect
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for line in lines(center, follower, wanted):
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def until_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.create_task(pump()), asyncio.create_task(until_gone())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a bug in the stream is logged by the server
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        center.leave(follower)
