"""The way around the house: which sections a person sees, and where they are now."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from racecontrol.shared import flags

THEMES = ("light", "dark")  # anything else follows the person's system


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation; shown only where its page exists and its flag is on."""

    name: str
    url_name: str
    icon: str
    # View names that belong to it; the longest that fits the page at hand wins.
    covers: tuple[str, ...]
    flag: str = ""
    staff_only: bool = False
    words: str = ""  # what else people call it when they search


SECTIONS = (
    Section("Home", "home", "layout-dashboard", ("home",)),
    Section("Timing", "ingestion:home", "timer", ("ingestion:",)),
    Section("Run plans", "runplans:list", "fuel", ("runplans:",), flag=flags.RUN_PLANS_V1),
    Section("Strategy", "strategy:home", "route", ("strategy:",)),
    Section("Coaching", "coaching:home", "heart-pulse", ("coaching:",)),
    Section("Team", "strategy:teams", "users", ("strategy:team",)),
)
PERSONAL = (
    Section("Account", "account", "circle-user", ("account", "account_", "own-data", "leave")),
    Section("API tokens", "tokens", "key-round", ("token",)),
    Section("API", "api_docs", "braces", ("api_docs",)),
    Section("Operations", "ops", "server", ("ops",), staff_only=True),
    Section("Admin", "admin:index", "shield", ("admin:",), staff_only=True),
)


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    url: str
    icon: str
    is_current: bool
    words: str = ""


def navigation(request: HttpRequest) -> dict:
    """Context of the shell: sections, the person's own pages, and the colour scheme they chose.

    The links are found when a template asks for them: a part or a card that shows none costs nothing.
    """
    theme = request.COOKIES.get("theme", "")
    return {
        "sections": SimpleLazyObject(lambda: links(request, SECTIONS)),
        "personal": SimpleLazyObject(lambda: links(request, PERSONAL)),
        "theme": theme if theme in THEMES else "",
    }


def links(request: HttpRequest, sections: tuple[Section, ...]) -> list[Link]:
    """Links this person may follow; none for strangers, who have nothing of their own here yet."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    here = _current(request, sections)
    return [
        Link(section.name, url, section.icon, section is here, section.words)
        for section in sections
        if _is_open(request, section) and (url := _url(section))
    ]


def _is_open(request: HttpRequest, section: Section) -> bool:
    if section.staff_only and not request.user.is_staff:
        return False
    return not section.flag or flags.is_open(request, section.flag)


def _url(section: Section) -> str:
    try:
        return reverse(section.url_name)
    except NoReverseMatch:
        return ""


def _current(request: HttpRequest, sections: tuple[Section, ...]) -> Section | None:
    match = getattr(request, "resolver_match", None)
    if match is None:
        return None
    fitting = [
        (len(prefix), section)
        for section in sections
        for prefix in section.covers
        if (match.view_name or "").startswith(prefix)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None
