"""Calling addresses people typed (webhooks, models): only the open internet, and only what was checked.

The check is made on the very address that is then connected to, so a name that changes its answer
between check and connection (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from racecontrol.shared.errors import SourceUnavailable

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotPublic(SourceUnavailable):
    """The host, or one of its addresses, is not on the open internet."""

    code = "not_public"


def is_public(address: str) -> bool:
    """Is this an address of the open internet, seen through every v6 wrapping of a v4 one?"""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:  # fec0::/10: given up long ago, still routed inside some networks
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def connect(
    host: str, port: int, *, is_trusted: bool = False, timeout: float | None
) -> socket.socket:
    """A connected socket to a vetted address of the host. Raises NotPublic, OSError.

    `is_trusted`: the operator named this host, private addresses included.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not is_trusted and not all(is_public(str(entry[4][0])) for entry in found):
        # One private answer is enough: a mixed answer is how rebinding looks.
        raise NotPublic(f"{host} is not a public address.")
    last: OSError | None = None
    for family, kind, proto, _name, where in found:
        sock = socket.socket(family, kind, proto)
        try:
            sock.settimeout(timeout)
            sock.connect(where)
        except OSError as refused:
            sock.close()
            last = refused
            continue
        return sock
    raise last or OSError("no address")


# (host, port, seconds to wait) -> a connected socket
Dial = Callable[[str, int, float | None], socket.socket]


def _pools(dial: Dial) -> dict[str, type[HTTPConnectionPool]]:
    class Dialled:
        host: str
        port: int
        timeout: Any

        def _new_conn(self) -> socket.socket:
            seconds = self.timeout if isinstance(self.timeout, int | float) else None
            connection: Any = self
            try:
                return dial(self.host.strip("[]"), self.port, seconds)
            except TimeoutError as late:
                raise urllib3.exceptions.ConnectTimeoutError(connection, "too late") from late
            except OSError as failed:
                raise urllib3.exceptions.NewConnectionError(connection, "no connection") from failed

    class Plain(Dialled, HTTPConnection):
        pass

    class Secure(Dialled, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class Dialler(HTTPAdapter):
    """An adapter of `requests` whose connections are made by `dial`; it tries once."""

    def __init__(self, dial: Dial):
        self._dial = dial
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._dial)


def _dial_public(host: str, port: int, seconds: float | None) -> socket.socket:
    return connect(host, port, timeout=seconds)


def public_session() -> requests.Session:
    """A session that speaks https with public hosts only: no proxies, no .netrc, no retries."""
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("https://", Dialler(_dial_public))
    return session
