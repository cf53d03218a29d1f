"""The trail of who changed what. Written by services, in the transaction of the change."""

from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from racecontrol.models import AuditEvent


def record(
    *,
    by: Any,
    verb: str,
    obj: models.Model,
    before: dict | None = None,
    after: dict | None = None,
    reason: str = "",
) -> AuditEvent:
    """Add one line: `verb` like "plan.locked"; `before` and `after` hold only what changed."""
    context = structlog.contextvars.get_contextvars()
    return AuditEvent.objects.create(
        by=by if getattr(by, "pk", None) else None,
        verb=verb,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_name=str(obj)[:200],
        before=_plain(before),
        after=_plain(after),
        reason=reason,
        request_id=str(context.get("request_id", ""))[:64],
    )


def trail_of(obj: models.Model) -> models.QuerySet[AuditEvent]:
    """Every line about this object, newest first."""
    return AuditEvent.objects.filter(
        object_type=obj._meta.label_lower, object_id=str(obj.pk)
    ).select_related("by")


def _plain(values: dict | None) -> dict:
    import json

    return json.loads(json.dumps(values or {}, cls=DjangoJSONEncoder))
