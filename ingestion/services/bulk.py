"""Rows by the hundred: written with COPY or one statement, where the ORM's price would be felt."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import Model

from ingestion.models import Lap, RaceResult

LAP_FIELDS: Final = ("result_id", "number", "ms", "position", "crossed_at", "is_valid")
_LAP: Final = "{}\t{}\t{}\t{}\t{}\t{}\n"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\x00": None})


def relax_commit() -> None:
    """Let this transaction's commit not wait for the disk.

    For imports: a power cut may take the last races back, and the next import brings them again.
    The end of an import waits for the disk, and with it all that came before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def fresh_ids(model: type[Model], count: int) -> list[int]:
    """Primary keys nobody else will get, for rows that others point to before they are written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def copy_results(rows: Sequence[dict[str, Any]]) -> None:
    """COPY results, each by column; all have the same columns. Nothing is done for none."""
    if rows:
        lines = ["\t".join(map(_field, row.values())) + "\n" for row in rows]
        _copy(RaceResult, tuple(rows[0]), "".join(lines))


def copy_laps(rows: list[tuple]) -> None:
    """COPY (result_id, number, ms, position, crossed_at, is_valid): numbers and moments, no texts.

    Raises DataError for a number no lap has.
    """
    if not rows:
        return
    lines = "".join([_LAP.format(*row) for row in rows])
    _copy(Lap, LAP_FIELDS, lines.replace("None", r"\N"))


def set_transponders(numbers: dict[int, str]) -> None:
    """Write result id -> transponder in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {RaceResult._meta.db_table} AS r SET transponder = said.number "
            "FROM unnest(%s::bigint[], %s::text[]) AS said (id, number) WHERE r.id = said.id",
            [list(numbers), list(numbers.values())],
        )


def _copy(model: type[Model], columns: Sequence[str], lines: str) -> None:
    """Send all lines at once: a call per row costs more than the database needs to store it."""
    table = model._meta.db_table
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        copy.write(lines)


def _field(value: Any) -> str:
    """A value as COPY's text format wants it."""
    if value is None:
        return r"\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return str(value)
