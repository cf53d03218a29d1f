"""What the clock does for all missions, and what time takes away."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q

from coaching.models import LlmExchange, Mission, MissionDraft, MissionRun
from coaching.queries import mission_numbers
from coaching.services import mission_notices, mission_runs, reasoning_logs
from racecontrol.shared import mail
from racecontrol.shared.errors import RaceError
from racecontrol.shared.pruning import delete_old, empty_old

log = structlog.get_logger(__name__)
BATCH = 1000


def tick(*, real_now: datetime) -> dict[str, int]:
    """Look after every mission whose moment has come. One that refuses does not stop the others.

    Demonstrations live by their own clock and are stepped by hand.
    """
    freed = mission_runs.free_orphans(real_now=real_now)
    waiting = MissionRun.objects.claimable(real_now).values("mission_id")
    due = Mission.objects.filter(
        Q(next_check_at__lte=real_now) | Q(pk__in=waiting), demo_now__isnull=True
    )
    total = {"missions": 0, "queued": 0, "missed": 0, "closed": 0, "freed": freed}
    for mission_id in due.order_by("next_check_at").values_list("pk", flat=True)[:BATCH]:
        try:
            done = mission_runs.look_after(mission_id=mission_id, now=real_now)
        except RaceError as refusal:
            log.warning("mission_tick_refused", mission_id=mission_id, why=str(refusal))
            continue
        except Exception:  # a bug in one person's rows must not cost everybody their morning
            log.exception("mission_tick_broke", mission_id=mission_id)
            continue
        total["missions"] += 1
        for name, count in done.items():
            total[name] += count
    total["logs"] = reasoning_logs.write_missing(now=real_now)
    total["mails"] = mission_notices.look_after(real_now=real_now)
    return total


def prune(*, real_now: datetime) -> int:
    """Empty prompts, answers and facts older than the setting; counts and costs stay."""
    limit = real_now - timedelta(days=settings.LLM_PROMPTS_KEPT_DAYS)
    pruned = empty_old(
        LlmExchange.objects.filter(created_at__lt=limit, pruned_at__isnull=True),
        {"sent": None, "answer": "", "problems": "", "pruned_at": real_now},
    )
    reasoning_logs.prune(older_than=limit)
    delete_old(MissionDraft.objects.filter(updated_at__lt=limit))
    empty_old(
        MissionRun.objects.filter(created_at__lt=limit, facts__isnull=False),
        {"facts": None, "limits": None},
    )
    return pruned


def tell_operators(*, real_now: datetime) -> int:
    """Mail the operators what went wrong in a day, without health values; silent when all is well."""
    lines = mission_numbers.troubles(now=real_now)
    if lines:
        subject = f"Missions: {len(lines)} troubles in 24 hours"
        mail.tell_operators(subject, "\n".join(lines), key=f"missions:{real_now:%Y-%m-%d}")
    return len(lines)
