"""What an import will ask of LiveRC, and what people are told before it strains a day's budget."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import now

from ingestion.liverc import addresses as kinds
from ingestion.models import Event, Race
from ingestion.services.fetching import FRESH_FOR, YOUNG_EVENT, Budget, budget_of
from racecontrol.shared.errors import RaceError

USUAL_RACES = 40  # for a guess of the cost before the event page was seen


@dataclass(frozen=True, slots=True)
class Cost:
    """About how many requests an import will make, and what is left of the day for its track."""

    requests: int
    budget: Budget

    @property
    def warning(self) -> str:
        """What people are told before: empty while the day's budget has room enough."""
        if not self.budget.passes_warning(self.requests):
            return ""
        return (
            f"This import takes about {self.requests} requests; {self.budget.used_today} of "
            f"{self.budget.per_day} for {self.budget.name} are spent today. "
            + (
                "It will pause when they are spent and go on tomorrow."
                if self.requests > self.budget.left_today
                else "Little will be left for others."
            )
        )


class BudgetWarning(RaceError):
    """Whoever asked wants to know before a job strains the day's budget: nothing was queued."""

    code = "budget_warning"


def import_cost(*, track_slug: str, event: Event | None, refresh: bool = False) -> Cost:
    """What an import of the event would cost by what is known of it; `refresh` asks for every race."""
    races = list(event.races.all()) if event is not None else []
    moment = now()
    wanted = [race for race in races if refresh or needs_fetch(race, moment)]
    pages = len(wanted) if races else USUAL_RACES
    return Cost(requests=pages + 2, budget=budget_of(track_slug))


def import_warnings(events: Iterable[Event], *, refresh: bool = False) -> list[str]:
    """One sentence per track whose budget the imports together would strain."""
    needed: dict[str, int] = {}
    for event in events:
        cost = import_cost(track_slug=event.track.slug, event=event, refresh=refresh)
        needed[event.track.slug] = needed.get(event.track.slug, 0) + cost.requests
    costs = [Cost(requests, budget_of(slug)) for slug, requests in needed.items()]
    return [cost.warning for cost in costs if cost.warning]


def refuse_if_warned(warnings: Iterable[str]) -> None:
    """Raises BudgetWarning with every warning there is."""
    if said := [warning for warning in warnings if warning]:
        raise BudgetWarning(" ".join(said))


def needs_fetch(race: Race, moment: datetime) -> bool:
    """New, failed, emptied by the listing, or young enough that the club may still mend it."""
    if (
        race.fetched_at is None
        or race.state in (Race.State.LISTED, Race.State.FAILED)
        or race.failure
    ):
        return True
    if moment - race.fetched_at < FRESH_FOR[kinds.RACE]:
        return False
    if race.completed_at is None:
        return race.event.ends_on >= (moment - YOUNG_EVENT).date()
    return race.fetched_at - race.completed_at < YOUNG_EVENT
