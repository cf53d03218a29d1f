"""Addresses of the wall and of measured races, for the matrix of who may open what."""

from strategy.services import analytics
from strategy.tests.race_builders import drive


def samples(owner, strategy):
    run = drive(owner, strategy=strategy)
    analytics.measure(run_id=run.pk, seconds=0.5)
    of_strategy = {"strategy_id": run.strategy_id}
    return {
        **{f"strategy:{name}": of_strategy for name in (
            "wall", "my-turn", "report", "report-csv", "report-json", "take-burn")},
        "strategy:wall-do": of_strategy | {"name": "flag"},
        "api:get /api/v1/strategies/{strategy_id}/report": of_strategy,
        "api:post /api/v1/strategies/{strategy_id}/report": of_strategy,
        "api:get /api/v1/teams/{team_id}/race-results": {"team_id": run.strategy.team_id},
        "strategy:trends": {"team_id": run.strategy.team_id},
    }  # fmt: skip
