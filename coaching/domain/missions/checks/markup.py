"""Plain text only: no links, no HTML, no pictures, no control characters, readable English."""

import re
from collections.abc import Iterator
from typing import Final

from coaching.domain.missions.checks.said import Problem, Said

_LINK = re.compile(
    r"h(?:tt|xx)ps?\b\s*:?|ftp:|mailto:|javascript:|data:\w|\bwww\.|://"
    r"|\b[a-z0-9-]+\.(?:com|org|net|io|app|dev|co|uk|de|fr|info|biz|ru|cn|ai|me|ly|xyz)\b(?:/|\b)"
    # Written so that a reader, not a program, makes an address of it; and any host with a path.
    r"|\b\w+(?:\s+\.\s*|\s+dot\s+)(?:com|org|net|io|app)\b|\b[a-z0-9-]+\.[a-z]{2,}/\S",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"\S@\S+\.\w")
_HTML = re.compile(r"<\s*[/!a-z][^>]*>?|&(?:[a-z]{2,8}|#\d+);", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\s*[(\[]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_COMMON: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "of",
        "to",
        "in",
        "is",
        "are",
        "you",
        "your",
        "for",
        "on",
        "with",
        "at",
        "be",
        "it",
        "this",
        "that",
        "as",
        "today",
        "keep",
        "ride",
        "not",
        "no",
        "by",
        "from",
        "stay",
        "easy",
        "so",
        "have",
        "rest",
        "but",
        "will",
        "can",
    ]
)
_LONG_ENOUGH: Final = 80


def check_markup(said: Said) -> list[Problem]:
    problems: list[Problem] = []
    for where, text in said.texts.items():
        problems += _check_text(where, text)
    return problems


def _check_text(where: str, text: str) -> Iterator[Problem]:
    if _LINK.search(text) or _EMAIL.search(text):
        yield Problem("link", where, "No links or addresses.")
    if _MARKDOWN_LINK.search(text):
        yield Problem("link", where, "No Markdown links or pictures.")
    if _HTML.search(text):
        yield Problem("html", where, "No HTML; plain sentences only.")
    if _CONTROL.search(text):
        yield Problem("control_character", where, "No invisible or control characters.")
    letters = [c for c in text if c.isalpha()]
    if letters and sum(ord(c) > 0x24F for c in letters) > 0.2 * len(letters):
        yield Problem("language", where, "Write in English.")
    elif len(text) >= _LONG_ENOUGH:
        words = re.findall(r"[a-z']+", text.lower())
        if sum(word in _COMMON for word in words) < max(1, len(words) // 20):
            yield Problem("language", where, "Write in English.")
