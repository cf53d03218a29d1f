"""The shapes of the run plan API. The body itself is read by `runplans.domain`, digit by digit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema

from runplans.domain import inputs as bounds


class RunPlanStintOut(Schema):
    stint_no: int
    laps: int
    fuel_start_l: float
    refuel_l: float
    fuel_end_l: float


class PitWindowOut(Schema):
    stop_no: int
    earliest_lap: int
    latest_lap: int


class SavingOut(Schema):
    """Only where `options` has "saving"."""

    burn_to_save_one_stop_l_per_lap: float | None
    pit_windows: list[PitWindowOut]


class RunPlanResultOut(Schema):
    """Litres and seconds with at most six decimals."""

    estimated_laps: int
    total_fuel_required_l: float
    laps_possible: int
    pit_stops_required: int
    stints: list[RunPlanStintOut]
    estimated_total_time_s: float | None
    notes: list[str]
    saving: SavingOut | None = None


class RunPlanOut(Schema):
    """A stored plan; reading it gives the same bytes as making it."""

    id: UUID
    inputs: dict[str, Any]
    result: RunPlanResultOut


class RunPlanListed(RunPlanOut):
    title: str | None
    objective: str | None
    created_at: datetime


class ErrorInfo(Schema):
    code: str
    message: str
    fields: dict[str, list[str]] | None = None


class ErrorOut(Schema):
    """The one shape of every refusal; `fields` are dotted names."""

    error: ErrorInfo


def _number(sentence: str, **limits: Any) -> dict[str, Any]:
    return {"type": ["number", "null"], "description": sentence, **limits}


_litres = {"minimum": 0, "maximum": bounds.MOST_LITRES}
_text = {"type": ["string", "null"], "maxLength": bounds.LONGEST_TEXT}
_tank = _number("Litres a full tank holds.", exclusiveMinimum=0, maximum=bounds.MOST_LITRES)

# Written by hand: pydantic would read the numbers as floats, and a tenth is not a float.
RUN_PLAN_IN: dict[str, Any] = {
    "title": "RunPlanIn",
    "type": "object",
    "additionalProperties": False,
    "required": ["fuel_burn_l_per_lap"],
    "anyOf": [{"required": ["required_laps"]}, {"required": ["run_duration_min"]}],
    "properties": {
        "title": _text,
        "objective": _text | {"examples": ["baseline", "tyre_life_test", "qualy_long_run"]},
        "required_laps": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": bounds.MOST_LAPS,
            "description": "Laps to drive; rules over the duration when both are given.",
        },
        "run_duration_min": _number(
            "Minutes to drive; needs target_pace_s.", minimum=1, maximum=bounds.MOST_MINUTES
        ),
        "target_pace_s": _number("Seconds a lap.", exclusiveMinimum=0, maximum=bounds.MOST_SECONDS),
        "fuel_burn_l_per_lap": {
            "type": "number",
            "minimum": float(bounds.SMALLEST_BURN),
            "maximum": bounds.MOST_BURN,
            "description": "Litres burned in a lap.",
        },
        "starting_fuel_l": _number(
            "Litres at the start: by default the tank, else all that is needed.", **_litres
        ),
        "tank_capacity_l": _tank | {"description": "The same as car.tank_capacity_l."},
        "car": {
            "type": ["object", "null"],
            "properties": {"tank_capacity_l": _tank},
            "description": "Anything about the car; the tank counts.",
        },
        "track": {
            "type": ["object", "null"],
            "properties": {
                "pit_lane_loss_s": _number(
                    "Seconds one stop costs.", minimum=0, maximum=bounds.MOST_SECONDS
                )
            },
            "description": "Anything about the track; the pit lane loss counts.",
        },
        "weather": {"type": ["object", "null"], "description": "Anything about the weather."},
        "driver": {"type": ["object", "null"], "description": "Anything about the driver."},
        "reserve_laps": _number(
            "Laps of fuel that are never touched.", minimum=0, maximum=bounds.MOST_LAPS
        ),
        "reserve_l": _number("Litres that are never touched; adds to reserve_laps.", **_litres),
        "finish_rule": {
            "enum": ["floor", "finish_lap", "plus_one", None],
            "description": "What a timed run counts when the clock ends: laps finished in time, "
            "the lap under way as well, or one more.",
        },
        "pit_time_counts": {
            "type": ["boolean", "null"],
            "description": "Stops take their time from a timed run.",
        },
        "fill_policy": {
            "enum": [*bounds.FILL_POLICIES, None],
            "description": "What goes in at a stop: what is needed, a full tank, or equal parts.",
        },
        "options": {
            "type": ["array", "null"],
            "items": {"enum": list(bounds.OPTIONS)},
            "description": '"saving": the burn that saves a stop, and the window of each stop.',
        },
    },
}
