"""Prompts are templates of the repository: named, versioned by file, hashed as sent."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.template.loader import render_to_string

from coaching.domain.missions.facts import Fact

# The version in use of each prompt; an older run names the one it was written with.
CURRENT: Final = {
    "mission_draft": "mission_draft.v1",
    "onboarding": "onboarding.v1",
    "daily_training": "daily_training.v1",
    "daily_event": "daily_event.v1",
    "wrapup": "wrapup.v1",
}
NOTE_CHARS: Final = 500
_SPLIT: Final = "=== user ==="
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: the version of the template, the messages, and their fingerprint."""

    version: str
    messages: tuple[dict[str, str], ...]

    @property
    def hash(self) -> str:
        return hashlib.sha256(json.dumps(self.messages).encode()).hexdigest()


def render(
    name: str,
    *,
    facts: Sequence[Fact],
    limits: Sequence[str] = (),
    goal: str = "",
    note: str = "",
    history: Sequence[str] = (),
) -> Prompt:
    """The prompt of that name. `goal` and `note` are a stranger's words: each goes in as one
    JSON string, capped and without control characters, so that it cannot pose as a section.
    """
    version = CURRENT[name]
    context: dict[str, Any] = {
        "facts": facts,
        "limits": limits,
        "goal": quoted(goal),
        "note": quoted(note),
        "history": [clean(line, 300) for line in history],
    }
    text = render_to_string(f"coaching/prompts/{version}.txt", context)
    system, _, user = text.partition(_SPLIT)
    return Prompt(
        version=version,
        messages=(
            {"role": "system", "content": system.strip()},
            {"role": "user", "content": user.strip()},
        ),
    )


def clean(text: str, longest: int = NOTE_CHARS) -> str:
    """One line, no control or invisible characters, capped."""
    return _CONTROL.sub(" ", text).strip()[:longest]


def quoted(text: str) -> str:
    """A person's words as one JSON string, or nothing."""
    words = clean(text)
    return json.dumps(words, ensure_ascii=False) if words else ""
