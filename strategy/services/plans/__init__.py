"""Strategies and their versions: first plan, check, optimise, change by hand."""

from strategy.services.plans.by_hand import edit_stint, import_plan, remove_stint
from strategy.services.plans.making import create_strategy
from strategy.services.plans.pins import lock_stint, marks_after, name_backup, pin_stint
from strategy.services.plans.solving import initial_plan, optimise, request_optimisation
from strategy.services.plans.states import (
    Locked,
    make_current,
    open_for_change,
    set_state,
    undo,
    use_version,
)
from strategy.services.plans.versions import (
    add_version,
    plan_of,
    save_version,
    validate_plan,
    version_of,
)

__all__ = [
    "Locked",
    "add_version",
    "create_strategy",
    "edit_stint",
    "import_plan",
    "initial_plan",
    "lock_stint",
    "make_current",
    "marks_after",
    "name_backup",
    "open_for_change",
    "optimise",
    "pin_stint",
    "plan_of",
    "remove_stint",
    "request_optimisation",
    "save_version",
    "set_state",
    "undo",
    "use_version",
    "validate_plan",
    "version_of",
]
