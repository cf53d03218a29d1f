"""Who may see what in coaching, asked by the live stream; rows are read by their owner's queries."""

from typing import Any

from coaching.models import Mission


def may_follow_mission(user: Any, topic: str) -> bool:
    """Live news of a mission (`mission:12`): its owner's alone."""
    number = topic.partition(":")[2]
    return number.isdecimal() and Mission.objects.filter(pk=number, owner_id=user.pk).exists()
