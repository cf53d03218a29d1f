"""The person's latest race pace."""

from django.http import HttpRequest

from coaching.queries import garage as queries
from racecontrol.shared.cards import Card


def latest_scores(request: HttpRequest) -> Card | None:
    scores = queries.latest_scores(request.user)
    return Card("coaching/garage/_card.html", {"scores": scores}, order=40) if scores else None
