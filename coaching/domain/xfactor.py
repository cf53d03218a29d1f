"""The X-Factor audit: a few questions after running, asked in an order the rating decides."""

from typing import Final

from racecontrol.shared.errors import InvalidInput, RaceError

STATES: Final = ("idle", "rating", "symptom", "gain", "observation", "complete", "cancelled")
SYMPTOMS: Final = ("Front-end wash", "Rear-end loose", "Stability (bumpy)", "Rotation (tight)")
GAINS: Final = ("Corner Entry", "Corner Exit", "Jumping/Landing", "Consistency")
LAST: Final = ("complete", "cancelled")


class WrongStep(RaceError):
    """The audit is at another question."""

    code = "wrong_step"


def after_rating(rating: int) -> str:
    """1 and 2 ask what went wrong, 4 and 5 what got better, 3 goes straight on."""
    if not 1 <= rating <= 5:
        raise InvalidInput("The rating goes from 1 to 5.", fields={"rating": ["1 to 5."]})
    return "symptom" if rating <= 2 else "gain" if rating >= 4 else "observation"


def step(state: str, action: str, *, rating: int | None = None) -> str:
    """The state after `action`: begin, rate, explain, observe or cancel. Raises WrongStep for any other order."""
    if action == "cancel" and state not in LAST:
        return "cancelled"
    if action == "begin" and state == "idle":
        return "rating"
    if action == "rate" and state == "rating" and rating is not None:
        return after_rating(rating)
    if action == "explain" and state in ("symptom", "gain"):
        return "observation"
    if action == "observe" and state == "observation":
        return "complete"
    raise WrongStep(f"The audit is at “{state}”: it cannot {action} now. Reload the page.")


def result_of(rating: int) -> str:
    """What a rating says of a change: failure (1, 2), neutral (3), success (4, 5)."""
    return "failure" if rating <= 2 else "success" if rating >= 4 else "neutral"
