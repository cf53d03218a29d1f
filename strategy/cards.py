"""What strategy shows on the dashboard: when one is in the car next."""

from django.http import HttpRequest
from django.utils.timezone import now

from racecontrol.shared.cards import Card
from strategy import queries


def next_stint(request: HttpRequest) -> Card | None:
    """The person's next stints of active strategies, in his own time zone; None without any."""
    turns = queries.upcoming_stints(request.user, now())
    if not turns:
        return None
    context = {"next": turns[0], "later": turns[1:4], "zone": request.user.time_zone}
    return Card("strategy/_card.html", context, order=15)
