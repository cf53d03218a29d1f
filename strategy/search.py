"""What the search over everything finds in strategy: what the person's teams and sign-ups open."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from racecontrol.shared.search import Group, Hit, Question, among, group_of
from strategy import queries
from strategy.models import RaceStrategy, StrategyEvent, Team


def strategy(request: HttpRequest, question: Question) -> Iterator[Group]:
    """Strategies (by their own, their event's and their team's words), endurance events, teams."""
    if not question.terms:
        return
    user, terms = request.user, question.terms
    nearest = question.nearest_first("name")
    plans = among(queries.strategies_for(user), terms, "name", "event__name", "team__name")
    plans = plans.order_by(nearest, "-created_at", "-pk")
    yield from group_of(question, "strategy", "Strategies", "route", plans, _strategy,
                        question.listed("strategy:home"))  # fmt: skip
    events = among(StrategyEvent.objects.select_related("host"), terms, "name", "track")
    events = events.filter(pk__in=queries.events_for(user).order_by().values("pk"))
    events = events.order_by(nearest, "-created_at", "-pk")
    yield from group_of(question, "race_event", "Endurance events", "calendar", events, _event,
                        question.listed("strategy:home", "#events-title"))  # fmt: skip
    teams = among(Team.objects.select_related("club"), terms, "name", "club__name")
    teams = teams.filter(pk__in=queries.teams_of(user).order_by().values("pk"))
    teams = teams.order_by(nearest, "name", "pk")
    yield from group_of(question, "team", "Teams", "users", teams, _team,
                        question.listed("strategy:teams"))  # fmt: skip


def _strategy(row: RaceStrategy) -> Hit:
    detail = f"{row.event}, {row.team}, {row.get_status_display()}"
    url = reverse("strategy:strategy", args=[row.pk])
    return Hit("strategy", row.pk, row.name, detail, url)


def _event(row: StrategyEvent) -> Hit:
    detail = ", ".join(filter(None, [row.track, str(row.host)]))
    return Hit("race_event", row.pk, row.name, detail, reverse("strategy:event", args=[row.pk]))


def _team(row: Team) -> Hit:
    club = str(row.club) if row.club else ""
    return Hit("team", row.pk, row.name, club, reverse("strategy:team", args=[row.pk]))
