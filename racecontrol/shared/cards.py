"""Cards of the dashboard: each app offers its own through `settings.HOME_CARDS`."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Card:
    """One card: its template is rendered with `context` alone (and the request). Low `order` first.

    `is_own`: about things of this person. Who has none yet is shown the first steps as well.
    """

    template: str
    context: dict = field(default_factory=dict)
    order: int = 50
    is_own: bool = True


def cards_of(request: HttpRequest) -> list[Card]:
    """What the apps have to show this person now, in order; an app with nothing offers None."""
    offered = [import_string(name)(request) for name in settings.HOME_CARDS]
    return sorted((card for card in offered if card is not None), key=lambda card: card.order)
