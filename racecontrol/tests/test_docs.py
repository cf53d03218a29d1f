"""What README and docs name is there: commands with their options, operations, variables, files."""

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands, load_command_class

from racecontrol.testing.matrix import ROOMS, api_operations

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ANY_ROOM = "|".join(ROOMS)

COMMAND = re.compile(r"manage\.py ([a-z_]+)([^`\n|#]*)")
OPERATION = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (?:/api/v1)?(/[a-z][^`?\s]+)[^`]*`")
VARIABLE = re.compile(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`")
FILE = re.compile(rf"`((?:{ANY_ROOM}|bench|scripts|templates|static|docs)/[\w./-]+)`")
OBJECT = re.compile(rf"`((?:{ANY_ROOM})(?:\.\w+)+)")
LINK = re.compile(r"\[[^\]]*\]\((?!http)([^)#]+)|src=\"(?!http)([^\"]+)\"")


def told(pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    for page in PAGES:
        for found in pattern.finditer(page.read_text()):
            yield page, found


def test_commands_and_their_options():
    missing = []
    for page, found in told(COMMAND):
        name, rest = found.groups()
        if name not in get_commands():
            missing.append((page.name, name))
            continue
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        known = {option for action in parser._actions for option in action.option_strings}
        unknown = set(re.findall(r"--[a-z-]+", rest)) - known
        missing += [(page.name, f"{name} {option}") for option in sorted(unknown)]
    assert missing == []


def test_operations_of_the_api():
    known = {(method.upper(), shape(path)) for method, path in api_operations()}
    asked = {(page.name, found[1], shape(found[2])) for page, found in told(OPERATION)}
    assert {one for one in asked if one[1:] not in known} == set()


def shape(path: str) -> str:
    """The path with every argument alike, without the prefix all have."""
    return re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1")).rstrip("/")


def test_variables_and_settings():
    files = [ROOT / ".env.example", ROOT / "Makefile", ROOT / "conftest.py"]
    files += [path for room in (*ROOMS, "bench") for path in (ROOT / room).rglob("*.py")]
    known = set(re.findall(r"[A-Z][A-Z0-9_]+", "\n".join(path.read_text() for path in files)))
    assert {
        (page.name, found[1]) for page, found in told(VARIABLE) if found[1] not in known
    } == set()


def test_files_links_and_pictures():
    named = [(page.name, ROOT / found[1]) for page, found in told(FILE)]
    named += [(page.name, page.parent / (found[1] or found[2])) for page, found in told(LINK)]
    assert [(page, str(path)) for page, path in named if not path.exists()] == []


def test_functions_and_modules():
    missing = []
    for page, found in told(OBJECT):
        try:
            pkgutil.resolve_name(found[1])
        except (ImportError, AttributeError):
            missing.append((page.name, found[1]))
    assert missing == []
