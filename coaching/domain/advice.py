"""What a score means, in sentences a driver can act on. Says only what the numbers show."""

from coaching.domain.orp_v2 import FEWEST_LAPS, OrpV2
from coaching.domain.scenario import Scenario

STRATEGY_NAMES = {
    "avant_garde": "Experiment",
    "balanced": "Fine-tune",
    "stability": "Settle the car",
}
STRATEGY_ADVICE = {
    "avant_garde": "You drive this car evenly: a change would show in the laps.",
    "balanced": "Fine-tune: one small change, then a run of the same length.",
    "stability": "Make the car easier to drive before looking for speed.",
}


def advice_for(
    result: OrpV2, *, scenario: Scenario | None = None, confidence: int | None = None
) -> list[str]:
    """Sentences, the most pressing first."""
    if not result.is_valid:
        laps = "1 clean lap" if result.clean == 1 else f"{result.clean} clean laps"
        return [f"No score yet: {laps} so far, {FEWEST_LAPS - result.clean} more needed."]
    said = []
    if result.gate == "closed":
        rated = f" (confidence {confidence})" if confidence is not None else ""
        said.append(f"No setup change: you do not trust the car yet{rated}. Drive it first.")
    else:
        said.append(STRATEGY_ADVICE[result.strategy])
    said.append(_biggest_loss(result))
    if result.fade_label == "degrading" and result.fade_penalty < _spread_loss(result):
        said.append(_fade(result))
    if result.fade_label == "improving":
        said.append(
            f"You found {-result.slope_s_per_lap:.3f} s a lap through the run: still learning, so wait with changes."
        )
    if result.quality == "C":
        said.append("Fewer than 10 clean laps: take the score as a first impression.")
    if scenario is not None and result.gate == "open":
        said.append(f"Scenario {scenario.code}: {scenario.recommended_focus}")
    return said


def _spread_loss(result: OrpV2) -> float:
    return 100 - result.base


def _biggest_loss(result: OrpV2) -> str:
    """The part that costs most points, with its size."""
    spread, fade, incidents = _spread_loss(result), result.fade_penalty, result.incident_penalty
    if incidents > max(spread, fade):
        laps = "1 slow lap" if result.incident_laps == 1 else f"{result.incident_laps} slow laps"
        return f"Most is lost in incidents: {laps}, {result.time_lost_s:.1f} s, {incidents:.1f} points."
    if fade > spread:
        return _fade(result)
    return (
        f"Most is lost in uneven laps: they scatter by {result.spread_pct:.2f} % "
        f"({result.race_pace_s * result.spread_pct / 100:.2f} s), {spread:.1f} points."
    )


def _fade(result: OrpV2) -> str:
    return (
        f"The run fades by {result.slope_s_per_lap:.3f} s a lap ({result.fade_pct:.1f} % over the run), "
        f"{result.fade_penalty:.1f} points: tyres, engine heat or the driver tire."
    )
