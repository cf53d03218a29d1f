"""Addresses of the wall and of measured races, for the matrix of who may open what."""

from racecontrol.testing.matrix import of_api
from strategy.services import analytics
from strategy.tests.race_builders import drive

PAGES = ("wall", "my-turn", "report", "report-csv", "report-json", "take-burn")
LIVE = "strategies/{strategy_id}/live"
OPERATIONS = (
    "get|post strategies/{strategy_id}/report",
    "get teams/{team_id}/race-results",
    f"get|post {LIVE}",
    *(f"get {LIVE}/{thing}" for thing in ("events", "log")),
    *(f"post {LIVE}/{verb}" for verb in (
        "state", "undo", "flags", "stops", "penalties", "weather", "fuel", "feed", "feed/batch",
        "replan")),
    *(f"post {LIVE}/stints/{{number}}/{verb}" for verb in ("progress", "swap", "extend", "pin", "backup")),
    f"get {LIVE}/proposals/{{proposal_id}}",
    f"post {LIVE}/proposals/{{proposal_id}}/accept",
    f"patch {LIVE}/stops/{{stop_id}}",
    f"post {LIVE}/penalties/{{penalty_id}}/served",
    f"patch {LIVE}/events/{{event_id}}",
)  # fmt: skip


def samples(owner, strategy):
    """The race of this strategy, with one of everything that has an address."""
    run = drive(owner, strategy=strategy)
    analytics.measure(run_id=run.pk, seconds=0.5)
    of_strategy, team_id = {"strategy_id": run.strategy_id}, run.strategy.team_id
    ids = {
        "team_id": team_id, "number": 1,
        "stop_id": run.stops.create(in_ms=1_000).pk,
        "penalty_id": run.penalties.create(kind="time", given_ms=1_000).pk,
        "event_id": run.laps.first().pk,
        "proposal_id": run.proposals.create(base_version=1, at_ms=0).pk,
    }  # fmt: skip
    return {
        **{f"strategy:{name}": of_strategy for name in PAGES},
        "strategy:wall-do": of_strategy | {"name": "flag"},
        "strategy:trends": {"team_id": team_id},
        **of_api(OPERATIONS, **of_strategy, **ids),
    }
