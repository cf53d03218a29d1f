"""The owner's shared cases: used where they lie beside the project, required where RACECONTROL_SHARED is set."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shared_path(name: str) -> Path | None:
    """The file or folder `name` of the shared material, or None where there is none.

    With RACECONTROL_SHARED set (as in .ci/run) a missing file is an error, not a skip.
    """
    told = os.environ.get("RACECONTROL_SHARED", "")
    path = (ROOT / (told or "../shared") / name).resolve()
    if path.exists():
        return path
    if told:
        raise FileNotFoundError(f"RACECONTROL_SHARED is set, but {path} is not there")
    return None


def shared_json(name: str):
    """The parsed file, or None where the shared material is absent (for parametrize)."""
    path = shared_path(name)
    return json.loads(path.read_text()) if path else None


needs_shared = pytest.mark.skipif(
    shared_path("README.md") is None, reason="the shared cases are not beside this project"
)
