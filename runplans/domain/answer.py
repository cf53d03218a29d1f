"""From a document to the result that is stored and shown; the one way every door takes."""

from typing import Any

from runplans.domain.fuel import RunPlan, plan_run
from runplans.domain.inputs import RunInputs, read_inputs
from runplans.domain.saving import MICRO, burn_to_save_one_stop, pit_windows
from runplans.domain.wording import micro, notes_of


def calculate(body: bytes | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs as sent and the result, litres and seconds as numbers of at most six decimals.

    Raises InvalidInput naming every wrong field.
    """
    document, run = read_inputs(body)
    return document, result_of(run, plan_run(run))


def result_of(run: RunInputs, plan: RunPlan) -> dict[str, Any]:
    """The result as it is written in JSON."""

    def number(steps: int) -> float:
        # Below 2^53 micro-units the nearest double prints as exactly these six decimals.
        return micro(steps, run.scale) / MICRO

    result = {
        "estimated_laps": plan.laps,
        "total_fuel_required_l": number(plan.total_fuel),
        "laps_possible": plan.laps_possible,
        "pit_stops_required": plan.stops,
        "stints": [
            {
                "stint_no": stint.number,
                "laps": stint.laps,
                "fuel_start_l": number(stint.fuel_start),
                "refuel_l": number(stint.refuel),
                "fuel_end_l": number(stint.fuel_end),
            }
            for stint in plan.stints
        ],
        "estimated_total_time_s": None if plan.total_time is None else number(plan.total_time),
        "notes": notes_of(run, plan),
    }
    if run.wants_saving:
        saved = burn_to_save_one_stop(run, plan)
        result["saving"] = {
            "burn_to_save_one_stop_l_per_lap": None if saved is None else saved / MICRO,
            "pit_windows": [
                {
                    "stop_no": window.stop,
                    "earliest_lap": window.earliest_lap,
                    "latest_lap": window.latest_lap,
                }
                for window in pit_windows(run, plan)
            ],
        }
    return result
