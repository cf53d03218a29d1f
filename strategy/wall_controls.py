"""The buttons of the wall that fit the moment: what may be told next, in the crew's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from racecontrol.shared.asking import Question
from strategy.queries.live import WallState

WAY_BACK = "“Undo the last” takes it back until the car comes in or goes out again."


@dataclass(frozen=True, slots=True)
class Control:
    """A button: a command by name with its fields. `paint` is what it shows before the answer."""

    name: str
    label: str
    icon: str
    fields: dict[str, Any] = field(default_factory=dict)
    paint: str = ""
    paint_text: str = ""
    tone: str = ""
    question: Question | None = None


def controls(state: WallState) -> list[Control]:
    """For planners; a race that is over offers only the way back."""
    step = {"scheduled": _before, "grid": _grid, "racing": _racing, "finished": _after}
    return step[state.wall.state](state)


def _before(state: WallState) -> list[Control]:
    return [
        Control("state", "To the grid", "flag", {"state": "grid"}, "flag", "On the grid", "primary")
    ]


def _grid(state: WallState) -> list[Control]:
    return [
        Control("state", "Green flag", "flag", {"state": "racing"}, "flag", "Green", "primary"),
        Control("state", "Back from the grid", "undo-2", {"state": "scheduled"}),
    ]


def _after(state: WallState) -> list[Control]:
    return [
        Control("state", "It was not the flag yet", "undo-2", {"state": "racing"}, "flag", "Green",
                question=_flag_back())
    ]  # fmt: skip


def _racing(state: WallState) -> list[Control]:
    wall = state.wall
    found: list[Control] = []
    if wall.in_car is not None:
        n, name = wall.in_car.number, wall.in_car.name
        found += [
            Control("progress", "In the pits now", "log-in", {"stint": n, "status": "completed"},
                    "in-car", "into the pits", "primary"),
            Control("progress", f"Lap {wall.finish.laps_done + 1} done", "flag",
                    {"stint": n, "lap": wall.finish.laps_done + 1}),
        ]  # fmt: skip
    coming = wall.next_up
    if coming is not None and wall.in_car is None:
        found.append(
            Control("progress", f"Out: {coming.name}", "log-out",
                    {"stint": coming.number, "status": "in_progress"}, "in-car", coming.name,
                    "primary")
        )  # fmt: skip
    if coming is not None and not coming.is_ready:
        found.append(
            Control("progress", f"{coming.name} is ready", "user-check",
                    {"stint": coming.number, "status": "ready"}, "next", coming.name)
        )  # fmt: skip
    found += [
        Control("served", f"{penalty} served".capitalize(), "check", {"penalty_id": penalty.pk})
        for penalty in state.penalties
        if penalty.served_ms is None and penalty.kind != penalty.Kind.WARNING
    ]
    found += _flags(wall.clock.flag)
    found.append(
        Control("weather", "It is dry" if wall.is_wet else "It rains",
                "sun" if wall.is_wet else "cloud-rain",
                {"is_wet": "dry" if wall.is_wet else "wet"})
    )  # fmt: skip
    if wall.in_car is not None:
        found.append(
            Control("progress", "Stopped on track", "octagon-alert",
                    {"stint": n, "status": "aborted"}, "in-car", "stopped", "danger",
                    question=_stopped(name, n))
        )  # fmt: skip
    found.append(
        Control("state", "Chequered flag", "flag", {"state": "finished"}, "flag", "Finished",
                question=_over())
    )  # fmt: skip
    return found


def _flags(out: str) -> list[Control]:
    words = {"fcy": "Full-course yellow", "sc": "Safety car", "red": "Red flag", "green": "Green"}
    return [
        Control("flag", text, "flag", {"flag": flag}, "flag", text,
                "danger" if flag == "red" else "")
        for flag, text in words.items() if flag != out
    ]  # fmt: skip


# -- what is asked before it is done


def question_about(name: str, told: Mapping[str, str], state: WallState) -> Question | None:
    """What a command that ends something asks first; None where a press is enough."""
    wall = state.wall
    if name == "state" and told.get("state") == "finished":
        return _over()
    if name == "state" and told.get("state") == "racing" and wall.state == "finished":
        return _flag_back()
    if name == "progress" and told.get("status") == "aborted" and wall.in_car is not None:
        return _stopped(wall.in_car.name, wall.in_car.number)
    if name == "accept":
        way = next((way for n, way in enumerate(ways(state)) if str(n) == told.get("option")), None)
        return way["question"] if way else None
    return None


def ways(state: WallState) -> list[dict[str, Any]]:
    """The ways on that were found, each with what is asked before it becomes the plan."""
    found = state.proposal.options if state.proposal else []
    return [way | {"question": _accepting(way["label"])} for way in found]


def _over() -> Question:
    return Question(
        "Is the race over?",
        "The clock stops and the race is measured. All that was told stays.",
        "Chequered flag",
        "“It was not the flag yet” takes it back.",
    )


def _flag_back() -> Question:
    return Question(
        "Take the chequered flag back?",
        "The race goes on as if it had not been shown. All that was told stays.",
        "Race on",
        "The chequered flag can be shown again.",
    )


def _stopped(name: str, number: int) -> Question:
    return Question(
        f"{name} stopped on track: end stint {number}?",
        "The stint ends here and the next driver is due. The laps that were told stay.",
        "End the stint",
        WAY_BACK,
    )


def _accepting(label: str) -> Question:
    return Question(
        f"Make this the plan: {label}?",
        "The stints to come follow it, for all at the wall. The plan before stays among the versions.",
        "Make it the plan",
        WAY_BACK,
    )
