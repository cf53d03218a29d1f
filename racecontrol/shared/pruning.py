"""Deleting or emptying what is too old: in short transactions, past rows somebody holds, never for long.

What is left over (a long backlog, a row that was locked) is found again by the next run.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

BATCH: Final = 1_000
SECONDS: Final = 60.0


def delete_old(rows: QuerySet[Any], *, batch: int = BATCH, seconds: float = SECONDS) -> int:
    """Delete these rows (with what hangs on them), `batch` in a transaction, for about `seconds`.

    Returns how many of the rows themselves went. Only the rows of one batch are locked at a time,
    and a row that somebody works on is passed over.
    """

    def delete(some: QuerySet[Any]) -> int:
        _, gone = some.delete()
        return gone.get(rows.model._meta.label, 0)

    return _a_batch_at_a_time(rows, delete, batch, seconds)


def empty_old(
    rows: QuerySet[Any], values: dict[str, Any], *, batch: int = BATCH, seconds: float = SECONDS
) -> int:
    """Write `values` over these rows, in the same small steps; how many were written."""
    return _a_batch_at_a_time(rows, lambda some: some.update(**values), batch, seconds)


def _a_batch_at_a_time(
    rows: QuerySet[Any], act: Callable[[QuerySet[Any]], int], batch: int, seconds: float
) -> int:
    count, last = 0, None
    stop_at = monotonic() + seconds
    while monotonic() < stop_at:
        with transaction.atomic():
            left = rows.order_by("pk") if last is None else rows.filter(pk__gt=last).order_by("pk")
            ids = list(
                left.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
                    :batch
                ]
            )
            if not ids:
                break
            count += act(rows.model._base_manager.filter(pk__in=ids))
        last = ids[-1]
    return count
