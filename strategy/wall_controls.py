"""The buttons of the wall that fit the moment: what may be told next, in the crew's words."""

from dataclasses import dataclass, field
from typing import Any

from strategy.queries.live import WallState


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
    ask: str = ""


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
                ask="Take the chequered flag back?")
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
                    ask=f"{name} stopped on track: end stint {n}?")
        )  # fmt: skip
    found.append(
        Control("state", "Chequered flag", "flag", {"state": "finished"}, "flag", "Finished",
                ask="The race is over?")
    )  # fmt: skip
    return found


def _flags(out: str) -> list[Control]:
    words = {"fcy": "Full-course yellow", "sc": "Safety car", "red": "Red flag", "green": "Green"}
    return [
        Control("flag", text, "flag", {"flag": flag}, "flag", text,
                "danger" if flag == "red" else "")
        for flag, text in words.items() if flag != out
    ]  # fmt: skip
