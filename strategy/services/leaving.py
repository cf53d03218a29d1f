"""What happens to teams when one of their people deletes the account."""

from typing import Any

from django.db.models import Q

from racecontrol.shared.jobs import Job
from strategy.models import Invitation, Membership, RaceStrategy, Role, Team


def let_go(user: Any) -> None:
    """Teams of one go with their person; a team without an owner gets its longest member as one."""
    for team in Team.objects.filter(memberships__user=user):
        others = Membership.objects.filter(team=team).exclude(user=user)
        if not others.exists():
            # Strategies protect their car and start; they go first.
            RaceStrategy.objects.filter(Q(team=team) | Q(event__host=team)).delete()
            team.delete()
        elif not others.filter(role=Role.OWNER).exists():
            heir = others.order_by("created_at", "pk").first()
            if heir is not None:
                heir.role = Role.OWNER
                heir.save(update_fields=["role"])
    if user.email:
        Invitation.objects.filter(email__iexact=user.email).delete()
    Job.objects.filter(func="strategy.tasks.mail", args__0=user.pk).delete()
