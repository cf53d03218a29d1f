"""The one place that calls webhooks: https only, public addresses only, signed, short patience.

The body is what Discord expects ({"content": …}); `X-Race-Control-Signature` is
"sha256=" + HMAC-SHA256(secret, timestamp + "." + body) and `X-Race-Control-Timestamp` the moment.
"""

import hashlib
import hmac
import json
from urllib.parse import urlsplit

from racecontrol.shared.errors import InvalidInput, SourceUnavailable
from racecontrol.shared.outbound import public_session

PATIENCE = (5, 10)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def check_address(url: str) -> str:
    """The host, if the address is https and names a host; raises InvalidInput."""
    parts = urlsplit(url)
    try:
        good = parts.scheme == "https" and parts.hostname and parts.port in (None, 443)
    except ValueError:
        good = False
    if not good or len(url) > 400 or parts.username:
        raise InvalidInput(
            "A webhook is an https address on the usual port.", fields={"url": ["https://…"]}
        )
    return str(parts.hostname)


def deliver(*, url: str, secret: str, text: str, timestamp: str) -> int:
    """Send one message; raises SourceUnavailable where the address is private or says no."""
    host = check_address(url)
    body = json.dumps({"content": text}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Race-Control-Timestamp": timestamp,
        "X-Race-Control-Signature": signature(secret, timestamp, body),
    }
    with (
        public_session() as session,
        session.post(
            url, data=body, headers=headers, timeout=PATIENCE, allow_redirects=False, stream=True
        ) as answer,  # the body is nobody's business: it is not read
    ):
        status = answer.status_code
    if status >= 500 or status == 429:
        raise ConnectionError(f"{host} answered {status}")  # the job tries again
    if status >= 300:
        raise SourceUnavailable(f"{host} refused with {status}.")
    return status
