"""What the clock clears away of strategy."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.timezone import now

from racecontrol.shared.pruning import delete_old
from strategy.models import Invitation, LiveProposal, LiveRun


def prune() -> dict[str, int]:
    """Drop invitations that ended long ago and proposals of finished races that nobody accepted."""
    long_over = now() - timedelta(days=settings.TOKENS_KEPT_DAYS)
    ended = Q(expires_at__lt=long_over) | Q(revoked_at__lt=long_over)
    ended |= Q(accepted_at__lt=long_over)
    unused = LiveProposal.objects.filter(
        run__state=LiveRun.State.FINISHED,
        accepted=None,
        created_at__lt=now() - timedelta(days=settings.PROPOSALS_KEPT_DAYS),
    )
    return {
        "invitations": delete_old(Invitation.objects.filter(ended)),
        "proposals": delete_old(unused),
    }
