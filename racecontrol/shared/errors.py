"""The errors a person may see. Anything else that is raised is a bug."""


class RaceError(Exception):
    """A request the product understood and refused. `str(error)` is written for the crew.

    `fields` names what is wrong by dotted field: {"car.tank_capacity_l": ["Must be above zero."]}.
    """

    code = "refused"
    status = 409

    def __init__(self, message: str, *, fields: dict[str, list[str]] | None = None):
        super().__init__(message)
        self.fields = fields or {}


class InvalidInput(RaceError):
    """What was sent cannot be used; `fields` says which parts and why."""

    code = "validation_error"
    status = 422


class NotFound(RaceError):
    """There is no such thing, or it is not for this person to know."""

    code = "not_found"
    status = 404


class NotAllowed(RaceError):
    """This person may see it but not do this."""

    code = "not_allowed"
    status = 403


class NotReady(RaceError):
    """The data the answer needs is not there yet."""

    code = "not_ready"


class StaleWrite(RaceError):
    """Somebody else changed it since this person looked."""

    code = "stale_write"


class ImpossiblePlan(RaceError):
    """No plan can meet the numbers that were given."""

    code = "impossible_plan"
    status = 422


class SourceUnavailable(RaceError):
    """An outside service did not give us a usable answer."""

    code = "source_unavailable"
    status = 502


class TooMany(RaceError):
    """A limit was reached; the text says when to try again."""

    code = "too_many"
    status = 429
