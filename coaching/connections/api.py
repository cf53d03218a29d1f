"""Asking a provider for data: what each status means, and one more try for what may pass."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from coaching.connections.errors import (
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderRefused,
    TokenRefused,
)
from coaching.connections.oauth import Provider
from coaching.connections.transport import CALL_S, Reply, call
from coaching.domain.quotas import quarter_after, retry_moment

TRIES: Final = 2
PAUSE_S: Final = 0.5
Read = TypeVar("Read", bound=BaseModel)


class Told(BaseModel):
    """A provider's shape: what we use of it, the rest left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def nothing() -> None:
    """No check before a call."""


def unheard(reply: Reply) -> None:
    """No interest in a reply's headers."""


@dataclass(repr=False)
class Api:
    """One person's door to one provider. `before_call` may refuse (limits), `on_reply` hears headers."""

    provider: Provider
    token: str
    is_api_key: bool = False
    before_call: Callable[[], None] = nothing
    on_reply: Callable[[Reply], None] = unheard
    call_s: float = CALL_S

    def __repr__(self) -> str:
        return f"Api({self.provider.name})"

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a good answer. Raises the errors of `coaching.connections.errors`."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._get(path, params)
            except ProviderDown:
                if attempt == TRIES:
                    raise
                time.sleep(PAUSE_S)
        raise AssertionError("unreachable")

    def _get(self, path: str, params: dict[str, Any]) -> Any:
        self.before_call()
        basic = ("API_KEY", self.token) if self.is_api_key else None
        headers = {} if self.is_api_key else {"Authorization": f"Bearer {self.token}"}
        reply = call(
            "GET", self.provider.api_url + path, provider=self.provider.label, params=params,
            headers=headers, basic=basic, call_s=self.call_s,
        )  # fmt: skip
        self.on_reply(reply)
        if reply.status != 200:
            raise refusal_of(self.provider, reply)
        return reply.json(self.provider.label)

    def read(self, shape: type[Read], told: Any) -> Read:
        """`told` as that shape; ProviderDown where it is another, without quoting it."""
        try:
            return shape.model_validate(told)
        except ValidationError:
            raise ProviderDown(
                f"{self.provider.label} answered in a shape we do not know.", reason="wrong_shape"
            ) from None

    def read_list(self, shape: type[Read], told: Any) -> list[Read]:
        if not isinstance(told, list):
            raise ProviderDown(
                f"{self.provider.label} answered in a shape we do not know.", reason="wrong_shape"
            )
        return [self.read(shape, row) for row in told]


def refusal_of(provider: Provider, reply: Reply) -> ProviderError:
    """What a status that is not 200 means."""
    label, status = provider.label, reply.status
    if status == 429:
        moment = datetime.now(UTC)
        retry_at = retry_moment(
            reply.headers.get("Retry-After"), now=moment, otherwise=quarter_after(moment)
        )
        return ProviderBusy(
            f"{label} takes no more requests until {retry_at:%H:%M} UTC.", retry_at=retry_at
        )
    if status == 401:
        return TokenRefused(
            f"{label} does not accept the permission.", reason="unauthorized", status=401
        )
    if status >= 500 or status in (408, 425):
        return ProviderDown(
            f"{label} is busy or broken (HTTP {status}).", reason="server_error", status=status
        )
    if 300 <= status < 400:
        return ProviderDown(f"{label} sends us elsewhere.", reason="redirect", status=status)
    reason, message = {
        403: ("forbidden", f"{label} does not let us read this: a permission or membership is missing."),
        404: ("not_found", f"{label} knows no such thing."),
        426: ("app_too_old", f"{label} asks you to update its app on your phone first."),
    }.get(status, ("bad_request", f"{label} refused the request (HTTP {status})."))  # fmt: skip
    return ProviderRefused(message, reason=reason, status=status)
