"""One HTTP request to a provider: a deadline for the whole of it, a size cap, no redirects.

`requests` limits the time of each read, which an answer that drips never exceeds: a timer that
shuts the socket ends the call on time. Addresses come from settings, never from a person.
"""

import json
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3

from coaching.connections.errors import ProviderDown
from racecontrol.shared.deadline import TOO_LATE, Watch, watched
from racecontrol.shared.outbound import Dialler

MAX_BYTES: Final = 8 * 1024 * 1024  # 200 activities or a month of five-minute heart rates
CONNECT_S: Final = 5.0
CALL_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status. `repr` shows no body: it may hold tokens."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes)"

    def json(self, provider: str) -> Any:
        """The body as JSON. Raises ProviderDown where it is none (an error page, a cut answer)."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ProviderDown(
                f"{provider} answered with something that is no data.", reason="garbled"
            ) from None


def _dialler(watch: Watch) -> Dialler:
    def dial(host: str, port: int, seconds: float | None) -> socket.socket:
        sock = socket.create_connection((host, port), seconds)
        watch.add(sock)
        return sock

    return Dialler(dial)


def call(
    method: str,
    url: str,
    *,
    provider: str,
    params: Mapping[str, Any] | None = None,
    form: str | None = None,
    headers: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    call_s: float = CALL_S,
    max_bytes: int = MAX_BYTES,
) -> Reply:
    """Ask once. `form` is a ready form body. Raises ProviderDown for everything that is no answer."""
    sent = {"Accept": "application/json", "Accept-Encoding": "identity"} | dict(headers or {})
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    request = requests.Request(
        method, url, params=params, data=form, headers=sent, auth=basic
    ).prepare()
    # The adapter alone: a session would follow redirects, and read proxies and .netrc.
    with watched(call_s) as watch, closing(_dialler(watch)) as adapter:
        try:
            with adapter.send(
                request, stream=True, timeout=(CONNECT_S, call_s), proxies={}
            ) as response:
                body = _read(response, provider, max_bytes)
            if watch.is_over:
                raise _too_slow(provider)
            return Reply(response.status_code, response.headers, body)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as fault:
            # `from None`: the original quotes the address, which may hold a token.
            if watch.is_over or isinstance(fault, TOO_LATE):
                raise _too_slow(provider) from None
            raise ProviderDown(f"The connection to {provider} broke.", reason="transport") from None


def _too_slow(provider: str) -> ProviderDown:
    return ProviderDown(f"{provider} took too long to answer.", reason="timeout")


def _read(response: requests.Response, provider: str, max_bytes: int) -> bytes:
    parts, size = [], 0
    for part in response.raw.stream(65_536, decode_content=True):
        size += len(part)
        if size > max_bytes:
            raise ProviderDown(f"{provider}'s answer was far too long.", reason="oversize")
        parts.append(part)
    return b"".join(parts)
