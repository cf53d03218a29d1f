"""Optimal Race Pace, version 1: the published formula, kept exactly, rounding and all.

Version 2 (`orp_v2`) is what the pages lead with; this one is kept so that numbers people already have can be compared.
"""

from collections.abc import Sequence
from statistics import mean, stdev

VERSION = "v1"
GATE = 3
FADE_STARTS_AT = 1.01
LAST_LAPS, FASTEST_LAPS = 5, 3

# How much consistency and speed weigh in what is said to a driver of each level. Never part of the score.
BIAS = {"Sportsman": (0.8, 0.2), "Intermediate": (0.5, 0.5), "Pro": (0.3, 0.7)}

RECOMMENDATIONS = {
    "avant_garde": "The car is settled: try bolder changes.",
    "balanced": "Fine-tune what you have, one change at a time.",
    "stability": "Make the car easier to drive before anything else.",
}


def orp_v1(
    laps_s: Sequence[float], *, experience_level: str = "Intermediate", driver_confidence: int = 3
) -> dict:
    """Score one run from its lap times in seconds, in driven order.

    Fewer than two laps answer status `invalid`, a confidence below 3 `rejected`; both carry a score of 0, as published.
    Floats and `statistics.mean/stdev` on purpose: exact decimals differ in the last digit where a score sits on a tie.
    """
    if len(laps_s) < 2:
        return {"orp_score": 0, "status": "invalid", "message": "At least two laps are needed."}
    if driver_confidence < GATE:
        return {
            "orp_score": 0,
            "status": "rejected",
            "reason": f"Confidence {driver_confidence} is below {GATE}: no score, no setup change.",
            "components": {"consistency_score": 0, "fade_penalty": 0, "confidence_gate": "FAILED"},
        }

    consistency = consistency_v1(laps_s)
    fade = fade_v1(laps_s)
    penalty = 0.0
    if fade["fade_factor"] > FADE_STARTS_AT:
        penalty = min(20.0, 2 * fade["fade_pct"])
    score = max(0.0, consistency["consistency_pct"] - penalty)
    strategy = "avant_garde" if score >= 85 else "balanced" if score >= 70 else "stability"
    consistency_weight, speed_weight = BIAS.get(experience_level, BIAS["Intermediate"])
    return {
        "orp_score": round(score, 1),
        "status": "valid",
        "strategy": strategy,
        "recommendation": RECOMMENDATIONS[strategy],
        "components": {
            "consistency_score": round(consistency["consistency_pct"], 1),
            "fade_penalty": round(penalty, 1),
            "confidence_gate": "PASSED",
            "driver_confidence": driver_confidence,
        },
        "experience_level": experience_level,
        "bias_profile": {"consistency_weight": consistency_weight, "speed_weight": speed_weight},
        "metrics": {"consistency": consistency, "fade": fade},
    }


def consistency_v1(laps_s: Sequence[float]) -> dict:
    """Sample deviation (n - 1) and 100 − CV, with best, worst and average; zeros where one lap or none is there."""
    if len(laps_s) < 2:
        lone = round(laps_s[0], 3) if laps_s else 0.0
        return {
            "std_dev": 0.0,
            "consistency_pct": 0.0,
            "best_lap": lone,
            "worst_lap": lone,
            "avg_lap": lone,
            "lap_count": len(laps_s),
        }
    average, deviation = mean(laps_s), stdev(laps_s)
    percent = min(100.0, max(0.0, 100 - 100 * deviation / average))
    return {
        "std_dev": round(deviation, 4),
        "consistency_pct": round(percent, 2),
        "best_lap": round(min(laps_s), 3),
        "worst_lap": round(max(laps_s), 3),
        "avg_lap": round(average, 3),
        "lap_count": len(laps_s),
    }


def fade_v1(laps_s: Sequence[float]) -> dict:
    """The last five laps against the three fastest. By construction never below 1: see `orp_v2` for a fade that can be."""
    if len(laps_s) < FASTEST_LAPS:
        return {
            "fade_factor": 1.0,
            "last_5_avg": 0.0,
            "top_3_avg": 0.0,
            "fade_pct": 0.0,
            "warning": "Insufficient laps for fade calculation",
        }
    last = laps_s[-LAST_LAPS:]
    last_avg, top_avg = mean(last), mean(sorted(laps_s)[:FASTEST_LAPS])
    factor = last_avg / top_avg
    label = "degrading" if factor > FADE_STARTS_AT else "improving" if factor < 0.99 else "steady"
    return {
        "fade_factor": round(factor, 4),
        "last_5_avg": round(last_avg, 3),
        "top_3_avg": round(top_avg, 3),
        "fade_pct": round(100 * (last_avg - top_avg) / top_avg, 2),
        "last_5_count": len(last),
        "interpretation": label,
    }
