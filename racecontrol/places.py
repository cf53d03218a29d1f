"""Pages and actions as the search finds them: where to go, by the words people use for it."""

from collections.abc import Iterator

from django.http import HttpRequest

from racecontrol.navigation import PERSONAL, SECTIONS, Section, links
from racecontrol.shared import flags
from racecontrol.shared.search import Group, Hit, Question

OFFERED = 8  # before anything is typed


def _action(name: str, url_name: str, icon: str, words: str = "", *, flag: str = "") -> Section:
    return Section(name, url_name, icon, covers=(), flag=flag, words=words)


# The first eight are offered before anything is typed.
ACTIONS = (
    _action("Import an event", "ingestion:home", "download", "liverc results find races timing"),
    _action("New run plan", "runplans:new", "fuel", "plan a run tank", flag=flags.RUN_PLANS_V1),
    _action("My stints", "strategy:my-schedule", "calendar", "schedule next stint my turn"),
    _action("New endurance event", "strategy:event-new", "calendar-plus", "race strategy sign-up"),
    _action("New session", "coaching:session_new", "notebook-pen", "run log laps practice"),
    _action("Drivers", "ingestion:drivers", "user", "people racers transponder claim i am"),
    _action("New mission", "coaching:mission_new", "sunrise", "coach goal training plan"),
    _action("Upload health data", "coaching:uploads", "upload", "apple health fit gpx tcx athlete"),
    _action(
        "Practice days",
        "ingestion:practice",
        "calendar-days",
        "open practice import",
        flag=flags.ENABLE_PRACTICE_DAYS,
    ),
    _action("Tracks", "ingestion:tracks", "map-pin", "clubs places favourite"),
    _action("Bump-ups", "ingestion:bump-ups", "arrow-up-right", "mains ladder statistics"),
    _action("Compare run plans", "runplans:list", "columns-2", "plans", flag=flags.RUN_PLANS_V1),
    _action("Make a team", "strategy:teams", "users", "new team members invite join"),
    _action("Score history", "coaching:history", "chart-line", "orp race pace trend"),
    _action("Compare sessions", "coaching:compare", "columns-2", "orp setup"),
    _action("New car", "coaching:vehicle_new", "car", "vehicle garage setup"),
    _action("New racer", "coaching:profile_new", "user-plus", "profile transponder child"),
    _action("Missions", "coaching:missions", "sunrise", "today guidance coach"),
    _action("Athlete data", "coaching:athlete", "heart-pulse", "sleep heart hrv fitness weight"),
    _action("Connect a service", "coaching:connections", "plug", "strava oura intervals.icu"),
    _action("Activities", "coaching:activities", "activity", "rides recordings"),
    _action("Language model", "coaching:settings", "key-round", "llm openai endpoint consent"),
    _action("Your data", "own-data", "package", "export privacy delete account leave"),
    _action("Change your password", "account_change_password", "lock", "security sign in"),
)


def places(request: HttpRequest, question: Question) -> Iterator[Group]:
    """Pages and actions open to this person that the words begin; some actions for no words."""
    if not question.wants("page"):
        return
    if question.terms:
        known = links(request, (*ACTIONS, *SECTIONS, *PERSONAL))
        found = [link for link in known if question.fits(f"{link.name} {link.words}")]
        found.sort(key=lambda link: question.distance(link.name))
    else:
        found = links(request, ACTIONS)[:OFFERED]
    most, skip = (question.most, question.skip) if question.terms else (OFFERED, 0)
    hits = tuple(
        Hit("page", link.url, link.name, "", link.url, icon=link.icon)
        for link in found[skip : skip + most]
    )
    if hits:
        yield Group("page", "Pages and actions", "arrow-right", hits, len(found), skip=skip)
