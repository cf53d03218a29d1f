"""Which rows and files are one person's. Found from the models, so that a new table joins by itself.

A row is theirs where deleting the person would delete it (CASCADE, over any number of tables); a row
only mentions them where the reference would be emptied (a team's plan they once changed).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q

from racecontrol.models import User
from racecontrol.shared.store import files

FILE_FIELD = "stored_as"  # the house's name for where a row's file lies in the store
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Table:
    """A model and how its rows lead to the person."""

    model: type[models.Model]
    paths: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def rows(self, user: Any) -> models.QuerySet:
        # One query per path: a join that does not fit must not hide rows of another.
        wanted = Q()
        for path in self.paths:
            key = f"{path}__pk" if path else "pk"
            wanted |= Q(pk__in=self.model._base_manager.filter(**{key: user.pk}).values("pk"))
        return self.model._base_manager.filter(wanted).order_by("pk")


def _references(model: type[models.Model]) -> Iterator[Any]:
    """Foreign keys of other tables that point at this one, hidden ones included."""
    for field in model._meta.get_fields(include_hidden=True):
        if field.auto_created and not field.concrete and (field.one_to_many or field.one_to_one):
            yield field


def owned() -> list[Table]:
    """Tables whose rows are somebody's, the person first, each with every way to them."""
    paths: dict[type[models.Model], list[str]] = {User: [""]}
    queue: deque[tuple[type[models.Model], str, int]] = deque([(User, "", 0)])
    while queue:
        model, path, depth = queue.popleft()
        for relation in _references(model):
            if relation.on_delete is not models.CASCADE or depth == DEEPEST:
                continue
            child = relation.related_model
            way = f"{relation.field.name}__{path}" if path else relation.field.name
            known = paths.setdefault(child, [])
            if way not in known and child is not User:
                known.append(way)
                queue.append((child, way, depth + 1))
    return [Table(model, tuple(ways)) for model, ways in paths.items()]


def mentioning() -> list[Table]:
    """Tables of others that may name the person."""
    theirs = {table.model for table in owned()}
    found: dict[type[models.Model], list[str]] = {}
    for relation in _references(User):
        if relation.on_delete is not models.CASCADE and relation.related_model not in theirs:
            found.setdefault(relation.related_model, []).append(relation.field.name)
    return [Table(model, tuple(ways)) for model, ways in found.items()]


def files_of(user: Any) -> Iterator[tuple[Table, str]]:
    """Where the files of this person's rows lie in the store, with the table that knows them."""
    for table in owned():
        if any(field.name == FILE_FIELD for field in table.model._meta.concrete_fields):
            names = table.rows(user).exclude(**{FILE_FIELD: ""}).values_list(FILE_FIELD, flat=True)
            yield from ((table, name) for name in names)


def delete_files(user: Any) -> int:
    """Delete the files first: a purge cut off here finds the rows, and what is left, again."""
    count = 0
    for _table, name in files_of(user):
        files().delete(name)
        count += 1
    return count
