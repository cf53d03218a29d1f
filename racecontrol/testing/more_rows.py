"""Three times the rows: every row of the rooms copied twice beside itself, under the same parents.

A page whose number of queries grows with them asks once a row. A copy differs from its row only in
what must be unique; a row no copy fits beside (a rule of its table) stays alone.
"""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.models import CompositePrimaryKey, UniqueConstraint

from racecontrol.testing.matrix import ROOMS

COPIES = (1, 2)
Model = type[models.Model]


class Copies:
    """The copies made; `moved(row)` names the parent of which a row may stand there only once."""

    def __init__(self, moved: Callable[[models.Model], str]):
        self.moved = moved
        self.of: dict[tuple[Model, Any], list[Any]] = {}
        self.added: dict[str, int] = {}

    def make(self) -> dict[str, int]:
        """Rows added by the name of their table."""
        for model in parents_first():
            rows = list(model._base_manager.order_by("pk"))
            made = [self._copy(row, n) for row in rows for n in COPIES]
            if rows:
                self.added[model._meta.label] = sum(made)
        return self.added

    def _copy(self, row: models.Model, n: int) -> bool:
        model = type(row)
        copy = model._base_manager.get(pk=row.pk)
        key = model._meta.pk
        if isinstance(key, models.UUIDField):
            copy.pk = uuid.uuid4()
        elif not key.is_relation and not isinstance(key, CompositePrimaryKey):
            copy.pk = None
        if name := self.moved(row):
            field = model._meta.get_field(name)
            setattr(copy, field.attname, self._another(field, getattr(row, field.attname), n))
        for names in unique_sets(model):
            self._tell_apart(copy, row, names, n)
        if not (saved(copy) or saved(later(copy, n))):
            return False
        self.of.setdefault((model, row.pk), []).append(copy.pk)
        return True

    def _tell_apart(self, copy: Any, row: Any, names: tuple[str, ...], n: int) -> None:
        """Change one field of a unique set: a plain one rather than a choice or a parent."""
        fields = [copy._meta.get_field(name) for name in reversed(names)]
        if any(getattr(copy, f.attname) != getattr(row, f.attname) for f in fields):
            return
        for field in sorted(fields, key=lambda f: (f.is_relation, bool(f.choices))):
            value = self._another(field, getattr(row, field.attname), n)
            if value is not None:
                setattr(copy, field.attname, value)
                return

    def _another(self, field: Any, value: Any, n: int) -> Any:
        if field.is_relation:
            others = self.of.get((field.related_model, value), [])
            return others[n - 1] if len(others) >= n else None
        if field.choices:
            keys = [key for key, _ in field.flatchoices if key != value]
            return keys[n - 1] if len(keys) >= n else None
        if isinstance(value, uuid.UUID):
            return uuid.uuid4()
        if isinstance(value, date):
            return value + timedelta(days=1000 * n)
        if isinstance(value, str) and value:
            return f"{value[: (field.max_length or 200) - 2]}~{n}"
        if isinstance(value, int) and not isinstance(value, bool):
            return value + 1000 * n
        return None


def parents_first() -> list[Model]:
    """The tables of all rooms, each after those it points at, as far as that goes."""
    left = [
        model
        for room in ROOMS
        for model in apps.get_app_config(room).get_models(include_auto_created=True)
        if not model._meta.proxy
    ]
    done: list[Model] = []
    while left:
        waiting = set(left)
        ready = [m for m in left if not points_at(m) & waiting - {m}] or left[:1]
        done += ready
        left = [m for m in left if m not in ready]
    return done


def points_at(model: Model) -> set[Any]:
    return {field.related_model for field in model._meta.fields if field.is_relation}


def unique_sets(model: Model) -> list[tuple[str, ...]]:
    key = model._meta.pk
    found = [tuple(f.name for f in key.fields)] if isinstance(key, CompositePrimaryKey) else []
    found += [(f.name,) for f in model._meta.fields if f.unique and (f.is_relation or f != key)]
    rules = model._meta.constraints
    return found + [tuple(r.fields) for r in rules if isinstance(r, UniqueConstraint) and r.fields]


def later(copy: models.Model, n: int) -> models.Model:
    """The same at another time: spans of one parent often must not overlap."""
    for field in copy._meta.fields:
        value = getattr(copy, field.attname)
        if isinstance(value, date):
            setattr(copy, field.attname, value + timedelta(days=1000 * n))
    return copy


def saved(copy: models.Model) -> bool:
    copy._state.adding = True
    try:
        with transaction.atomic():
            copy.save_base(raw=True, force_insert=True)
            connection.check_constraints()
    except DatabaseError:
        return False
    return True
