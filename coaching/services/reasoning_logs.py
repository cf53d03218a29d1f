"""Reasoning logs: what one attempt of a run was told, asked, answered and held against the checks.

Each is one sealed file in the site's store (a folder, or an S3-compatible bucket by setting): an
account that outlives the worker and can be handed to the athlete. A store that is away costs no
guidance; the ten-minute tick writes what is missing. Pruned with the prompts.
"""

import json
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.files.base import ContentFile
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Q

from coaching.models import LlmExchange, MissionRun, ReasoningLog
from racecontrol.shared import secrets, store
from racecontrol.shared.errors import NotFound
from racecontrol.shared.pruning import delete_old
from racecontrol.shared.store import files

log = structlog.get_logger(__name__)
CONTEXT = "coaching.ReasoningLog"
# What is older was written, or its store has been away for days and people have looked at it.
LOOK_BACK = timedelta(days=7)
BATCH = 200


def write(run: MissionRun) -> ReasoningLog | None:
    """Keep the log of the run's present attempt; None where nothing was sent or it is there."""
    exchanges = list(run.exchanges.filter(attempt_no=run.attempt_no, pruned_at=None).order_by("pk"))
    if not exchanges or run.reasoning_logs.filter(attempt_no=run.attempt_no).exists():
        return None
    sealed = secrets.seal(
        json.dumps(_content(run, exchanges), cls=DjangoJSONEncoder), context=CONTEXT
    ).encode()
    name = f"missions/{run.mission_id}/{run.local_date}-{run.kind}-{run.attempt_no}.sealed"
    stored = files().save(name, ContentFile(sealed))
    row, is_new = ReasoningLog.objects.get_or_create(
        run=run, attempt_no=run.attempt_no, defaults={"stored_as": stored, "size": len(sealed)}
    )
    if not is_new:  # another worker was quicker
        files().delete(stored)
        return None
    return row


def write_missing(*, now: datetime) -> int:
    """Logs of runs that have ended and have none for their last attempt. Safe to repeat."""
    ended = MissionRun.objects.exclude(status__in=MissionRun.OPEN).filter(
        Q(finished_at__gte=now - LOOK_BACK) | Q(created_at__gte=now - LOOK_BACK),
        exchanges__attempt_no=F("attempt_no"), exchanges__pruned_at=None,
    ).exclude(
        pk__in=ReasoningLog.objects.filter(attempt_no=F("run__attempt_no")).values("run")
    )  # fmt: skip
    count = 0
    for run in ended.distinct().order_by("pk")[:BATCH]:
        try:
            count += write(run) is not None
        except Exception:  # any failure of a store: the run stands, the log follows later
            log.exception("reasoning_log_not_kept", run_id=run.pk)
            break
    return count


def read(run: MissionRun, attempt_no: int | None = None) -> dict[str, Any]:
    """The log of an attempt, the last one unless told. Raises NotFound, SealBroken."""
    rows = run.reasoning_logs.all()
    row = (rows if attempt_no is None else rows.filter(attempt_no=attempt_no)).first()
    if row is None:
        raise NotFound("There is no reasoning log of this run; it was pruned or nothing was sent.")
    return json.loads(secrets.unseal(_stored(row), context=CONTEXT))


def prune(*, older_than: datetime) -> int:
    """Drop old logs with their files; a host that does not see the files leaves both alone."""
    if not store.is_ours():
        log.warning("reasoning_logs_not_pruned", why="this host does not see the file store")
        return 0
    return delete_old(ReasoningLog.objects.filter(created_at__lt=older_than))


def reseal() -> int:
    """After a change of FIELD_KEYS: seal every file with the first key; how many were written."""
    count = 0
    for row in ReasoningLog.objects.order_by("pk").iterator():
        text = _stored(row)
        if secrets.is_newest(text):
            continue
        sealed = secrets.seal(secrets.unseal(text, context=CONTEXT), context=CONTEXT).encode()
        old = row.stored_as
        row.stored_as = files().save(old, ContentFile(sealed))
        row.size = len(sealed)
        row.save(update_fields=["stored_as", "size"])
        files().delete(old)
        count += 1
    return count


def forget_file(instance: ReasoningLog, **_signal: Any) -> None:
    """The file goes with its row, whatever took the row away; not before that is certain."""
    transaction.on_commit(lambda: files().delete(instance.stored_as), robust=True)


def _stored(row: ReasoningLog) -> str:
    with files().open(row.stored_as, "rb") as file:
        return file.read().decode()


def _content(run: MissionRun, exchanges: list[LlmExchange]) -> dict[str, Any]:
    return {
        "run": {
            "mission": run.mission_id, "local_date": run.local_date, "tz": run.tz,
            "kind": run.kind, "state": run.mission_state, "attempt_no": run.attempt_no,
            "status": run.status, "reason_code": run.reason_code, "reason": run.reason,
            "provider": run.provider, "model": run.model,
            "prompt_version": run.prompt_version, "prompt_hash": run.prompt_hash,
        },
        "facts": run.facts, "limits": run.limits, "stage": run.stage, "guidance": run.guidance,
        "exchanges": [
            {
                "at": exchange.created_at, "outcome": exchange.outcome,
                "problems": exchange.problems, "http_status": exchange.http_status,
                "sent": exchange.sent, "answer": exchange.answer,
                "prompt_tokens": exchange.prompt_tokens,
                "completion_tokens": exchange.completion_tokens,
                "cost_micro_usd": exchange.cost_micro_usd, "ms": exchange.ms,
            }
            for exchange in exchanges
        ],
    }  # fmt: skip
