"""Several small questions to the database in one."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, QuerySet


def which_exist(user: Any, **rows: QuerySet) -> dict[str, bool]:
    """Which of these hold any row, by name, in one query. `user` is a stored person: the query
    hangs its questions on that row."""
    asked = {f"has_{name}": Exists(found.order_by()) for name, found in rows.items()}
    row = get_user_model()._base_manager.filter(pk=user.pk).annotate(**asked).values(*asked)
    answer = row.first() or {}
    return {name: bool(answer.get(f"has_{name}")) for name in rows}
