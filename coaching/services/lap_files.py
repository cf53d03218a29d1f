"""Lap files into the log: read row by row into a staging table, then stored at once or not at all."""

import gzip
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils.timezone import now

from coaching.models import Heat, LapFile, OrpScore, RunLog, Session
from coaching.queries import garage as queries
from coaching.services import scores
from coaching.services.garage import activate
from coaching.services.laps import make_heats
from coaching.uploads.lap_csv import BadRow, CsvLap, read_lap_csv
from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import InvalidInput, NotReady
from racecontrol.shared.progress import OnProgress, Progress, silent
from racecontrol.shared.pruning import delete_old

CHUNK = 5_000
SHOWN_BAD = 100


@dataclass(slots=True)
class Report:
    """What became of a file. `there`: laps that were logged before; `different`: with another time, kept as they were."""

    rows: int = 0
    stored: int = 0
    there: int = 0
    different: int = 0
    bad: int = 0
    heats: int = 0
    sessions: int = 0
    bad_rows: list[dict[str, Any]] = field(default_factory=list)

    def note(self, row: BadRow) -> None:
        self.bad += 1
        if len(self.bad_rows) < SHOWN_BAD:
            self.bad_rows.append(asdict(row))


class BadRows(InvalidInput):
    """Rows of the file cannot be used, and none was stored. `report` names them by line."""

    code = "bad_rows"

    def __init__(self, report: Report):
        shown = "; ".join(f"line {row['line']}: {row['reason']}" for row in report.bad_rows[:5])
        more = f" and {report.bad - 5} more" if report.bad > 5 else ""
        super().__init__(
            f"{report.bad} of {report.rows} rows cannot be used, nothing was stored. {shown}{more}.",
            fields={f"line {row['line']}": [row["reason"]] for row in report.bad_rows},
        )
        self.report = report


@transaction.atomic
def request_import(
    *,
    by: Any,
    name: str,
    content: Iterable[bytes],
    session_id: int | None = None,
    skip_bad: bool = False,
) -> tuple[LapFile, jobs.Job]:
    """Keep the file and queue its reading; both or neither."""
    if session_id is not None and queries.session_for(by, session_id).is_closed:
        raise NotReady("The session is closed: reopen it before adding laps.")
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=3, mtime=0) as file:
        for chunk in content:
            file.write(chunk)
    row = LapFile.objects.create(
        owner=by,
        session_id=session_id,
        name=name[:200],
        content=packed.getvalue(),
        skip_bad=skip_bad,
    )
    job = jobs.enqueue(
        "coaching.tasks.import_lap_file",
        row.pk,
        key=f"laps:{row.pk}",
        owner=by,
        title=f"Read {name[:80]}",
    )
    return row, job


def read_file(file: LapFile, *, on_progress: OnProgress = silent) -> Report:
    """Read a kept file. Its content goes either way: a refused file is mended and sent again."""
    if file.content is None:
        raise NotReady("This file was read already; upload it again.")
    try:
        report = import_laps(
            unpacked(bytes(file.content)),
            by=file.owner,
            session_id=file.session_id,
            skip_bad=file.skip_bad,
            on_progress=on_progress,
        )
    except BadRows as refusal:
        _keep_report(file, refusal.report)
        raise
    except InvalidInput as refusal:
        _keep_report(file, Report(bad=1, bad_rows=[{"line": 1, "reason": str(refusal)}]))
        raise
    _keep_report(file, report)
    return report


def _keep_report(file: LapFile, report: Report) -> None:
    LapFile.objects.filter(pk=file.pk).update(content=None, report=asdict(report), read_at=now())


def prune_files(*, older_than: datetime) -> int:
    """Delete lap files sent before a moment, read or not; their laps stay. Answers how many."""
    return delete_old(LapFile.objects.filter(created_at__lt=older_than))


def unpacked(content: bytes) -> Iterator[str]:
    """The text's lines, unpacked as they are read."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    except UnicodeDecodeError as error:
        told = "The file is not UTF-8 text: save it as “CSV UTF-8”."
        raise InvalidInput(told, fields={"file": [told]}) from error


def import_laps(
    lines: Iterable[str],
    *,
    by: Any,
    session_id: int | None = None,
    skip_bad: bool = False,
    on_progress: OnProgress = silent,
) -> Report:
    """Read a lap file into the person's sessions.

    Rows name their session (`session_id`), or all go to the one given. Without `skip_bad` one bad row raises BadRows
    and nothing is stored. Laps that are there already stay as they are, so a second import changes nothing.
    """
    report = Report()
    with connection.cursor() as cursor:
        _make_stage(cursor)
        try:
            _stage(cursor, lines, report, by=by, session_id=session_id, on_progress=on_progress)
            _find_doubles(cursor, report)
            if report.bad and not skip_bad:
                raise BadRows(report)
            on_progress(Progress(report.rows, report.rows + 1, "Storing"))
            touched = _store(cursor, report, by)
        finally:
            if not connection.needs_rollback:
                cursor.execute("DROP TABLE IF EXISTS lap_stage")
    _score(touched, on_progress)
    return report


def _make_stage(cursor: Any) -> None:
    cursor.execute("DROP TABLE IF EXISTS lap_stage")
    cursor.execute(
        "CREATE TEMP TABLE lap_stage (line integer, session_id bigint, heat_name varchar(100), "
        "kind varchar(10), lap_number integer, lap_ms integer, confidence smallint, flag varchar(8))"
    )


def _stage(
    cursor: Any,
    lines: Iterable[str],
    report: Report,
    *,
    by: Any,
    session_id: int | None,
    on_progress: OnProgress,
) -> None:
    """Good rows into the staging table in chunks, so memory stays flat; bad ones into the report."""
    known: dict[int | None, str] = {}

    def refusal_of(wanted: int | None) -> str:
        if wanted not in known:
            known[wanted] = _why_not(wanted, by)
        return known[wanted]

    chunk: list[CsvLap] = []
    for row in read_lap_csv(lines):
        report.rows += 1
        if isinstance(row, BadRow):
            report.note(row)
            continue
        wanted = row.session_id or session_id
        if session_id is not None and wanted != session_id:
            report.note(BadRow(row.line, f"Belongs to session {wanted}, not to this one."))
        elif reason := refusal_of(wanted):
            report.note(BadRow(row.line, reason))
        else:
            chunk.append(row)
        if len(chunk) >= CHUNK:
            _copy(cursor, chunk, session_id)
            chunk.clear()
            on_progress(Progress(report.rows, 0, f"{report.rows} rows read"))
    _copy(cursor, chunk, session_id)


def _why_not(session_id: int | None, by: Any) -> str:
    if session_id is None:
        return "No session: add a column session_id, or choose a session for the file."
    session = Session.objects.filter(pk=session_id, profile__user=by).first()
    if session is None:
        return f"There is no session {session_id}."
    return f"Session {session_id} is closed." if session.is_closed else ""


def _copy(cursor: Any, chunk: list[CsvLap], session_id: int | None) -> None:
    with cursor.copy("COPY lap_stage FROM STDIN") as copy:
        for row in chunk:
            copy.write_row(
                (
                    row.line,
                    row.session_id or session_id,
                    row.heat_name,
                    row.kind,
                    row.lap_number,
                    row.lap_ms,
                    row.confidence,
                    row.flag,
                )
            )


def _find_doubles(cursor: Any, report: Report) -> None:
    """A lap that stands twice in the file: the same time is no matter, another time is a bad row."""
    cursor.execute(
        "CREATE INDEX ON lap_stage (session_id, heat_name, lap_number, line); ANALYZE lap_stage"
    )
    cursor.execute(
        "SELECT line, first_line, first_ms <> lap_ms FROM ("
        " SELECT line, lap_ms, first_value(line) OVER lap AS first_line,"
        " first_value(lap_ms) OVER lap AS first_ms FROM lap_stage"
        " WINDOW lap AS (PARTITION BY session_id, heat_name, lap_number ORDER BY line)"
        ") AS rows WHERE line <> first_line ORDER BY line"
    )
    doubles = cursor.fetchall()
    for line, first_line, differs in doubles:
        if differs:
            report.note(BadRow(line, f"The same lap has another time in line {first_line}."))
        else:
            report.there += 1
    if doubles:
        cursor.execute(
            "DELETE FROM lap_stage WHERE line = ANY(%s)", [[line for line, *_ in doubles]]
        )


@transaction.atomic
def _store(cursor: Any, report: Report, by: Any) -> list[int]:
    """Everything staged into the log in one transaction; the ids of the heats it touched."""
    cursor.execute(
        "SELECT session_id, heat_name, max(kind) FROM lap_stage "
        "GROUP BY session_id, heat_name ORDER BY session_id, min(line)"
    )
    wanted = cursor.fetchall()
    sessions = {
        session.pk: session
        for session in Session.objects.select_for_update(of=["self"])
        .filter(pk__in={row[0] for row in wanted}, profile__user=by)
        .order_by("pk")
    }
    for session_id, *_ in wanted:
        if session_id not in sessions or sessions[session_id].is_closed:
            raise NotReady(f"Session {session_id} was closed or deleted meanwhile; try again.")
    touched = make_heats(sessions, wanted)
    # A table that just grew is still thought to be tiny, and would be read whole for each of the laps: here, and in
    # the foreign key checks of the commit (which plan anew once the table was analysed).
    cursor.execute("SET LOCAL enable_seqscan = off")
    cursor.execute("ANALYZE coaching_heat")
    joined = (
        "lap_stage s JOIN coaching_heat h ON h.session_id = s.session_id AND h.name = s.heat_name"
    )
    cursor.execute(
        "SELECT count(*), count(*) FILTER (WHERE l.lap_ms <> s.lap_ms) "
        f"FROM {joined} JOIN coaching_runlog l ON l.heat_id = h.id AND l.lap_number = s.lap_number"
    )
    there, report.different = cursor.fetchone()
    report.there += there
    cursor.execute(
        "INSERT INTO coaching_runlog "
        "(heat_id, lap_number, lap_ms, confidence, flag, source, source_ref) "
        "SELECT h.id, s.lap_number, s.lap_ms, s.confidence, s.flag, 'csv', '' "
        f"FROM {joined} ORDER BY s.line ON CONFLICT (heat_id, lap_number) DO NOTHING"
    )
    report.stored, report.heats, report.sessions = cursor.rowcount, len(touched), len(sessions)
    for session in sessions.values():
        activate(session)
    per_session = Counter(session_id for session_id, *_ in wanted)
    for session in sessions.values():
        audit.record(
            by=by, verb="laps.imported", obj=session, after={"heats": per_session[session.pk]}
        )
    return touched


def _score(heat_ids: list[int], on_progress: OnProgress) -> None:
    """The heats whose number of laps is not the one their scores know, then each of their sessions once."""
    driven = dict(
        RunLog.objects.filter(heat__in=heat_ids)
        .order_by()
        .values_list("heat")
        .annotate(laps=Count("pk"))
    )
    known = Counter(
        heat_id
        for heat_id, laps in OrpScore.objects.filter(heat__in=heat_ids).values_list("heat", "laps")
        if driven.get(heat_id) == laps
    )
    stale = list(
        Heat.objects.filter(pk__in=[pk for pk in heat_ids if known[pk] < 2])
        .select_related("session__profile")
        .order_by("session_id", "order")
    )
    sessions = {heat.session_id: heat.session for heat in stale}
    done = 0
    for batch in _batches(stale, driven):
        scores.score_heats(batch)
        done += len(batch)
        on_progress(Progress(done, len(stale), f"{done} of {len(stale)} heats scored"))
    for session in sessions.values():
        scores.score_session(session)


def _batches(heats: list[Heat], driven: dict[int, int]) -> Iterator[list[Heat]]:
    """Heats of some ten thousand laps at a time, so memory stays flat."""
    batch: list[Heat] = []
    laps = 0
    for heat in heats:
        batch.append(heat)
        laps += driven.get(heat.pk, 0)
        if laps >= 2 * CHUNK:
            yield batch
            batch, laps = [], 0
    if batch:
        yield batch
