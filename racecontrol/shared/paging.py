"""Cursor paging for the API: stable under inserts, no counting, the same for every list."""

import base64
import json
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models import Q
from ninja import Schema

from racecontrol.shared.errors import InvalidInput

T = TypeVar("T")
MOST = 200


class Paged(Schema, Generic[T]):
    """`next_cursor` is null on the last page; pass it back as `cursor` for the next."""

    items: list[T]
    next_cursor: str | None = None


def page_of(
    queryset: models.QuerySet,
    *,
    limit: int = 50,
    cursor: str | None = None,
    order: tuple[str, ...] = ("-created_at", "-pk"),
) -> dict[str, Any]:
    """One page of `queryset`, ordered by `order` (fields or annotations; the last must be unique).

    Raises InvalidInput for a limit outside 1..200 or a cursor we did not hand out.
    """
    if not 1 <= limit <= MOST:
        raise InvalidInput(f"limit goes from 1 to {MOST}.", fields={"limit": [f"1 to {MOST}."]})
    names = [field.lstrip("-") for field in order]
    fields = [_field(queryset, name) for name in names]
    queryset = queryset.order_by(*order)
    if cursor:
        queryset = queryset.filter(_after(order, names, _read_cursor(cursor, fields)))
    rows = list(queryset[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return {"items": rows, "next_cursor": _write_cursor(rows[-1], names) if more else None}


def _field(queryset: models.QuerySet, name: str) -> Any:
    if name == "pk":
        return queryset.model._meta.pk
    annotated = queryset.query.annotations.get(name)
    return annotated.output_field if annotated else queryset.model._meta.get_field(name)


def _after(order: tuple[str, ...], names: list[str], values: list[Any]) -> Q:
    """Rows behind the cursor: (a < x) or (a = x and b < y) …"""
    wanted, equal = Q(), Q()
    for field, name, value in zip(order, names, values, strict=True):
        step = "lt" if field.startswith("-") else "gt"
        wanted |= equal & Q(**{f"{name}__{step}": value})
        equal &= Q(**{name: value})
    return wanted


def _write_cursor(row: models.Model, names: list[str]) -> str:
    values = [getattr(row, name) for name in names]
    text = json.dumps([v.isoformat() if hasattr(v, "isoformat") else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, fields: list[Any]) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if len(values) != len(fields):
            raise ValueError
        return [field.to_python(value) for field, value in zip(fields, values, strict=True)]
    except Exception as error:  # anything a stranger may have typed
        message = "This cursor is not one of ours; start again without it."
        raise InvalidInput(message, fields={"cursor": [message]}) from error
