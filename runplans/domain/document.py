"""A run plan's inputs as JSON text: read with every digit kept, written back without loss.

PostgreSQL keeps what is sent, so text it cannot hold and numbers no reader agrees on are
refused here, each by its dotted name, before anything is calculated or stored.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from racecontrol.shared.errors import InvalidInput

LARGEST_BODY: Final = 64 * 1024  # bytes
DEEPEST: Final = 32  # levels of objects and lists
# A double reaches 1.8e308; beyond that readers disagree about a number, or read infinity.
MOST_DIGITS: Final = 400
LARGEST_NUMBER: Final = Decimal("1.7976931348623157e308")

_unstorable = re.compile("[\x00\ud800-\udfff]")

Faults = dict[str, list[str]]


class Unusable:
    """Stands where a number was that we do not take; `reason` is for the person who sent it."""

    __slots__ = ("reason",)

    def __init__(self, reason: str):
        self.reason = reason


def read_document(body: bytes | str) -> tuple[dict[str, Any], Faults]:
    """The object in `body` (numbers as int or Decimal) and what in it cannot be stored.

    Raises InvalidInput on `body` where the text is not one JSON object in UTF-8.
    """
    try:
        text = body.decode() if isinstance(body, bytes) else body
        document = json.loads(
            text, parse_float=_read_number, parse_int=_read_whole, parse_constant=_read_constant
        )
    except RecursionError as error:
        raise unreadable(f"The body is nested deeper than {DEEPEST} levels.") from error
    except ValueError as error:
        raise unreadable(f"The body is not JSON in UTF-8: {error}.") from error
    if not isinstance(document, dict):
        raise unreadable("The body must be one JSON object.")
    faults: Faults = {}
    _check(document, "", 0, faults)
    return document, faults


def write_document(value: Any) -> str:
    """JSON text of a read document; every number keeps its digits. Raises TypeError on others."""
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    if kind is dict:
        inside = [f"{encode_basestring_ascii(k)}: {write_document(v)}" for k, v in value.items()]
        return "{" + ", ".join(inside) + "}"
    if kind is list:
        return "[" + ", ".join([write_document(v) for v in value]) + "]"
    if kind is Decimal or kind is int:
        return str(value)
    if value is None or kind is bool:
        return {None: "null", True: "true", False: "false"}[value]
    raise TypeError(f"{kind.__name__} has no place in a run plan")


def unreadable(message: str) -> InvalidInput:
    """The refusal of a body that cannot be read at all."""
    return InvalidInput(message, fields={"body": [message]})


def printable(name: str) -> str:
    """A sent name as it may stand in an answer or a log: short, and no half characters."""
    name = _unstorable.sub("\N{REPLACEMENT CHARACTER}", name)
    return name if len(name) <= 100 else f"{name[:99]}…"


def _read_number(literal: str) -> Decimal | Unusable:
    try:
        number = Decimal(literal)
    except InvalidOperation:  # an exponent of more than 18 digits
        return Unusable("The number is out of range.")
    exponent = number.as_tuple().exponent
    if number.copy_abs() > LARGEST_NUMBER or not exponent >= -MOST_DIGITS:  # type: ignore[operator]
        return Unusable("The number is out of range.")
    return number


def _read_whole(literal: str) -> int | Unusable:
    if len(literal) > 300 and len(literal.lstrip("-")) > 308:
        return Unusable("The number is out of range.")
    return int(literal)


def _read_constant(name: str) -> Unusable:
    return Unusable(f"{name} is not a number.")


def _check(value: Any, path: str, depth: int, faults: Faults) -> None:
    """Collect what PostgreSQL or another reader could not hold, under its dotted name."""
    if isinstance(value, str):
        if _unstorable.search(value):
            add_fault(faults, path, "Contains NUL or half a surrogate pair.")
    elif isinstance(value, dict):
        if depth >= DEEPEST:
            add_fault(faults, path.partition(".")[0], f"At most {DEEPEST} levels deep.")
            return
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if _unstorable.search(name):
                add_fault(faults, where, "The name contains NUL or half a surrogate pair.")
            _check(inner, where, depth + 1, faults)
    elif isinstance(value, list):
        if depth >= DEEPEST:
            add_fault(faults, path.partition(".")[0], f"At most {DEEPEST} levels deep.")
            return
        for index, inner in enumerate(value):
            _check(inner, f"{path}.{index}", depth + 1, faults)
    elif isinstance(value, Unusable):
        add_fault(faults, path, value.reason)


def add_fault(faults: Faults, field: str, message: str) -> None:
    """Note what is wrong with a field; said twice it is kept once."""
    messages = faults.setdefault(printable(field), [])
    if message not in messages:
        messages.append(message)
