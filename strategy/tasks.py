"""What the worker does for strategy."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from racecontrol.shared import jobs
from racecontrol.shared.errors import RaceError
from strategy.models import Webhook
from strategy.services import analytics, formation, news, plans, upkeep
from strategy.services.live import changes, tell
from strategy.webhooks import deliver


def optimise(
    job: jobs.Running, strategy_id: int, seconds: int, even_out: bool, user_id: int
) -> dict:
    """Look for a better plan; the version found carries the job's id, so a second run finds it."""
    by = get_user_model().objects.get(pk=user_id)

    version, front = plans.optimise(
        strategy_id=strategy_id, seconds=seconds, even_out=even_out, by=by,
        job_key=str(job.id)[:8], on_progress=job.show,
    )  # fmt: skip
    return {
        "version": version.number,
        "z1_ms": version.z1_ms,
        "bound_ms": version.bound_ms,
        "proven": version.is_proven,
        "front": [[t.spread_ms, t.extra_ms] for t in front],
        "url": reverse("strategy:compare", args=[strategy_id, version.number]),
    }


def form(job: jobs.Running, draft_id: int) -> dict:
    """Propose teams for an event."""

    def keep_going() -> bool:
        job.progress(0, 1, "weighing who fits whom")  # raises if a person cancelled
        return True

    draft = formation.form(draft_id=draft_id, keep_going=keep_going)
    return {
        "teams": len(draft.teams),
        "url": reverse("strategy:formation", args=[draft.event_id, draft.pk]),
    }


def tell_change(job: jobs.Running, strategy_id: int, since: int, by: str) -> dict:
    """Mail and webhooks about a changed active plan; held back a minute, one for many changes."""
    with transaction.atomic():
        return {"told": news.tell_change(strategy_id=strategy_id, since=since, by=by)}


def measure(job: jobs.Running, run_id: int) -> dict | None:
    """Measure a race that is over; once more after each correction of its log."""
    job.progress(0, 1, "driving the race again")
    report = analytics.measure(run_id=run_id)
    if report is None:
        return None
    if not analytics.is_fresh(report):
        raise jobs.Later(now(), "the log was corrected meanwhile")
    return {"report": report.pk, "url": reverse("strategy:report", args=[report.run.strategy_id])}


def remind_drivers(job: jobs.Running, strategy_id: int) -> dict:
    """Look once a minute who is due in the car, until the race is over."""
    if tell.remind(strategy_id) is None:
        return {"over": True}
    raise jobs.Later(now() + tell.LOOK_EVERY, "looking again in a minute")


def find_ways_on(job: jobs.Running, proposal_id: int) -> dict:
    """Ways on from now for a race under way; a second run finds them found."""

    row = changes.find_ways(proposal_id=proposal_id, on_progress=job.show)
    return {"proposal": row.pk, "ways": len(row.options)}


def prune() -> dict[str, int]:
    """Once a day: invitations long over, and ways on that nobody took."""
    return upkeep.prune()


def mail(job: jobs.Running, user_id: int, subject: str, text: str) -> None:
    news.mail(user_id=user_id, subject=subject, text=text, key=f"job:{job.id}")


def deliver_hook(job: jobs.Running, webhook_id: int, text: str) -> dict | None:
    hook = Webhook.objects.filter(pk=webhook_id, is_active=True).first()
    if hook is None:
        return None
    moment = str(int(now().timestamp()))
    try:
        status = deliver(url=hook.url, secret=hook.secret, text=text, timestamp=moment)
    except (RaceError, OSError) as fault:
        Webhook.objects.filter(pk=hook.pk).update(last_status=str(fault)[:120])
        raise
    Webhook.objects.filter(pk=hook.pk).update(last_status=f"told, {status}")
    return {"status": status}
