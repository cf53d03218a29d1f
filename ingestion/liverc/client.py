"""The only code that calls LiveRC: one request at a time, to known hosts, of bounded size.

Pace, retries and the page store are the caller's (`ingestion.services.fetching`): every attempt is
one `get` and one `get` is one request.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

import requests
from django.conf import settings

from ingestion.liverc.addresses import is_slug
from racecontrol.shared.errors import InvalidInput, SourceUnavailable

CONNECT_S, READ_S = 5, 25
MOST_BYTES = 8_000_000
_CHUNK = 64 * 1024


class Unreachable(SourceUnavailable):
    """No usable answer came: connection refused, timed out, or cut off. Worth another try."""

    code = "source_unreachable"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `retry_after_s` is the wait a 429 or 503 asked for."""

    url: str
    status: int
    body: bytes
    etag: str = ""
    last_modified: str = ""
    retry_after_s: float | None = None
    location: str = ""


class Source(Protocol):
    """Whoever can fetch an address: LiveRC, or a fake with the same method."""

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Answer: ...


class LiveRC:
    """The real thing, over requests. Identifies itself and never follows a redirect by itself."""

    def __init__(self, *, session: requests.Session | None = None):
        self.session = session or requests.Session()
        self.session.headers.update(
            {"User-Agent": user_agent(), "Accept": "text/html", "Accept-Language": "en"}
        )

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Answer:
        """One request. Raises InvalidInput for a host that is not the timing site's, Unreachable
        for anything short of a whole answer."""
        check_host(url)
        headers = {}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            with self.session.get(
                url,
                headers=headers,
                timeout=(CONNECT_S, READ_S),
                stream=True,
                allow_redirects=False,
            ) as response:
                body = self._read(response)
        except requests.RequestException as trouble:
            host = urlsplit(url).hostname
            raise Unreachable(
                f"{host} gave no whole answer ({type(trouble).__name__})."
            ) from trouble
        return Answer(
            url=url,
            status=response.status_code,
            body=body,
            etag=response.headers.get("ETag", "")[:200],
            last_modified=response.headers.get("Last-Modified", "")[:100],
            retry_after_s=_retry_after(response),
            location=response.headers.get("Location", ""),
        )

    @staticmethod
    def _read(response: requests.Response) -> bytes:
        parts, size = [], 0
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                raise SourceUnavailable(
                    f"A page of {urlsplit(response.url).hostname} is larger than "
                    f"{MOST_BYTES // 1_000_000} MB; it was not read."
                )
            parts.append(chunk)
        return b"".join(parts)


def user_agent() -> str:
    contact = f"; contact {settings.LIVERC_CONTACT}" if settings.LIVERC_CONTACT else ""
    return f"RaceControl/1.0 (self-hosted club tool{contact})"


def url_of(track_slug: str, path: str) -> str:
    """The address of a path on a track's host. Raises InvalidInput for what cannot be a slug."""
    if not is_slug(track_slug):
        raise InvalidInput(
            f"{track_slug!r} is not a track's address name.", fields={"track": ["Not a slug."]}
        )
    return settings.LIVERC_URL_TEMPLATE.format(track=track_slug).rstrip("/") + path


def host_of(url: str) -> str:
    """Host and port: what is left alone when it asks for that."""
    return urlsplit(url).netloc.lower()


def check_host(url: str) -> None:
    """Refuse every address but those of the configured timing site."""
    parts = urlsplit(url)
    allowed = _allowed(settings.LIVERC_URL_TEMPLATE, settings.LIVERC_CATALOGUE_URL)
    if not any(
        parts.scheme == scheme and pattern.fullmatch(parts.netloc.lower())
        for scheme, pattern in allowed
    ):
        raise InvalidInput(
            f"{parts.netloc or url!r} is not the timing site.", fields={"url": ["Another host."]}
        )


@cache
def _allowed(*templates: str) -> list[tuple[str, re.Pattern]]:
    patterns = []
    for template in templates:
        parts = urlsplit(template)
        host = re.escape(parts.netloc.lower()).replace(r"\{track\}", r"[a-z0-9-]+")
        patterns.append((parts.scheme, re.compile(host)))
    return patterns


def _retry_after(response: requests.Response) -> float | None:
    """Seconds a Retry-After header asks for, given as a number or as a date."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
        served = response.headers.get("Date")
        now = parsedate_to_datetime(served) if served else datetime.now(at.tzinfo)
        return max(0.0, (at - now).total_seconds())
    except (TypeError, ValueError):
        return None
