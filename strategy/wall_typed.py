"""The commands of the wall that take typing: their forms, with what may be chosen in this race."""

from dataclasses import dataclass
from typing import Any

from strategy.domain.live.log import Driven, Race
from strategy.forms import wall as forms
from strategy.models import LapEvent, LiveRun
from strategy.queries.live import WallState, race_of

EVENTS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Typed:
    """One form of the wall, folded away under its title."""

    key: str
    name: str
    title: str
    verb: str
    form: forms.CommandForm
    has_moment: bool = False
    has_preview: bool = False
    paint: str = ""
    paint_from: str = ""
    is_open: bool = False
    preview: Any = None


def typed(state: WallState) -> list[Typed]:
    """What a planner may type during and after the race."""
    run = state.run

    def form(kind: type[forms.CommandForm]) -> forms.CommandForm:
        return kind(auto_id=f"{kind.__name__.lower()}-%s", initial={"base_version": state.version},
                    **choices_of(kind, run, state.race))  # fmt: skip

    found = []
    if run.state == LiveRun.State.RACING:
        swap, extend = form(forms.SwapForm), form(forms.ExtendForm)
        coming = state.wall.next_up
        if coming is not None and coming.backup is not None and coming.backup.is_called:
            swap.initial |= {"stint": coming.number,
                             "driver_id": state.user_ids[coming.backup.seat]}  # fmt: skip
        found.append(
            Typed("swap", "swap", "Swap the driver", "Swap", swap, has_preview=True, paint="next",
                  paint_from="driver_id")
        )  # fmt: skip
        if state.wall.in_car is not None:
            extend.initial["stint"] = state.wall.in_car.number
            found.append(
                Typed("extend", "extend", "Longer or shorter stint", "Change it", extend,
                      has_preview=True)
            )  # fmt: skip
        found.append(
            Typed("pin", "pin", "Pin a stint", "Pin it so", form(forms.PinForm), has_preview=True)
        )
        found.append(
            Typed("backup", "backup", "Name a backup", "Name the backup", form(forms.BackupForm))
        )
        found += [
            Typed("fuel", "fuel", "Fuel reading", "Note it", form(forms.FuelForm), has_moment=True,
                  paint="fuel", paint_from="fuel_ml"),
            Typed("penalty", "penalty", "Penalty", "Note it", form(forms.PenaltyForm),
                  has_moment=True),
        ]  # fmt: skip
    if run.state in (LiveRun.State.RACING, LiveRun.State.FINISHED):
        found.append(Typed("stop", "stop", "Pit log", "Note it", form(forms.StopForm)))
        if run.laps.exists():
            correct = form(forms.CorrectForm)
            found.append(Typed("correct", "correct", "Put the log right", "Put it right", correct))
    return found


def forms_seen(state: WallState | None) -> str:
    """Changes whenever other forms, or other choices in them, fit the race."""
    if state is None:
        return ""
    wall, ids = state.wall, [stop.pk for stop in state.stops]
    facts = (state.run.state, state.plan.number, wall.in_car and wall.in_car.number,
             wall.finish.laps_done, max(ids, default=0))  # fmt: skip
    return ":".join(str(fact) for fact in facts)


def opening() -> Typed:
    return Typed("open", "open", "Put the race on the wall", "Open the wall",
                 forms.OpenForm(auto_id="open-%s"), is_open=True)  # fmt: skip


def choices_of(
    kind: type[forms.CommandForm], run: LiveRun | None, race: Race | None = None
) -> dict[str, Any]:
    """What a form lets choose among: the stops and the events of this race. `race` where it was
    read just now."""
    if run is None:
        return {}
    if kind is forms.StopForm:
        return {"stops": [(s.pk, f"lap {s.lap}") for s in run.stops.order_by("-in_ms")]}
    if kind is forms.CorrectForm:
        rows = run.laps.order_by("-at_ms", "-pk")[:EVENTS_SHOWN]
        return {"events": [(e.pk, told(e)) for e in rows]}
    if kind in (forms.SwapForm, forms.PinForm, forms.BackupForm):
        drivers = run.strategy.drivers
        open_ones = [s for s in (race or race_of(run)).driven if not s.is_closed]
        stints = [(s.number, _stint_told(s, drivers)) for s in open_ones]
        if kind is forms.PinForm:
            return {"stints": stints}
        return {"stints": stints, "drivers": _drivers_told(open_ones, drivers)}
    return {}


def _stint_told(stint: Driven, drivers: list[dict]) -> str:
    mark = stint.plan.mark
    pinned = ["driver"] if mark.is_driver_pinned else []
    pinned += [f"lap {mark.pinned_lap}"] if mark.pinned_lap is not None else []
    told = f"{stint.number}, {drivers[stint.seat]['name']}"
    return f"{told} (pinned: {' and '.join(pinned)})" if pinned else told


def _drivers_told(stints: list[Driven], drivers: list[dict]) -> list[tuple[int, str]]:
    """Who may be chosen; first the backups, in the order of their stints."""
    stood_by: dict[int, list[str]] = {}
    for stint in stints:
        if stint.plan.mark.backup is not None:
            stood_by.setdefault(stint.plan.mark.backup, []).append(str(stint.number))
    seats = [*stood_by, *(n for n in range(len(drivers)) if n not in stood_by)]
    return [
        (drivers[n]["user_id"], drivers[n]["name"] + (
            f" (backup of stint {', '.join(stood_by[n])})" if n in stood_by else ""))
        for n in seats if n < len(drivers) and drivers[n].get("user_id")
    ]  # fmt: skip


def told(event: LapEvent) -> str:
    lap = f" {event.lap}" if event.lap else ""
    void = " (taken back)" if event.is_void else ""
    return f"{event.get_kind_display()}{lap} at {event.at_ms / 1000:.0f} s{void}"
