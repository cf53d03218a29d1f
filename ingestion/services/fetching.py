"""Pages of the timing site: from the store while they are fresh, else fetched within the limits.

The limits hold across processes because they live in the database: requests per minute and per
day and track, hosts that asked to be left alone, and one fetch of an address at a time. Retries
are requests too and spend the same budget.
"""

import hashlib
import random
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin

import pglock
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils.timezone import now

from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Answer, LiveRC, Source, Unreachable, check_host, host_of
from ingestion.liverc.errors import BotCheck
from ingestion.liverc.pages import READERS
from ingestion.liverc.pages.as_json import content_hash
from ingestion.liverc.pages.bot_check import is_bot_check
from ingestion.models import FetchLog, HostBlock, StoredPage
from racecontrol.shared import audit
from racecontrol.shared.errors import NotFound, NotReady, SourceUnavailable, TooMany
from racecontrol.shared.jobs import Job, go_on
from racecontrol.shared.pruning import delete_old

log = structlog.get_logger(__name__)

TRIES: Final = 3
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
PATIENCE_S: Final = 3.0  # a Retry-After this short is waited out on the spot
BOT_CHECK_REST: Final = timedelta(minutes=30)
DEFAULT_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(hours=24)
TOLD_FROM: Final = 0.8  # share of the day's budget from which people are told before
REDIRECTS: Final = (301, 302, 303, 307, 308)

HOUR = timedelta(hours=1)
FRESH_FOR: Final = {
    kinds.CATALOGUE: 24 * HOUR,
    kinds.DASHBOARD: 24 * HOUR,
    kinds.EVENTS: HOUR,
    kinds.EVENT: HOUR / 4,
    kinds.RACE: HOUR / 4,
    kinds.PRACTICE_MONTH: 24 * HOUR,
    kinds.PRACTICE_DAY: HOUR,
    kinds.PRACTICE_SESSION: HOUR / 4,
}
FRESH_FOR_OTHERS: Final = HOUR / 4
OLD_EVENT_FRESH_FOR: Final = 24 * HOUR
YOUNG_EVENT: Final = timedelta(days=3)


class BudgetExhausted(TooMany):
    """The requests of this minute or day are spent. `retry_at` is when there are some again."""

    code = "budget_exhausted"

    def __init__(self, budget: str, *, retry_at: datetime, is_daily: bool):
        self.budget, self.retry_at, self.is_daily = budget, retry_at, is_daily
        limit = settings.LIVERC_PER_DAY if is_daily else settings.LIVERC_PER_MINUTE
        span = "today" if is_daily else "this minute"
        super().__init__(
            f"All {limit} requests for {budget} {span} are spent; "
            f"it goes on at {retry_at:%H:%M:%S} UTC{' tomorrow' if is_daily else ''}."
        )


class HostRests(SourceUnavailable):
    """The host is left alone until `retry_at`: it asked for that, or took us for a robot."""

    code = "host_rests"

    def __init__(self, block: HostBlock):
        self.retry_at = block.until
        super().__init__(
            f"{block.host} {block.get_reason_display()}; nothing is asked of it until "
            f"{block.until:%H:%M} UTC."
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a track's requests is spent. `day_ends_at` is the next midnight, UTC."""

    name: str
    used_today: int
    per_day: int
    used_this_minute: int
    per_minute: int
    day_ends_at: datetime

    @property
    def left_today(self) -> int:
        return max(0, self.per_day - self.used_today)

    def passes_warning(self, requests: int) -> bool:
        """Would this many more requests take the day past 80 % of its budget?"""
        return self.used_today + requests > TOLD_FROM * self.per_day


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what was read from it. `is_new` content was not in the store before."""

    stored: StoredPage
    contents: Any
    is_new: bool
    came_from_store: bool


def get_source() -> Source:
    return LiveRC()


# -- budgets


def budget_of(name: str) -> Budget:
    moment = now()
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = FetchLog.objects.filter(budget=name)
    return Budget(
        name=name,
        used_today=spent.filter(at__gte=day).count(),
        per_day=settings.LIVERC_PER_DAY,
        used_this_minute=spent.filter(at__gt=moment - timedelta(minutes=1)).count(),
        per_minute=settings.LIVERC_PER_MINUTE,
        day_ends_at=day + timedelta(days=1),
    )


def budget_report() -> list[dict]:
    """What is left of each budget that was used today, for the ops page and the metrics."""
    day = now().replace(hour=0, minute=0, second=0, microsecond=0)
    used = FetchLog.objects.filter(at__gte=day).values("budget").annotate(n=Count("pk"))
    blocks = HostBlock.objects.filter(until__gt=now())
    report = [
        {
            "source": row["budget"],
            "left_today": max(0, settings.LIVERC_PER_DAY - row["n"]),
            "used_today": row["n"],
            "per_day": settings.LIVERC_PER_DAY,
            "state": "spent" if row["n"] >= settings.LIVERC_PER_DAY else "open",
        }
        for row in used.order_by("-n")[:50]
    ]
    report += [
        {
            "source": block.host,
            "left_today": 0,
            "used_today": 0,
            "per_day": 0,
            "state": f"{block.get_reason_display()}; rests until {block.until:%H:%M} UTC",
        }
        for block in blocks
    ]
    return report


@transaction.atomic
def spend(budget: str, url: str) -> FetchLog:
    """Write one request down, if the budget has it. Raises BudgetExhausted with the moment to wait for.

    The lock lasts to the end of the transaction, so two processes never spend the same request.
    """
    pglock.advisory(f"budget:{budget}", xact=True).acquire()
    state = budget_of(budget)
    if state.used_today >= state.per_day:
        raise BudgetExhausted(budget, retry_at=state.day_ends_at, is_daily=True)
    if state.used_this_minute >= state.per_minute:
        oldest = (
            FetchLog.objects.filter(budget=budget)
            .order_by("-at")
            .values_list("at", flat=True)[state.per_minute - 1]
        )
        retry_at = oldest + timedelta(minutes=1)
        raise BudgetExhausted(budget, retry_at=retry_at, is_daily=False)
    return FetchLog.objects.create(budget=budget, url=url[:500], at=now())


@transaction.atomic
def lift_block(*, block_id: int, by: Any) -> HostBlock:
    """A person has looked at the host and says it may be asked again. Raises NotReady if it may already.

    Imports that paused for it go on at once; those that wait for something else pause again.
    """
    block = HostBlock.objects.select_for_update().get(pk=block_id)
    moment = now()
    if block.until <= moment:
        raise NotReady(f"{block.host} does not rest any more.")
    before, block.until = block.until, moment
    block.save(update_fields=["until"])
    audit.record(
        by=by,
        verb="host_block.lifted",
        obj=block,
        before={"until": before, "reason": block.reason},
        after={"until": moment},
    )
    for job_id in Job.objects.filter(
        state=Job.State.PAUSED, key__startswith="import:", run_at__lte=before + timedelta(minutes=1)
    ).values_list("pk", flat=True):
        with suppress(NotReady):  # it went on, or was cancelled, a moment ago
            go_on(job_id, by=by)
    return block


# -- pages


def fetch_page(
    url: str,
    *,
    kind: str,
    budget: str,
    source: Source | None = None,
    cache_key: str = "",
    fresh_for: timedelta | None = None,
    force: bool = False,
    since: datetime | None = None,
) -> Page:
    """The page at `url`, read. From the store while fresh, unless `force`.

    `since` is when the work this belongs to began: what was confirmed after that is good enough,
    however long the work had to pause meanwhile.

    Raises BudgetExhausted, HostRests or BotCheck (nothing goes on for now), NotFound (no such
    page), SourceUnavailable (this page failed), UnexpectedPage (it is not what it should be; the
    page is kept for `reparse`, but is not fresh).
    """
    check_host(url)
    if (stored := _kept(url, force=force, since=since)) is not None:
        return Page(stored, READERS[kind](stored.html), is_new=False, came_from_store=True)
    with pglock.advisory(f"fetch:{url}"):
        if (stored := _kept(url, force=force, since=since)) is not None:
            return Page(stored, READERS[kind](stored.html), is_new=False, came_from_store=True)
        known = StoredPage.objects.filter(url=url).order_by("-checked_at", "-pk").first()
        answer = _ask(url, budget=budget, source=source or get_source(), known=known)
        if fresh_for is None:
            fresh_for = FRESH_FOR.get(kind, FRESH_FOR_OTHERS)
        return _store(
            url, answer, known, kind=kind, budget=budget, cache_key=cache_key, fresh_for=fresh_for
        )


def make_stale(*cache_keys: str) -> int:
    """Let the next look at these pages go to the source; how many were still fresh."""
    moment = now()
    return StoredPage.objects.filter(cache_key__in=cache_keys, fresh_until__gt=moment).update(
        fresh_until=moment
    )


def prune_pages(*, older_than: timedelta) -> int:
    """Forget contents nobody confirmed for so long, but never the newest of an address."""
    newest = StoredPage.objects.order_by("url", "-checked_at", "-pk").distinct("url")
    old = StoredPage.objects.filter(checked_at__lt=now() - older_than)
    count = delete_old(old.exclude(pk__in=newest.values("pk")))
    delete_old(FetchLog.objects.filter(at__lt=now() - max(older_than, timedelta(days=2))))
    delete_old(HostBlock.objects.filter(until__lt=now() - older_than))
    return count


def _kept(url: str, *, force: bool, since: datetime | None) -> StoredPage | None:
    """The newest content of an address, if it is fresh (and not `force`) or confirmed since then."""
    good = Q(fresh_until__gt=now()) if not force else Q(pk=None)
    if since is not None:
        good |= Q(checked_at__gte=since) & ~Q(parsed_hash="")
    newest = StoredPage.objects.filter(url=url, status=200).order_by("-checked_at", "-pk")
    return newest.filter(good).first()


def _ask(url: str, *, budget: str, source: Source, known: StoredPage | None) -> Answer:
    """A whole answer with status 200 or 304, in at most three tries."""
    trouble: SourceUnavailable | None = None
    redirects = 0
    tried = 0
    while tried < TRIES:
        _refuse_resting(url)
        entry = spend(budget, url)
        tried += 1
        try:
            answer = source.get(
                url,
                etag=known.etag if known else "",
                last_modified=known.last_modified if known else "",
            )
        except Unreachable as failed:
            _note(entry, None, str(failed))
            trouble = failed
            _pause(tried)
            continue
        _note(entry, answer.status, "")
        if is_bot_check(answer.body) and answer.status != 304:
            _rest(url, BOT_CHECK_REST, HostBlock.Reason.BOT_CHECK, note=f"status {answer.status}")
            raise BotCheck(
                f"{host_of(url)} asks to prove that we are human. Nothing is asked of it for "
                f"{BOT_CHECK_REST.seconds // 60} minutes; open it in a browser to see why."
            )
        if answer.status in (200, 304):
            return answer
        if answer.status in REDIRECTS and answer.location and redirects < 2:
            url, redirects, tried = urljoin(url, answer.location), redirects + 1, tried - 1
            check_host(url)
            continue
        if answer.status in (404, 410):
            raise NotFound(f"LiveRC has no page at {url}.")
        trouble = SourceUnavailable(f"{host_of(url)} answered with status {answer.status}.")
        if answer.status == 429 or (answer.status == 503 and answer.retry_after_s):
            wait = timedelta(seconds=answer.retry_after_s or DEFAULT_REST.total_seconds())
            if wait.total_seconds() > PATIENCE_S or tried == TRIES:
                _rest(url, wait, HostBlock.Reason.RETRY_AFTER, note=f"status {answer.status}")
                _refuse_resting(url)
            time.sleep(wait.total_seconds())
            continue
        if answer.status < 500:
            raise trouble
        _pause(tried)
    raise trouble or SourceUnavailable(f"{host_of(url)} gave no answer.")


def _pause(tried: int) -> None:
    """Exponential back-off with jitter, so that many workers do not come back at once."""
    if tried < TRIES:
        time.sleep(
            min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (tried - 1)) * random.uniform(0.5, 1.5)
        )


def _note(entry: FetchLog, status: int | None, note: str) -> None:
    FetchLog.objects.filter(pk=entry.pk).update(status=status, note=note[:200])


def _refuse_resting(url: str) -> None:
    block = HostBlock.objects.filter(host=host_of(url), until__gt=now()).first()
    if block is not None:
        raise HostRests(block)


def _rest(url: str, wait: timedelta, reason: Any, *, note: str) -> None:
    """Leave a host alone; outside any transaction, so that every process sees it at once."""
    until = now() + min(max(wait, timedelta(seconds=1)), LONGEST_REST)
    HostBlock.objects.update_or_create(
        host=host_of(url),
        defaults={"until": until, "reason": reason, "note": note, "created_at": now()},
    )
    log.warning("host_rests", host=host_of(url), reason=reason, until=until.isoformat())


def _store(
    url: str,
    answer: Answer,
    known: StoredPage | None,
    *,
    kind: str,
    budget: str,
    cache_key: str,
    fresh_for: timedelta,
) -> Page:
    moment = now()
    if answer.status == 304 and known is not None:
        known.checked_at, known.fresh_until = moment, moment + fresh_for
        known.save(update_fields=["checked_at", "fresh_until"])
        return Page(known, READERS[kind](known.html), is_new=False, came_from_store=False)
    sha256 = hashlib.sha256(answer.body).hexdigest()
    stored, is_new = StoredPage.objects.update_or_create(
        url=url,
        body_sha256=sha256,
        defaults={
            "checked_at": moment,
            # Fresh only once it could be read: a broken page must not be served from the store.
            "fresh_until": moment,
            "etag": answer.etag,
            "last_modified": answer.last_modified,
        },
        create_defaults={
            "track_slug": budget if kind != kinds.CATALOGUE else "",
            "kind": kind,
            "cache_key": cache_key or f"{kind}:{url}"[:200],
            "status": answer.status,
            "body": zlib.compress(answer.body),
            "size": len(answer.body),
            "etag": answer.etag,
            "last_modified": answer.last_modified,
            "fetched_at": moment,
            "checked_at": moment,
            "fresh_until": moment,
        },
    )
    contents = READERS[kind](answer.body)
    stored.parsed_hash, stored.fresh_until = content_hash(kind, contents), moment + fresh_for
    stored.save(update_fields=["parsed_hash", "fresh_until"])
    return Page(stored, contents, is_new=is_new, came_from_store=False)
