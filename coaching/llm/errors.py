"""What can go wrong with a model. No message ever holds a key, a body or an address with one."""

from racecontrol.shared.errors import InvalidInput, SourceUnavailable, TooMany


class ModelError(SourceUnavailable):
    """The model gave no usable answer; `reason` is a stable code for rows and metrics."""

    code = "model_error"

    def __init__(self, message: str, *, reason: str, status: int | None = None):
        super().__init__(message)
        self.reason = reason
        self.http_status = status


class ModelDown(ModelError):
    """Overload, time-out or a broken connection: worth another try later."""

    code = "model_down"

    def __init__(
        self, message: str, *, reason: str, status: int | None = None, retry_after: float | None = None
    ):  # fmt: skip
        super().__init__(message, reason=reason, status=status)
        self.retry_after = retry_after


class Crowded(ModelDown):
    """The endpoint has as many of our requests as it may have at once: not its fault."""

    def __init__(self) -> None:
        super().__init__(
            "Many ask the model at this moment; it is this one's turn later.", reason="crowded"
        )


class ModelRefused(ModelError):
    """The endpoint does not accept us (key, model, quota): trying again changes nothing."""

    code = "model_refused"


class BadAnswer(ModelError):
    """The model answered, but not with something we may show. `problems` says why."""

    code = "bad_answer"

    def __init__(self, message: str, *, problems: list[str], data: object = None):
        super().__init__(message, reason="bad_answer")
        self.problems = problems
        self.data = data


class BudgetSpent(TooMany):
    """This person's budget for the day is used up."""

    code = "budget_spent"


class EndpointNotAllowed(InvalidInput):
    """The address is not one this site may call."""

    code = "endpoint_not_allowed"
