"""Cards of the dashboard: each app offers its own through `settings.HOME_CARDS`."""

from collections.abc import Callable
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

    `is_own`: about things of this person.
    """

    template: str
    context: dict = field(default_factory=dict)
    order: int = NEWS
    is_own: bool = True


Offer = Callable[[HttpRequest], Card | None]


def live_card(element_id: str) -> Callable[[Offer], Offer]:
    """Marks a card that is drawn anew while somebody looks at it.

    A request of htmx for that element is answered with this card alone, no other is made for it,
    or with nothing once it has nothing to show.
    """

    def marked(offer: Offer) -> Offer:
        offer.live_id = element_id  # type: ignore[attr-defined]
        return offer

    return marked


def cards_of(request: HttpRequest) -> list[Card]:
    """What the apps have to show this person now, in order; an app with nothing offers None."""
    offered = [import_string(name)(request) for name in settings.HOME_CARDS]
    return sorted((card for card in offered if card is not None), key=lambda card: card.order)


def one_card(request: HttpRequest, element_id: str) -> Card | None:
    """The live card of this element as it is now; None where there is none, or nothing to show."""
    for offer in map(import_string, settings.HOME_CARDS):
        if getattr(offer, "live_id", "") == element_id:
            return offer(request)
    return None
