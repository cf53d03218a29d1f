"""The notes of a plan: what it assumed and what it leaves out, as `code: sentence`."""

from runplans.domain.fuel import RunPlan
from runplans.domain.inputs import RunInputs
from runplans.domain.laps import FinishRule, laps_within

MICRO = 1_000_000


def micro(steps: int, scale: int) -> int:
    """Steps of 1/scale as millionths, halves to even; exact where scale is a million."""
    if scale == MICRO:
        return steps
    whole, rest = divmod(steps * MICRO, scale)
    return whole + (2 * rest > scale or (2 * rest == scale and whole % 2))


def digits(steps: int, scale: int) -> str:
    """A volume or time as people write it: '60', '0.6', '0.125'."""
    whole, rest = divmod(micro(steps, scale), MICRO)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def count(number: int, noun: str) -> str:
    """'1 stop', '2 stops'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def notes_of(run: RunInputs, plan: RunPlan) -> list[str]:
    """Every note that applies, in the order readers of the API rely on."""
    return [*_fuel_notes(run, plan), *_time_notes(run, plan), *_chosen_notes(run, plan)]


def formula_stops(run: RunInputs, plan: RunPlan) -> int | None:
    """Stops by volume alone, ceil(total / tank) - 1; None without a tank."""
    if run.tank is None:
        return None
    return max(-(-plan.total_fuel // run.tank) - 1, 0)


def _fuel_notes(run: RunInputs, plan: RunPlan) -> list[str]:
    def text(steps: int) -> str:
        return digits(steps, run.scale)

    notes = []
    first, stops = plan.stints[0], plan.stops
    if run.required_laps is not None and run.duration is not None:
        holds = run.laps_in_time()
        notes.append(
            f"both_targets_given: {count(run.required_laps, 'lap')} planned as asked; "
            f"the {text(run.duration)} s would hold {holds}."
        )
    if run.start is None and run.tank is not None:
        notes.append(
            "starting_fuel_defaulted_to_tank: no starting fuel given, "
            f"so the run starts with a full tank of {text(run.tank)} L."
        )
    elif run.start is None:
        notes.append(
            "starting_fuel_defaulted_to_total: no starting fuel and no tank given, "
            f"so the run starts with all the {text(plan.total_fuel)} L it needs."
        )
    if first.refuel:
        carried = first.fuel_start - first.refuel
        notes.append(
            f"refuel_before_start: {text(carried)} L do not last one lap, "
            f"so {text(first.refuel)} L go in before the start; this is not a pit stop."
        )
    if run.tank is None and run.start is not None and run.start < plan.total_fuel:
        filled = first.refuel or plan.stints[-1].refuel
        notes.append(
            "tank_capacity_unknown: no tank capacity given, "
            f"so one fill of {text(filled)} L is taken to hold the rest."
        )
    formula = formula_stops(run, plan)
    if formula is not None and stops > formula:
        notes.append(
            f"stops_exceed_volume_formula: {count(stops, 'stop')} instead of the {formula} that "
            f"{text(plan.total_fuel)} L over {text(run.tank or 0)} L tanks suggest: a tank holds "
            f"{count(run.per_stint or 0, 'whole lap')}, "
            f"the first fill {run.first_stint(plan.laps)}."
        )
    if plan.stints[-1].fuel_end == 0:
        notes.append(
            f"finishes_dry: the tank is empty after lap {plan.laps}; no reserve is planned."
        )
    return notes


def _time_notes(run: RunInputs, plan: RunPlan) -> list[str]:
    def text(steps: int) -> str:
        return digits(steps, run.scale)

    notes = []
    loss, stops = run.pit_loss or 0, plan.stops
    timed = run.duration is not None and run.required_laps is None
    if timed and run.finish_rule == FinishRule.FLOOR:
        left = (run.duration or 0) - (plan.total_time or 0)
        if left > 0:
            notes.append(
                f"lap_in_progress: {text(left)} s are left after lap {plan.laps}; finishing the "
                f"lap under way takes {text(run.burn)} L more."
            )
    if stops and loss and run.pace is not None and not run.pit_time_counts:
        with_stops = (plan.total_time or 0) + stops * loss
        notes.append(
            f"pit_loss_excluded: the time leaves out {count(stops, 'stop')} of {text(loss)} s; "
            f"with stops the run takes {text(with_stops)} s."
        )
        if run.duration is not None and with_stops > run.duration:
            fit = laps_within(
                duration=max(run.duration - stops * loss, 0), pace=run.pace, rule=run.finish_rule
            )
            # A run that finishes its last lap is always over the clock; only fewer laps are news.
            if run.finish_rule == FinishRule.FLOOR or fit < plan.laps:
                notes.append(
                    f"duration_exceeded_with_stops: {text(with_stops)} s with stops is more than "
                    f"the {text(run.duration)} s of the run; {count(fit, 'lap')} fit."
                )
    return notes


def _chosen_notes(run: RunInputs, plan: RunPlan) -> list[str]:
    """What the additions to v1 did, when they were asked for."""

    def text(steps: int) -> str:
        return digits(steps, run.scale)

    notes = []
    if run.reserve:
        notes.append(
            f"reserve_kept: {text(run.reserve)} L are never touched: "
            "they are in the tank at every stop and at the finish."
        )
    timed = run.duration is not None and run.required_laps is None
    if timed and run.finish_rule != FinishRule.FLOOR:
        over = (plan.total_time or 0) - (run.duration or 0)
        more = ", and one lap more" if run.finish_rule == FinishRule.PLUS_ONE else ""
        notes.append(
            f"finish_rule_applied: the lap under way is finished{more}; "
            f"the run ends {text(over)} s after the clock."
        )
    if run.pit_time_counts and plan.stops and run.pace is not None:
        lost = plan.stops * (run.pit_loss or 0)
        notes.append(
            f"pit_time_counted: {count(plan.stops, 'stop')} cost {text(lost)} s of the run's time."
        )
    return notes
