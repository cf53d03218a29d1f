"""What was done to a strategy, in the crew's words instead of the trail's verbs."""

from collections.abc import Iterable
from typing import Any

VERBS = {
    "strategy.created": "made the strategy",
    "strategy.state_changed": "changed its state",
    "strategy.refreshed": "read the numbers anew",
    "plan.optimised": "had the plan optimised",
    "plan.imported": "read a plan in",
    "plan.undone": "undid the last change",
    "plan.version_chosen": "took another version",
    "plan.stint_held": "held a stint",
    "plan.stint_released": "released a stint",
    "plan.backup_named": "named a backup",
    "plan.move": "moved the end",
    "plan.split": "split a stint",
    "plan.merge": "joined a stint with the next",
    "plan.give": "gave a stint to another driver",
    "plan.swap": "swapped the drivers of two stints",
    "plan.tyres": "changed the tyres of a stint",
    "plan.drop": "took a stint away",
    "live.opened": "opened the wall",
    "live.race": "on the wall: start or finish",
    "live.flag": "on the wall: flag",
    "live.weather": "on the wall: weather",
    "live.progress": "on the wall: a stint went on",
    "live.lap": "on the wall: a lap",
    "live.stop": "on the wall: a stop noted",
    "live.fuel": "on the wall: a fuel reading",
    "live.penalty": "on the wall: a penalty",
    "live.penalty_served": "on the wall: a penalty served",
    "live.correct": "on the wall: the log put right",
    "live.swap": "on the wall: another driver",
    "live.extend": "on the wall: a longer or shorter stint",
    "live.accept": "on the wall: a way on accepted",
    "live.pin": "on the wall: a stint pinned or freed",
    "live.backup": "on the wall: a backup named",
    "live.undo": "on the wall: a command taken back",
    "live.unplanned_stop": "on the wall: a stop nobody planned",
}
FACTS = {
    "version": "version", "number": "version", "plan": "version", "stint": "stint", "value": "to",
    "status": "now", "state": "now", "flag": "now", "lap": "lap", "seconds": "seconds",
}  # fmt: skip


def told(trail: Iterable[Any]) -> list[dict[str, Any]]:
    """Lines of the trail as the page shows them; an unknown verb is told as plainly as it can be."""
    return [
        {
            "at": line.at, "by": line.by, "reason": line.reason,
            "words": VERBS.get(line.verb, line.verb.replace(".", ": ").replace("_", " ")),
            "facts": [f"{FACTS[name]} {value}".replace("_", " ") for name, value in line.after.items()
                      if name in FACTS and isinstance(value, str | int) and value != ""],
        }
        for line in trail
    ]  # fmt: skip
