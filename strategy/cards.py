"""What strategy shows on the dashboard: when one is in the car next, and which races come."""

from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils.timezone import now

from racecontrol.shared.cards import AHEAD, AT_ONCE, SOON, Card, live_card
from strategy import queries

NEAR = timedelta(hours=6)  # from then on the stint stands above everything else


@live_card("card-stint")
def next_stint(request: HttpRequest) -> Card | None:
    """The person's next stints of active strategies, in their own time zone; None without any.

    Live: whatever changes a plan or is told of the race draws the card anew, and so does a minute.
    """
    moment = now()
    turns = queries.upcoming_stints(request.user, moment)
    if not turns:
        return None
    first = turns[0]
    context = {
        "next": first,
        "is_in_car": first.starts_at <= moment,
        "later": turns[1:4],
        "zone": request.user.time_zone,
        "topics": " ".join(sorted({f"strategy:{turn.stint.strategy_id}" for turn in turns})),
    }
    order = AT_ONCE if _is_near(first.starts_at, moment) else SOON
    return Card("strategy/_card.html", context, order=order)


def races_coming(request: HttpRequest) -> Card | None:
    """Endurance races under way and ahead that the person has to do with, soonest first."""
    moment = now()
    starts = queries.coming_starts(request.user, moment)
    if not starts:
        return None
    context = {"starts": starts, "zone": request.user.time_zone}
    order = SOON if _is_near(starts[0].starts_at, moment) else AHEAD
    return Card("strategy/_races_card.html", context, order=order)


def _is_near(starts_at: datetime, moment: datetime) -> bool:
    return starts_at - moment < NEAR
