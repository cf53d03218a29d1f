"""What no log line may hold: codes and keys that stand in addresses.

Requests are logged with their address, ours by the middleware and those we make by the client
library. An address may open a door: a provider's code, a reset link, the secret of a hook.
"""

import re
from collections.abc import MutableMapping
from typing import Any, Final

MASK: Final = "***"
_VALUE = r"[^&\s\"'#<>]+"
_QUERY = re.compile(
    r"(?P<name>[?&](?:code|state|token|access_token|refresh_token|id_token|client_secret|api_key|key"
    rf"|secret|password|hub\.verify_token|hub\.challenge)=){_VALUE}",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?P<name>/(?:hooks/strava|password/reset/key|confirm-email|shared|join|sign-up|sign-up-links)/)"
    r"(?P<secret>[^/?\s\"']{8,})"
)
_WORDS: Final = ("event", "request", "path", "url", "exception")  # where an address may stand


def masked(text: str) -> str:
    """The text with what opens doors replaced."""
    text = _QUERY.sub(rf"\g<name>{MASK}", text)
    return _PATH.sub(rf"\g<name>{MASK}", text)


def mask_addresses(_logger: Any, _method: str, said: MutableMapping[str, Any]) -> Any:
    """A processor of structlog: masks the words of a line that may hold an address."""
    for name in _WORDS:
        value = said.get(name)
        if isinstance(value, str) and "/" in value:
            said[name] = masked(value)
    return said
