"""What a model may answer, as Pydantic shapes: nothing extra, every field there, all capped.

Dates, weekdays, stage numbers, points and scores are not among the fields: code fills those.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from coaching.domain.missions.checks import Block, Said, Workout

Action = Literal["recover", "ease", "maintain", "push"]
Intensity = Literal["low", "moderate", "high"]
WorkoutType = Literal["rest", "recovery", "endurance", "tempo", "threshold", "vo2max", "race"]


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Blank = Annotated[str, StringConstraints(strip_whitespace=True)]


def longest(characters: int) -> Any:
    """A cap on a text: `Annotated[Line, longest(120)]`."""
    return Field(max_length=characters)


FactId = Annotated[str, StringConstraints(pattern=r"^F[1-9]\d{0,2}$")]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class BlockShape(Shape):
    zone: Annotated[int, Field(ge=1, le=7)]
    minutes: Annotated[int, Field(ge=1, le=600)]
    note: Annotated[Blank, longest(160)]


class WorkoutShape(Shape):
    type: WorkoutType
    minutes: Annotated[int, Field(ge=0, le=600)]
    blocks: Annotated[list[BlockShape], Field(max_length=16)]


class DailyCoaching(Shape):
    """The guidance of one training morning."""

    action: Action
    intensity: Intensity
    headline: Annotated[Line, longest(120)]
    reason: Annotated[Line, longest(1200)]
    workout: WorkoutShape
    warnings: Annotated[list[Annotated[Line, longest(200)]], Field(max_length=5)]
    used_facts: Annotated[list[FactId], Field(min_length=1, max_length=40)]
    confidence: Annotated[float, Field(ge=0, le=1)]


class EventCoaching(DailyCoaching):
    """The guidance of one event morning: how to ride today's stage as well."""

    ride_mode: Annotated[Line, longest(24)]
    mode_rationale: Annotated[Line, longest(600)]


class Onboarding(Shape):
    """The letter a mission begins with."""

    headline: Annotated[Line, longest(120)]
    summary: Annotated[Line, longest(2000)]
    first_steps: Annotated[list[Annotated[Line, longest(200)]], Field(min_length=1, max_length=6)]
    used_facts: Annotated[list[FactId], Field(min_length=1, max_length=40)]


class Reflection(Shape):
    """The look back when a mission is complete."""

    headline: Annotated[Line, longest(120)]
    story: Annotated[Line, longest(3000)]
    went_well: Annotated[list[Annotated[Line, longest(240)]], Field(max_length=6)]
    to_work_on: Annotated[list[Annotated[Line, longest(240)]], Field(max_length=6)]
    used_facts: Annotated[list[FactId], Field(min_length=1, max_length=60)]


class DraftStage(Shape):
    number: Annotated[int, Field(ge=1, le=99)]
    on: date
    type: Annotated[Line, longest(24)]
    name: Annotated[Blank, longest(80)]


class DraftLimits(Shape):
    """Safety thresholds the model proposes; null where it has no reason to propose one."""

    min_readiness: Annotated[int, Field(ge=0, le=100)] | None
    min_tsb: Annotated[int, Field(ge=-100, le=100)] | None
    max_rhr: Annotated[int, Field(ge=30, le=150)] | None
    force_rest_readiness: Annotated[int, Field(ge=0, le=100)] | None
    force_rest_tsb: Annotated[int, Field(ge=-100, le=100)] | None


class MissionDraft(Shape):
    """A mission as the builder proposes it; the athlete edits it before anything is saved."""

    name: Annotated[Line, longest(80)]
    mission_type: Literal["road_stage_race", "gravel_ultra", "tt_series", "one_day"]
    event_name: Annotated[Line, longest(120)]
    prep_start: date
    event_start: date
    event_end: date
    goal_statement: Annotated[Line, longest(600)]
    stages: Annotated[list[DraftStage], Field(max_length=60)]
    rest_days: Annotated[list[date], Field(max_length=30)]
    limits: DraftLimits
    focus: Annotated[list[Annotated[Line, longest(160)]], Field(max_length=6)]


class Pong(Shape):
    """The smallest answer, for testing a connection."""

    word: Literal["ready"]


SHAPES: dict[str, type[Shape]] = {
    shape.__name__: shape
    for shape in (DailyCoaching, EventCoaching, Onboarding, Reflection, MissionDraft, Pong)
}


def said(answer: Shape) -> Said:
    """The answer as the checks see it: its texts by field, and its decisions."""
    texts = {where: text for where, text in _texts(answer.model_dump(mode="json")) if text}
    if not isinstance(answer, DailyCoaching):
        return Said(texts=texts, used_facts=tuple(getattr(answer, "used_facts", ())))
    return Said(
        texts=texts,
        action=answer.action,
        intensity=answer.intensity,
        workout=Workout(
            type=answer.workout.type,
            minutes=answer.workout.minutes,
            blocks=tuple(Block(b.zone, b.minutes) for b in answer.workout.blocks),
        ),
        ride_mode=getattr(answer, "ride_mode", ""),
        used_facts=tuple(answer.used_facts),
    )


_NOT_PROSE = {"action", "intensity", "ride_mode", "used_facts", "type", "mission_type"}


def _texts(data: Any, where: str = "") -> list[tuple[str, str]]:
    if isinstance(data, str):
        return [(where, data)]
    if isinstance(data, dict):
        return [
            pair
            for name, value in data.items()
            if name not in _NOT_PROSE
            for pair in _texts(value, f"{where}.{name}" if where else name)
        ]
    if isinstance(data, list):
        return [p for index, value in enumerate(data) for p in _texts(value, f"{where}.{index}")]
    return []


_SPOKEN_ONLY = [
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "format",
    "title",
    "description",
    "default",
]


def wire_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema as strict servers accept it: all fields required, no length keywords.

    What is left out here is still checked by Pydantic when the answer is back.
    """
    schema = shape.model_json_schema()
    definitions = schema.pop("$defs", {})
    return _plain(schema, definitions)


def _plain(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rpartition("/")[2]], definitions)
    out: dict[str, Any] = {}
    for name, value in node.items():
        if name == "properties":
            out[name] = {key: _plain(child, definitions) for key, child in value.items()}
        elif name == "const":
            out["enum"] = [value]
        elif name not in _SPOKEN_ONLY:
            out[name] = _plain(value, definitions)
    if out.get("type") == "object":
        out["required"] = list(out.get("properties", {}))
        out["additionalProperties"] = False
    return out
