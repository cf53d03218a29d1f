"""What can go wrong with a provider. No message ever holds a token, a code or an answer's body."""

from datetime import datetime

from racecontrol.shared.errors import SourceUnavailable


class ProviderError(SourceUnavailable):
    """The provider gave nothing we can use; `reason` is a stable code for rows and tests."""

    code = "provider_error"

    def __init__(self, message: str, *, reason: str, status: int | None = None):
        super().__init__(message)
        self.reason = reason
        self.http_status = status


class ProviderDown(ProviderError):
    """Broken, too slow or garbled: worth another try later."""

    code = "provider_down"


class ProviderBusy(ProviderError):
    """A request limit is reached. `retry_at` is the earliest moment that may help."""

    code = "provider_busy"

    def __init__(self, message: str, *, retry_at: datetime, status: int | None = 429):
        super().__init__(message, reason="rate_limited", status=status)
        self.retry_at = retry_at


class TokenRefused(ProviderError):
    """The access token is not accepted: refresh it once, then ask the person to connect again."""

    code = "token_refused"


class GrantLost(ProviderError):
    """The refresh token or code is not accepted: only the person can help, by connecting again."""

    code = "grant_lost"


class ProviderRefused(ProviderError):
    """The provider understands and says no (scope, membership, old phone app): no retry helps."""

    code = "provider_refused"
