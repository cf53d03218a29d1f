"""Import a practice day: the one way, for page, API, command, worker and the look for drift.

Everything is fetched first and written in one transaction after. Sessions that fail are written
down and can be fetched again alone. A limit that ends the day's requests writes what there is, so
the day is usable; the next call goes on from there.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pglock
import structlog
from django.conf import settings
from django.utils.timezone import now

from ingestion.domain.practice import day_id, read_day_id
from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source, url_of
from ingestion.models import PracticeRun, PracticeSession, Race, Track
from ingestion.queries.practice import figures_of
from ingestion.services.fetching import BudgetExhausted, fetch_page, get_source, make_stale
from ingestion.services.imports import AlreadyImporting
from ingestion.services.practice.figures import refresh_figures
from ingestion.services.practice.listing import (
    Difference,
    Listing,
    compare,
    day_key,
    month_key,
    read_listing,
    session_key,
)
from ingestion.services.practice.rereading import count_ask, sessions_to_reread
from ingestion.services.practice.runs import LIMITS, Tally, finish, open_run, running
from ingestion.services.practice.saving import ReadSession, Written, refuse_nonsense, write_day
from ingestion.services.tracks import know_track
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotFound, NotReady, RaceError
from racecontrol.shared.progress import OnProgress, Progress, silent

log = structlog.get_logger(__name__)

Outcome = PracticeRun.Outcome


@dataclass(slots=True)
class DaySummary:
    """What an import of a day did. `failed` holds one line per session that could not be read."""

    source_event_id: str
    event_id: int = 0
    sessions: int = 0
    fetched: int = 0
    changed: int = 0
    unchanged: int = 0
    new: int = 0
    removed: int = 0
    laps: int = 0
    has_drift: bool = False
    failed: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def day_lock(source_event_id: str) -> str:
    return f"import:practice-day:{source_event_id}"


def import_day(
    *,
    source_event_id: str,
    source: Source | None = None,
    by: Any = None,
    refresh: bool = False,
    job_id: Any = None,
    on_progress: OnProgress = silent,
) -> DaySummary:
    """Bring one practice day up to date; only new, changed and failed sessions are asked for.

    `refresh` asks for the overview past its cache, and again for some pages of sessions that are
    here already (`rereading`). A paused import of the same job goes on where
    it was. Raises AlreadyImporting while another import of the day runs; BudgetExhausted,
    HostRests or BotCheck when nothing goes on for now; NotFound for a day without sessions; what
    `fetch_page` raises when the overview cannot be had.
    """
    slug, day = read_day_id(source_event_id)
    source = source or get_source()
    track = know_track(slug, source=source)
    source_event_id = day_id(track.slug, day)
    with pglock.advisory(
        day_lock(source_event_id), timeout=0, side_effect=pglock.Return
    ) as is_mine:
        if not is_mine:
            raise AlreadyImporting(f"{source_event_id} is being imported right now.")
        run = open_run(
            kind=PracticeRun.Kind.IMPORT, track=track, first_day=day, last_day=day,
            source_event_id=source_event_id, by=by, job_id=job_id,
        )  # fmt: skip
        with running(run) as tally:
            summary = _import(track, day, run, tally, source, refresh, on_progress)
        finish(
            run,
            Outcome.PARTIAL if summary.failed else Outcome.DONE,
            failures=[_as_failure(one) for one in summary.failed],
            days=1,
            sessions=summary.sessions,
        )
        _tell(summary, by)
        return summary


def _import(
    track: Track,
    day: date,
    run: PracticeRun,
    tally: Tally,
    source: Source,
    refresh: bool,
    on_progress: OnProgress,
) -> DaySummary:
    summary = DaySummary(day_id(track.slug, day))
    on_progress(Progress(0, 0, "asking for the day"))
    listing = read_listing(track, day, tally=tally, source=source, force=refresh)
    difference = compare(listing, track)
    wanted = _wanted(listing, track, difference, summary)
    again = _again(summary, difference, tally) if refresh else []
    failures = {one["page"]: one["reason"] for one in run.failures if one["page"] in wanted}
    pages: dict[str, ReadSession] = {}
    try:
        for place, session_id in enumerate([*wanted, *again]):
            on_progress(Progress(place, len(wanted) + len(again), f"session {session_id}"))
            if session_id in failures:
                continue  # failed in an earlier turn of this very import
            force = refresh or session_id in difference.changed
            try:
                pages[session_id] = read_session(track, session_id, tally, source, force=force)
            except LIMITS:
                raise
            except RaceError as refusal:
                log.warning("practice_session_failed", session=session_id, error=str(refusal)[:300])
                if session_id in again:  # it is here: it stays as it was read, and waits its turn
                    count_ask(session_id)
                else:
                    failures[session_id] = str(refusal)
    except LIMITS as limit:
        _remember(run, failures)
        if pages and not (isinstance(limit, BudgetExhausted) and not limit.is_daily):
            _write(track, day, listing, pages, failures, summary)
        raise
    total = len(wanted) + len(again)
    on_progress(Progress(total, total, "writing"))
    _write(track, day, listing, pages, failures, summary)
    return summary


def _wanted(
    listing: Listing, track: Track, difference: Difference, summary: DaySummary
) -> list[str]:
    """Ids of the sessions of this day whose page was never read, failed, or whose row changed."""
    mine = {
        row.session_id
        for row in listing.rows
        if row.start_local is None or row.start_local.date() == listing.day
    }
    settled = set()
    known = PracticeSession.objects.filter(
        event__source_event_id=summary.source_event_id, missing_since=None
    )
    for session in known.select_related("race"):
        mine.add(session.source_session_id)
        race = session.race
        if race and race.state == Race.State.IMPORTED and race.fetched_at and not session.failure:
            settled.add(session.source_session_id)
    mine -= set(difference.removed)
    if not mine and not known.exists():
        raise NotFound(f"Nobody practised at {track.name} on {listing.day:%d %b %Y}.")
    summary.sessions = len(mine)
    return sorted(mine - (settled - set(difference.changed)), key=lambda one: (len(one), one))


def _again(summary: DaySummary, difference: Difference, tally: Tally) -> list[str]:
    """Sessions that are here already and whose page is asked for once more, see `rereading`."""
    most = int(settings.PRACTICE_REFRESH_SESSIONS)
    due = sessions_to_reread(summary.source_event_id, most=most, since=tally.since)
    return [one for one in due if one not in difference.removed and one not in difference.changed]


def read_session(
    track: Track, session_id: str, tally: Tally, source: Source, *, force: bool
) -> ReadSession:
    """A session's page. Raises what stopped it (see `fetch_page`), UnexpectedPage for nonsense."""
    page = tally.note(
        fetch_page(
            url_of(track.slug, kinds.practice_session_path(session_id)),
            kind=kinds.PRACTICE_SESSION,
            budget=track.slug,
            cache_key=session_key(track.slug, session_id),
            source=source,
            force=force,
            since=tally.since,
        )
    )
    refuse_nonsense(page.contents)
    return ReadSession(page.contents, page.stored.parsed_hash)


def _remember(run: PracticeRun, failures: dict[str, str]) -> None:
    """What failed so far, for the next turn: it is not asked for again in the same import."""
    run.failures = [{"page": one, "reason": why} for one, why in failures.items()]
    run.save(update_fields=["failures"])


def _write(
    track: Track,
    day: date,
    listing: Listing | None,
    pages: dict[str, ReadSession],
    failures: dict[str, str],
    summary: DaySummary,
) -> Written:
    written = write_day(track=track, day=day, listing=listing, pages=pages, failures=failures)
    summary.event_id = written.event.pk
    summary.fetched, summary.laps = len(pages), written.laps
    summary.changed, summary.unchanged = written.changed, written.unchanged
    summary.new = len(written.difference.new)
    summary.removed = len(written.difference.removed)
    summary.has_drift = written.event.drifted_at is not None and bool(written.difference)
    names = dict(
        PracticeSession.objects.filter(source_session_id__in=failures).values_list(
            "source_session_id", "driver_name"
        )
    )
    summary.failed = [
        {"source_session_id": one, "driver_name": names.get(one, ""), "reason": why}
        for one, why in failures.items()
    ]
    differing = [one.name for one in figures_of(refresh_figures(written.event)) if one.differs]
    if differing:
        log.info("practice_figures_differ", day=summary.source_event_id, figures=differing)
    # The lists on LiveRC may be ahead of what was just taken in: let the next look go there.
    make_stale(day_key(track.slug, day), month_key(track.slug, f"{day:%Y-%m}"))
    return written


def _as_failure(line: dict[str, str]) -> dict[str, str]:
    return {"page": line["source_session_id"], "reason": line["reason"]}


def _tell(summary: DaySummary, by: Any) -> None:
    """News for the other rooms, if there is any."""
    if summary.changed or summary.removed:
        for task in settings.AFTER_EVENT_IMPORT:
            jobs.enqueue(task, summary.event_id, key=f"{task}:{summary.event_id}", owner=by)


def import_session(*, session_id: int, source: Source | None = None, by: Any = None) -> DaySummary:
    """Fetch one session again, alone, past the store. Raises NotReady with what stopped it."""
    session = PracticeSession.objects.select_related("event__track").get(pk=session_id)
    event, number = session.event, session.source_session_id
    track, day = event.track, event.starts_on
    summary = DaySummary(event.source_event_id, event_id=event.pk, sessions=1)
    with pglock.advisory(
        day_lock(event.source_event_id), timeout=0, side_effect=pglock.Return
    ) as is_mine:
        if not is_mine:
            raise AlreadyImporting(f"{event.source_event_id} is being imported right now.")
        tally = Tally(since=now())
        failures: dict[str, str] = {}
        pages: dict[str, ReadSession] = {}
        try:
            pages[number] = read_session(track, number, tally, source or get_source(), force=True)
        except LIMITS:
            raise
        except RaceError as refusal:
            failures[number] = str(refusal)
        _write(track, day, None, pages, failures, summary)
    if failures:
        raise NotReady(failures[number])
    _tell(summary, by)
    return summary
