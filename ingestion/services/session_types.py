"""Old races get their session type: by batch, resumable, with a trail, and back again.

Each batch is one transaction: the races, their lines in the trail, and how far the run has come.
So a run that is killed goes on where it stood, and memory holds one batch whatever the history.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from json import dumps
from typing import Any

import pglock
from django.db import connection, reset_queries, transaction
from django.db.models import Count
from django.utils.timezone import now

from ingestion.domain.labels import read_label
from ingestion.domain.session_types import HIGH, LOW, MEDIUM, infer_session_type
from ingestion.models import Race, SessionTypeBackfill
from ingestion.queries.session_types import (
    Candidate,
    candidates,
    candidates_left,
    first_main_orders,
    last_race_id,
    type_counts,
)
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady
from racecontrol.shared.progress import OnProgress, Progress, silent

BATCH = 1000
SURENESS = {LOW: 0, MEDIUM: 1, HIGH: 2}
CONFLICTS_SHOWN = 20
_LOCK = "session_type_backfill"

# What a power cut takes of the last batches it takes whole, races, trail and progress: no need to
# wait for the disk after each.
_BEGIN = """
SET LOCAL synchronous_commit = off;
CREATE TEMPORARY TABLE IF NOT EXISTS session_type_said
    (race_id bigint, kind text, confidence text, signals jsonb) ON COMMIT DELETE ROWS
"""

_WRITE = """
WITH written AS (
    UPDATE ingestion_race AS race
    SET session_type = nullif(said.kind, ''), session_type_confidence = said.confidence,
        session_type_signals = said.signals, updated_at = now()
    FROM session_type_said AS said
    WHERE race.id = said.race_id
        AND race.session_type IS NULL AND race.session_type_confidence = ''
    RETURNING race.id, said.kind, said.confidence
)
INSERT INTO ingestion_sessiontypechange
    (run_id, race_id, before_type, before_confidence, after_type, after_confidence)
SELECT %s, id, '', '', kind, confidence FROM written
"""

_UNDO = """
WITH line AS (
    SELECT race_id, after_type, after_confidence FROM ingestion_sessiontypechange
    WHERE run_id = %s AND race_id > %s AND rolled_back_at IS NULL
    ORDER BY race_id LIMIT %s
), undone AS (
    UPDATE ingestion_race AS race
    SET session_type = NULL, session_type_confidence = '', session_type_signals = '[]',
        updated_at = now()
    FROM line
    WHERE race.id = line.race_id AND coalesce(race.session_type, '') = line.after_type
        AND race.session_type_confidence = line.after_confidence
    RETURNING race.id
), noted AS (
    UPDATE ingestion_sessiontypechange AS change SET rolled_back_at = now()
    FROM undone WHERE change.run_id = %s AND change.race_id = undone.id
)
SELECT count(*), max(race_id), (SELECT count(*) FROM undone) FROM line
"""


@dataclass(slots=True)
class BackfillSummary:
    """What a run did, or a dry run would do. `written` counts by (type, confidence)."""

    run_id: int | None = None
    seen: int = 0
    conflicts: int = 0
    below: int = 0
    overtaken: int = 0
    written: Counter = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    counts_before: dict[str, int] = field(default_factory=dict)
    counts_after: dict[str, int] = field(default_factory=dict)
    is_consistent: bool | None = None
    was_resumed: bool = False

    @property
    def changed(self) -> int:
        return sum(self.written.values())


@dataclass(slots=True)
class RollbackSummary:
    """`kept` are races somebody changed since the run: their newer word stands."""

    restored: int = 0
    kept: int = 0


def backfill(
    *,
    min_confidence: str = HIGH,
    batch: int = BATCH,
    by: Any = None,
    on_progress: OnProgress = silent,
) -> BackfillSummary:
    """Give every race without a session type what its signals say, if they are sure enough.

    Races whose signals contradict each other keep no type and go to the review queue. Goes on
    with an unfinished run. NotReady if another process is at it, or if the unfinished run was
    begun with another confidence.
    """
    _check(min_confidence, batch)
    with _alone():
        run, was_resumed = _open_run(min_confidence, by)
        while _next_batch(run, batch, on_progress):
            pass
        summary = _finish(run)
    summary.was_resumed = was_resumed
    return summary


def dry_run(
    *, min_confidence: str = HIGH, batch: int = BATCH, on_progress: OnProgress = silent
) -> BackfillSummary:
    """The same reading without one write: what would be said of how many races."""
    _check(min_confidence, batch)
    summary = BackfillSummary(counts_before=type_counts(last_race_id()))
    upto, after = last_race_id(), 0
    total = candidates_left(upto)
    while rows := candidates(after, upto, batch):
        for row, kind, confidence, _ in _verdicts(rows, min_confidence, summary):
            summary.written[(kind, confidence)] += 1
            if not kind and len(summary.examples) < CONFLICTS_SHOWN:
                summary.examples.append(f"race {row.race_id}, {row.round_label}: {row.label}")
        after = rows[-1].race_id
        _forget(on_progress, Progress(summary.seen, total, "races read"))
    return summary


def roll_back(
    *, run_id: int, batch: int = BATCH, by: Any = None, on_progress: OnProgress = silent
) -> RollbackSummary:
    """Take back what a run wrote, line by line of its trail; killed, it goes on when called again.

    NotFound without such a run, NotReady if it is rolled back already or another is at work.
    """
    with _alone():
        run = _begin_rollback(run_id, by)
        summary, after = RollbackSummary(), 0
        total = run.changes.filter(rolled_back_at=None).count()
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_UNDO, [run.pk, after, batch, run.pk])
                lines, last, restored = cursor.fetchone()
            if not lines:
                break
            after = last
            summary.restored += restored
            summary.kept += lines - restored
            done = summary.restored + summary.kept
            _forget(on_progress, Progress(done, total, "races given back"))
        with transaction.atomic():
            run.state, run.rolled_back_at = SessionTypeBackfill.State.ROLLED_BACK, now()
            run.save(update_fields=["state", "rolled_back_at"])
            audit.record(
                by=by,
                verb="session_types.rolled_back",
                obj=run,
                after={"restored": summary.restored, "kept": summary.kept},
            )
    return summary


def _check(min_confidence: str, batch: int) -> None:
    if min_confidence not in SURENESS:
        raise InvalidInput(
            f"“{min_confidence}” is no confidence.",
            fields={"min_confidence": [f"One of {', '.join(SURENESS)}."]},
        )
    if not 1 <= batch <= 100_000:
        raise InvalidInput("A batch holds 1 to 100,000 races.", fields={"batch": ["1 to 100,000."]})


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time; the lock goes with the connection, so a killed one leaves none."""
    with pglock.advisory(_LOCK, timeout=0, side_effect=pglock.Return) as is_mine:
        if not is_mine:
            raise NotReady("Another process gives races their session types; wait for its end.")
        yield


def _open_run(min_confidence: str, by: Any) -> tuple[SessionTypeBackfill, bool]:
    State = SessionTypeBackfill.State
    open_run = SessionTypeBackfill.objects.filter(state__in=[State.RUNNING, State.ROLLING_BACK])
    if run := open_run.first():
        if run.state == State.ROLLING_BACK:
            raise NotReady(f"Run {run.pk} is half rolled back; finish with --rollback {run.pk}.")
        if run.min_confidence != min_confidence:
            raise NotReady(
                f"Run {run.pk} with --min-confidence {run.min_confidence} is unfinished; "
                "finish it with the same, or roll it back."
            )
        return run, True
    upto = last_race_id()
    with transaction.atomic():
        run = SessionTypeBackfill.objects.create(
            min_confidence=min_confidence,
            upto_race_id=upto,
            total=candidates_left(upto),
            counts_before=type_counts(upto),
            started_by=by,
        )
        audit.record(
            by=by,
            verb="session_types.backfill_started",
            obj=run,
            after={"min_confidence": min_confidence, "races": run.total},
        )
    return run, False


def _next_batch(run: SessionTypeBackfill, batch: int, on_progress: OnProgress) -> bool:
    """Read and write one batch; False once none is left."""
    rows = candidates(run.last_race_id, run.upto_race_id, batch)
    if not rows:
        return False
    summary = BackfillSummary()
    said = _verdicts(rows, run.min_confidence, summary)
    with transaction.atomic():
        written = _write(run, said)
        run.last_race_id = rows[-1].race_id
        run.seen += summary.seen
        run.conflicts += summary.conflicts
        run.below += summary.below
        run.overtaken += len(said) - written
        run.save(
            update_fields=["last_race_id", "seen", "conflicts", "below", "overtaken"],
        )
    _forget(on_progress, Progress(run.seen, run.total, "races read"))
    return True


def _forget(on_progress: OnProgress, step: Progress) -> None:
    """After a batch: say how far it is, and drop the statements Django keeps while DEBUG is on."""
    reset_queries()
    on_progress(step)


def _write(run: SessionTypeBackfill, said: list[tuple[Candidate, str, str, str]]) -> int:
    """Races and trail in one statement; who was changed by others meanwhile is left out."""
    if not said:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN)
        with cursor.copy("COPY session_type_said FROM STDIN") as copy:
            for row, *verdict in said:
                copy.write_row((row.race_id, *verdict))
        cursor.execute(_WRITE, [run.pk])
        return cursor.rowcount


def _verdicts(
    rows: list[Candidate], min_confidence: str, summary: BackfillSummary
) -> list[tuple[Candidate, str, str, str]]:
    """(race, type, confidence, signals as JSON) of each to write; type "" is for the review queue."""
    first_mains = first_main_orders({row.event_id for row in rows if row.heat})
    least, found = SURENESS[min_confidence], []
    for row in rows:
        first = first_mains.get(row.event_id)
        kind, confidence, is_contradictory, signals = _inferred(
            row.source == Race.Source.PRACTICE,
            row.round_label,
            row.round_code,
            row.label,
            row.main,
            row.final,
            row.heat,
            row.run_order < first if first else None,
        )
        summary.seen += 1
        if SURENESS[confidence] >= least and not (is_contradictory and confidence == LOW):
            found.append((row, kind, confidence, signals))
        elif is_contradictory:
            summary.conflicts += 1
            found.append((row, "", LOW, signals))
        else:
            summary.below += 1
    return found


@lru_cache(maxsize=50_000)  # labels repeat from event to event; older ones make room
def _inferred(
    is_practice_page: bool,
    round_label: str,
    round_code: str,
    label: str,
    main: str,
    final: int | None,
    heat: int | None,
    is_before_first_main: bool | None,
) -> tuple[str, str, bool, str]:
    """Type, confidence, contradiction and signals, by the very inference an import uses."""
    inferred = infer_session_type(
        round_label=round_label,
        panel_code=round_code,
        url="/practice/" if is_practice_page else "",
        class_name=read_label(label).class_name,
        main=main or None,
        final=final,
        heat=heat,
        is_before_first_main=is_before_first_main,
    )
    signals = dumps(inferred.signals_as_data())
    return inferred.session_type, inferred.confidence, inferred.is_contradictory, signals


def _finish(run: SessionTypeBackfill) -> BackfillSummary:
    """Count again: the types must have grown by exactly the lines of the trail."""
    lines = run.changes.order_by().values_list("after_type", "after_confidence")
    written = Counter(
        {(kind, sure): count for kind, sure, count in lines.annotate(Count("race_id"))}
    )
    after = type_counts(run.upto_race_id)
    expected = Counter(run.counts_before)
    for (kind, _), count in written.items():
        expected[kind] += count
        expected[""] -= count
    with transaction.atomic():
        run.counts_after, run.is_consistent = after, +expected == +Counter(after)
        run.state, run.finished_at = SessionTypeBackfill.State.DONE, now()
        run.save(update_fields=["counts_after", "is_consistent", "state", "finished_at"])
        audit.record(
            by=run.started_by,
            verb="session_types.backfilled",
            obj=run,
            before=run.counts_before,
            after=after,
        )
    return BackfillSummary(
        run_id=run.pk, seen=run.seen, conflicts=run.conflicts, below=run.below,
        overtaken=run.overtaken, written=written, counts_before=run.counts_before,
        counts_after=after, is_consistent=run.is_consistent,
    )  # fmt: skip


@transaction.atomic
def _begin_rollback(run_id: int, by: Any) -> SessionTypeBackfill:
    State = SessionTypeBackfill.State
    run = SessionTypeBackfill.objects.select_for_update(of=("self",)).filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    if run.state == State.ROLLED_BACK:
        raise NotReady(f"Run {run_id} is rolled back already.")
    if run.state != State.ROLLING_BACK:
        others = SessionTypeBackfill.objects.exclude(pk=run_id)
        if others.filter(state__in=[State.RUNNING, State.ROLLING_BACK]).exists():
            raise NotReady("Another run is unfinished; finish or roll back that one first.")
        run.state = State.ROLLING_BACK
        run.save(update_fields=["state"])
        audit.record(by=by, verb="session_types.rollback_started", obj=run)
    return run
