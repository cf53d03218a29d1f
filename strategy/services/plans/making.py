"""A new strategy: who drives, which rules hold, and a first plan."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput
from strategy import access
from strategy.domain.stints.instance import read_instance
from strategy.models import Car, PlanVersion, RaceStrategy
from strategy.services.drivers import drivers_of
from strategy.services.plans.solving import initial_plan
from strategy.services.plans.versions import add_version
from strategy.services.problems import Wishes, as_columns, problem_of
from strategy.services.teams import NameTaken


def create_strategy(
    *,
    team_id: int,
    event_id: int,
    car_id: int,
    instance_id: int,
    name: str,
    user_ids: Sequence[int],
    wishes: Wishes | None = None,
    by: Any,
) -> RaceStrategy:
    """A strategy with a first plan that keeps every rule; refused with the rules in conflict."""
    access.require(by, team_id, access.PLANNERS)
    event = access.event_for(by, event_id)
    car = Car.objects.filter(pk=car_id, team_id__in={team_id, event.host_id}).first()
    instance = event.instances.filter(pk=instance_id).first()
    if car is None or instance is None:
        raise InvalidInput(
            "Choose a car of the team and a start of the event.",
            fields={"car" if car is None else "instance": ["Not one of these."]},
        )
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise InvalidInput("A name takes 1 to 80 characters.", fields={"name": ["1 to 80."]})
    drivers = drivers_of(event, instance, list(dict.fromkeys(user_ids)))
    wishes = wishes or Wishes()
    problem = problem_of(event, car, drivers, wishes)
    solution = initial_plan(read_instance(problem))
    try:
        with transaction.atomic():
            row = RaceStrategy.objects.create(
                team_id=team_id, event=event, instance=instance, car=car, name=name,
                drivers=drivers, problem=problem, **as_columns(wishes),
            )  # fmt: skip
            first = add_version(row, solution, str(PlanVersion.Origin.INITIAL), "first plan", by)
            row.current = first
            row.save(update_fields=["current"])
            audit.record(by=by, verb="strategy.created", obj=row)
    except IntegrityError:
        raise NameTaken(f"There is a strategy called {name} for this event already.") from None
    return row
