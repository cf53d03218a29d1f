"""Today's mission on the dashboard."""

from django.http import HttpRequest
from django.utils.timezone import now

from coaching.queries import missions as read
from racecontrol.shared.cards import TODAY, Card, live_card


@live_card("card-mission")
def todays_mission(request: HttpRequest) -> Card | None:
    """The running mission with what today holds; nothing for who runs none.

    Live: the mission's news draw the card anew, and so does a minute (the day may have turned).
    """
    mission = read.running_mission(request.user)
    if mission is None:
        return None
    context = {
        "mission": mission,
        "run": read.todays_run(mission, now()),
        "today": mission.today(now()),
        "is_scripted": mission.is_demo,
    }
    return Card("coaching/missions/_card.html", context, order=TODAY)
