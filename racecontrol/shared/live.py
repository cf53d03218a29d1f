"""News for open pages: `publish` in a service, follow with `data-live` (docs/decisions/0003).

An event is a row; its number is given when the transaction commits, so whoever reads events in
the order of their numbers reads them in the order they became true. Who may follow a topic is
decided by the function that `settings.LIVE_TOPICS` names for its prefix.
"""

import json
import re
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Max
from django.utils.module_loading import import_string

from racecontrol.models import LiveEvent
from racecontrol.shared.pruning import delete_old

TOPIC: Final = re.compile(r"[a-z][a-z0-9_-]*(:[A-Za-z0-9_.-]+)*")
LONGEST_TOPIC: Final = 120
CONTROL_EVENTS: Final = {"hello", "resync", "denied"}  # what the stream itself says

_position: int | None = None


def is_topic(text: str) -> bool:
    """`job:7c9e…`, `race:12:laps`: a prefix, then parts after colons."""
    is_short = len(text) <= LONGEST_TOPIC
    return is_short and bool(TOPIC.fullmatch(text)) and text not in CONTROL_EVENTS


def publish(topic: str, data: dict[str, Any]) -> None:
    """Tell every page that follows `topic`, once the surrounding transaction commits.

    Send ids and small facts; pages fetch what they show. Raises ValueError for a topic that
    nobody could follow: no valid name, or no access function for its prefix.
    """
    if not is_topic(topic) or topic.partition(":")[0] not in settings.LIVE_TOPICS:
        raise ValueError(f"{topic!r} is no live topic: name its prefix in settings.LIVE_TOPICS.")
    LiveEvent.objects.create(topic=topic, body=json.dumps(data, cls=DjangoJSONEncoder))


def may_follow(user: Any, topic: str) -> bool:
    """Ask the topic's owner. A name that its owner cannot read is nobody's."""
    rule = settings.LIVE_TOPICS.get(topic.partition(":")[0])
    if rule is None or not is_topic(topic):
        return False
    try:
        return bool(import_string(rule)(user, topic))
    except (ValueError, ValidationError):
        return False


def newest(topic: str) -> int | None:
    """The number of the last news of a topic: what is made from its data is as new as that."""
    return LiveEvent.objects.filter(topic=topic).aggregate(newest=Max("id"))["newest"]


def prune(*, before: datetime) -> int:
    """Forget old events, but the newest: its number tells where the counting stands."""
    newest = LiveEvent.objects.aggregate(newest=Max("id"))["newest"]
    return delete_old(LiveEvent.objects.filter(created_at__lt=before).exclude(pk=newest))


def position() -> int | None:
    """The number up to which this process has heard all news; None while it does not listen.

    Taken before a page reads its data and put into the page, it lets the stream send exactly
    what happened since.
    """
    return _position


def heard(number: int | None) -> None:
    """For the hub of this process only."""
    global _position
    _position = number
