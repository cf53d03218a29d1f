"""How big the tables are on disk: rows, bytes with indexes and long values, and how long rows stay."""

from typing import NamedTuple

from django.apps import apps
from django.db import connection

from racecontrol import retention

ASK = """
SELECT relname, pg_total_relation_size(oid), pg_indexes_size(oid)
  FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


class Size(NamedTuple):
    """One table. Bytes count the rows, their TOAST and all indexes."""

    table: str
    rows: int
    total: int
    indexes: int

    @property
    def per_row(self) -> float | None:
        return self.total / self.rows if self.rows else None


def sizes() -> list[Size]:
    """Every table of the site, the largest first. Counts rows: for operators, not for pages."""
    names = {
        model._meta.db_table: model._meta.label_lower
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    found = []
    with connection.cursor() as cursor:
        cursor.execute(ASK)
        for relation, total, indexes in cursor.fetchall():
            if relation in names:
                quoted = connection.ops.quote_name(relation)
                cursor.execute(f"SELECT count(*) FROM {quoted}")
                found.append(Size(names[relation], cursor.fetchone()[0], total, indexes))
    return sorted(found, key=lambda size: -size.total)


def kept(table: str) -> str:
    """How long a table keeps its rows, in words."""
    if table in retention.PRUNED:
        task, setting = retention.PRUNED[table]
        return f"pruned by {task}" + (f", {setting}" if setting else "")
    if table in retention.GOES_WITH:
        return f"goes with {retention.GOES_WITH[table]}"
    return f"kept: {retention.KEPT[table]}"
