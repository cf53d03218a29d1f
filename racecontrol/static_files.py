"""Addresses of styles and scripts while developing: browsers may keep a file, and see each change at once.

In production whitenoise's manifest does the same by a hash in the name, made once by `collectstatic`.
"""

from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class StampedStaticFiles(StaticFilesStorage):
    """The moment a file was last changed stands in its address."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        found = finders.find(name or "")
        return f"{address}?v={Path(found).stat().st_mtime_ns:x}" if found else address
