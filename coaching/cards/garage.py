"""The person's latest results, and their race pace."""

from django.http import HttpRequest

from coaching.queries import garage as queries
from coaching.queries import results
from racecontrol.shared.cards import RESULTS, Card


def latest_results(request: HttpRequest) -> Card | None:
    """The newest races of the drivers this person is, with ORP and bump-ups; None without a claim."""
    rows = results.latest_results(request.user)
    return (
        Card("coaching/garage/_results_card.html", {"rows": rows}, order=RESULTS) if rows else None
    )


def latest_scores(request: HttpRequest) -> Card | None:
    scores = queries.latest_scores(request.user)
    return Card("coaching/garage/_card.html", {"scores": scores}, order=RESULTS) if scores else None
