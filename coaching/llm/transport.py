"""One HTTP request with a real deadline, a size cap, no redirects, no proxies, vetted addresses.

`requests` limits the time of each read, which a server that drips a byte a second never
exceeds: a timer that shuts the socket is what ends a call on time.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import urllib3

from coaching.llm import guard
from coaching.llm.errors import EndpointNotAllowed, ModelDown, ModelRefused
from racecontrol.shared.deadline import TOO_LATE, Watch, watched
from racecontrol.shared.outbound import Dialler

MAX_BYTES: Final = 256 * 1024
OVERLOADED: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})


def _dialler(target: guard.Target, watch: Watch) -> Dialler:
    def dial(host: str, port: int, seconds: float | None) -> socket.socket:
        sock = guard.connect(host, port, is_trusted=target.is_trusted, timeout=seconds)
        watch.add(sock)
        return sock

    return Dialler(dial)


@dataclass(slots=True)
class Timer:
    """The seconds left of a whole exchange, retries and repairs included."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    def left(self) -> float:
        return self._end - self.clock()


@contextmanager
def _open(
    target: guard.Target,
    path: str,
    *,
    method: str,
    key: str,
    body: dict[str, Any] | None,
    timer: Timer,
    call_s: float,
) -> Iterator[tuple[requests.Response, Watch]]:
    left = min(timer.left(), call_s)
    if left <= 0:
        raise ModelDown("The model took too long.", reason="timeout")
    headers = {"Accept": "application/json, text/event-stream", "Accept-Encoding": "identity"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    with watched(left) as watch, requests.Session() as session:
        session.trust_env = False  # no proxies, no .netrc: just this address with just this key
        session.mount(target.origin, _dialler(target, watch))
        try:
            with session.request(
                method,
                target.base_url + path,
                json=body,
                headers=headers,
                timeout=(min(left, 10), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response, watch
        except EndpointNotAllowed as refused:
            raise ModelRefused(str(refused), reason="not_allowed") from None
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as broke:
            # `from None`: the original speaks of addresses and may quote headers.
            if watch.is_over or isinstance(broke, TOO_LATE):
                raise ModelDown("The model took too long.", reason="timeout") from None
            raise ModelDown("The connection to the model broke.", reason="transport") from None


def _chunks(response: requests.Response, watch: Watch, max_bytes: int) -> Iterator[bytes]:
    size = 0
    while chunk := response.raw.read1(16_384, decode_content=True):
        size += len(chunk)
        if size > max_bytes:
            raise ModelDown("The model's answer was far too long.", reason="oversize")
        yield chunk
    if watch.is_over:
        raise ModelDown("The model took too long.", reason="timeout")


def send(
    target: guard.Target,
    path: str,
    *,
    key: str,
    timer: Timer,
    body: dict[str, Any] | None = None,
    method: str = "POST",
    call_s: float = 60.0,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """The body of a good answer. Raises ModelDown or ModelRefused, neither quoting what came."""
    with _open(
        target, path, method=method, key=key, body=body, timer=timer, call_s=call_s
    ) as (response, watch):  # fmt: skip
        if response.status_code != 200:
            _raise_for(response)
        return b"".join(_chunks(response, watch, max_bytes))


def stream(
    target: guard.Target,
    path: str,
    *,
    key: str,
    timer: Timer,
    body: dict[str, Any],
    call_s: float = 60.0,
    max_bytes: int = 4 * MAX_BYTES,
) -> Iterator[dict[str, Any]]:
    """The events of a server-sent stream; one that ends without [DONE] is a broken connection."""
    with _open(
        target, path, method="POST", key=key, body=body, timer=timer, call_s=call_s
    ) as (response, watch):  # fmt: skip
        if response.status_code != 200:
            _raise_for(response)
        rest = b""
        for chunk in _chunks(response, watch, max_bytes):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                data = line.strip().removeprefix(b"data:").strip()
                if not line.startswith(b"data:"):
                    continue
                if data == b"[DONE]":
                    return
                try:
                    event = json.loads(data)
                except ValueError:
                    raise ModelDown("The stream was garbled.", reason="garbled") from None
                if isinstance(event, dict):
                    yield event
    raise ModelDown("The stream ended in the middle.", reason="cut_stream")


def _raise_for(response: requests.Response) -> None:
    status = response.status_code
    if status in OVERLOADED and not _is_quota(response):
        raise ModelDown(
            f"The model's server is busy or broken (HTTP {status}).",
            reason="rate_limited" if status == 429 else "server_error",
            status=status,
            retry_after=_seconds(response.headers.get("Retry-After")),
        )
    if 300 <= status < 400:
        raise ModelRefused(
            "The model's address redirects elsewhere; enter the final address.",
            reason="redirect",
            status=status,
        )
    reason, message = {
        401: ("bad_key", "The model's server does not accept the key."),
        403: ("bad_key", "The key may not use this model."),
        404: ("no_model", "The model's server knows no such model or address."),
        402: ("quota", "The account at the model's provider has no credit left."),
        429: ("quota", "The account at the model's provider has no credit left."),
    }.get(status, ("bad_request", f"The model's server refused the request (HTTP {status})."))
    raise ModelRefused(message, reason=reason, status=status)


def _is_quota(response: requests.Response) -> bool:
    """A 429 that says the account is empty is no overload: OpenAI's code is insufficient_quota."""
    if response.status_code != 429:
        return False
    try:
        head = response.raw.read(2048, decode_content=True)
        return b"insufficient_quota" in head
    except (urllib3.exceptions.HTTPError, OSError):
        return False


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86_400 else None
