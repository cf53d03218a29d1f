"""Cards of the dashboard: each app offers its own through `settings.HOME_CARDS`."""

from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

# The order of urgency; a card moves up while what it tells is about to happen.
AT_ONCE: Final = 5
TODAY: Final = 10
SOON: Final = 20
UNDER_WAY: Final = 25
RESULTS: Final = 30
AHEAD: Final = 40
PLANS: Final = 50
NEWS: Final = 60


@dataclass(frozen=True, slots=True)
class Card:
    """One card: its template is rendered with `context` alone (and the request). Low `order` first.

    `is_own`: about things of this person. `key` is the id of the card's element where it is live:
    a request of htmx for that element is answered with this card alone, or with nothing once it
    has nothing to show.
    """

    template: str
    context: dict = field(default_factory=dict)
    order: int = NEWS
    is_own: bool = True
    key: str = ""


def cards_of(request: HttpRequest) -> list[Card]:
    """What the apps have to show this person now, in order; an app with nothing offers None."""
    offered = [import_string(name)(request) for name in settings.HOME_CARDS]
    return sorted((card for card in offered if card is not None), key=lambda card: card.order)
