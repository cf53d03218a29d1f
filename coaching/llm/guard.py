"""Which addresses a person may make this server call (SSRF).

A user-given URL must be https, name a host the operator lists (or any public host, if the
operator allows that), and resolve to public addresses only. The check is made on the very
address that is then connected to, so a name that changes its answer between check and
connection (DNS rebinding) gains nothing. Redirects are never followed.
"""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from coaching.llm.errors import EndpointNotAllowed
from racecontrol.shared import outbound


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's word on who may be called.

    `trusted_origins` ("http://127.0.0.1:11434") may be anything, private addresses included:
    only the operator can name them. `hosts` are public hosts a user may choose;
    `is_any_public_host` opens every public https host.
    """

    trusted_origins: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    is_any_public_host: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A checked base URL. `is_trusted`: the operator named this origin."""

    base_url: str
    origin: str
    host: str
    port: int
    is_trusted: bool


def check_url(url: str, rules: Rules) -> Target:
    """The target of a base URL; EndpointNotAllowed (field base_url) says what is wrong."""
    if len(url) > 300 or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise _refused("The address has spaces, control characters or is too long.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("This is not a web address.") from None
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in ("https", "http") or not host:
        raise _refused("The address must start with https:// and name a host.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise _refused("The address must not hold a password, a query or a fragment.")
    port = port or (443 if parts.scheme == "https" else 80)
    origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    base = f"{origin}{parts.path.rstrip('/')}"
    if origin in {_with_port(trusted) for trusted in rules.trusted_origins}:
        return Target(base, origin, host, port, is_trusted=True)
    if parts.scheme != "https":
        raise _refused("The address must start with https://.")
    if host not in rules.hosts:
        if not rules.is_any_public_host:
            listed = ", ".join(sorted(rules.hosts)) or "none"
            raise _refused(f"This site may not call that host. Allowed hosts: {listed}.")
        if port != 443:
            raise _refused("Only the standard https port is allowed.")
    return Target(base, origin, host, port, is_trusted=False)


def _with_port(origin: str) -> str:
    parts = urlsplit(origin)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = (parts.hostname or "").lower()
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _refused(message: str) -> EndpointNotAllowed:
    return EndpointNotAllowed(message, fields={"base_url": [message]})


def connect(host: str, port: int, *, is_trusted: bool, timeout: float | None) -> socket.socket:
    """A connected socket to a vetted address of the host; the check is on what is connected to."""
    try:
        return outbound.connect(host, port, is_trusted=is_trusted, timeout=timeout)
    except outbound.NotPublic:
        raise _refused("That host is not on the public internet.") from None
