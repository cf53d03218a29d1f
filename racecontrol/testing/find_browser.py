"""Where this machine has its browser. Knows no Django: benches and scripts ask before it is set up."""

import os
import shutil
from pathlib import Path

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str | None:
    """BROWSER_PATH, else the first Chromium or Chrome this machine has."""
    if told := os.environ.get("BROWSER_PATH"):
        return told
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
        if name.startswith("/") and Path(name).exists():
            return name
    return None
