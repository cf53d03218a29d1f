"""The one place that calls webhooks: https only, public addresses only, signed, short patience.

The body is what Discord expects ({"content": …}); `X-Race-Control-Signature` is
"sha256=" + HMAC-SHA256(secret, timestamp + "." + body) and `X-Race-Control-Timestamp` the moment.
"""

import hashlib
import hmac
import ipaddress
import json
import socket
from urllib.parse import urlsplit

import requests

from racecontrol.shared.errors import InvalidInput, SourceUnavailable

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


def is_public(host: str) -> bool:
    """Does every address of the host lie on the open internet?"""
    try:
        found = socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(item[4][0]).is_global for item in found)


def deliver(*, url: str, secret: str, text: str, timestamp: str) -> int:
    """Send one message; raises SourceUnavailable where the address is private or says no."""
    host = check_address(url)
    if not is_public(host):
        raise SourceUnavailable(f"{host} is not a public address.")
    body = json.dumps({"content": text}).encode()
    answer = requests.post(
        url, data=body, timeout=PATIENCE, allow_redirects=False,
        headers={
            "Content-Type": "application/json",
            "X-Race-Control-Timestamp": timestamp,
            "X-Race-Control-Signature": signature(secret, timestamp, body),
        },
    )  # fmt: skip
    if answer.status_code >= 500 or answer.status_code == 429:
        raise ConnectionError(f"{host} answered {answer.status_code}")  # the job tries again
    if answer.status_code >= 300:
        raise SourceUnavailable(f"{host} refused with {answer.status_code}.")
    return answer.status_code
