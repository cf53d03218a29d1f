"""Reads object and array literals out of page scripts.

What LiveRC writes is JavaScript, not JSON: single quotes, bare keys, trailing commas, escaped
apostrophes. Strings are read as strings, so a name that looks like code stays a name.
"""

import re
from typing import Any

_TOKEN = re.compile(
    r"""(?>\s+|//[^\n]*|/\*.*?\*/)*+
    (?: '(?P<single>(?:[^'\\\n]|\\.)*)'
      | "(?P<double>(?:[^"\\\n]|\\.)*)"
      | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>[A-Za-z_$][\w$]*)
      | (?P<mark>[{}\[\]:,]) )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": ""}
_WORDS = {"true": True, "false": False, "null": None, "undefined": None}
_DEEPEST = 20


class ScriptError(ValueError):
    """The literal ends early or holds something that is not a value. `at` is where."""

    def __init__(self, message: str, at: int):
        super().__init__(message)
        self.at = at


def read_value(script: str, at: int = 0, *, depth: int = 0) -> tuple[Any, int]:
    """The value that starts at `at` and the place after it. Numbers stay as they are written."""
    token = _next(script, at)
    kind = token.lastgroup
    if kind in ("single", "double"):
        return unescape(token[kind]), token.end()
    if kind == "number":
        return token["number"], token.end()
    if kind == "word":
        if token["word"] not in _WORDS:
            raise ScriptError(f"{token['word']!r} is not a value", at)
        return _WORDS[token["word"]], token.end()
    if depth > _DEEPEST:
        raise ScriptError("nested too deeply", at)
    if token["mark"] == "[":
        return _read_array(script, token.end(), depth + 1)
    if token["mark"] == "{":
        return _read_object(script, token.end(), depth + 1)
    raise ScriptError(f"{token['mark']!r} where a value should be", at)


def read_key(script: str, at: int) -> tuple[str | None, int]:
    """The key of the next member and the place after its colon; None at the closing brace."""
    token = _next(script, at)
    while token["mark"] == ",":
        token = _next(script, token.end())
    if token["mark"] == "}":
        return None, token.end()
    kind = token.lastgroup
    if kind == "mark":
        raise ScriptError(f"{token['mark']!r} where a key should be", at)
    key = unescape(token[kind]) if kind in ("single", "double") else token[kind or 0]
    colon = _next(script, token.end())
    if colon["mark"] != ":":
        raise ScriptError("a key without a value", token.end())
    return key, colon.end()


def unescape(raw: str) -> str:
    if "\\" not in raw:
        return raw

    def one(found: re.Match) -> str:
        code = found[1] or found[2]
        return chr(int(code, 16)) if code else _LETTERS.get(found[3], found[3])

    text = _ESCAPE.sub(one, raw)
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # two escapes make one character
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")


def _next(script: str, at: int) -> re.Match:
    token = _TOKEN.match(script, at)
    if token is None:
        raise ScriptError("the script ends or breaks here", at)
    return token


def _read_array(script: str, at: int, depth: int) -> tuple[list, int]:
    items: list = []
    while True:
        token = _next(script, at)
        if token["mark"] == "]":
            return items, token.end()
        if token["mark"] == ",":
            at = token.end()
            continue
        item, at = read_value(script, at, depth=depth)
        items.append(item)


def _read_object(script: str, at: int, depth: int) -> tuple[dict, int]:
    members: dict = {}
    while True:
        key, at = read_key(script, at)
        if key is None:
            return members, at
        members[key], at = read_value(script, at, depth=depth)
