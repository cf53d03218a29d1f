"""The rules of the house, checked on every run."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.module_loading import import_string

from racecontrol.schedules import CRON

ROOT = Path(settings.BASE_DIR)

# The apps, lowest first, and the apps below that each may import.
BELOW = {
    "ingestion": set(),
    "runplans": {"ingestion"},
    "strategy": {"ingestion", "runplans"},
    "coaching": {"ingestion", "runplans", "strategy"},
}

# The rooms of an app by floor: a room may import from the floors under its own.
FLOOR = {"domain": 0, "models": 1, "liverc": 1, "llm": 1, "queries": 2, "access": 2, "services": 3}
FLOOR |= {"forms": 4, "schemas": 4, "cards": 4, "search": 4, "first_steps": 4}
FLOOR |= {"tasks": 5, "views": 5, "api": 5, "admin": 5}
FLOOR |= {"management": 5, "urls": 6}

# What a calculation may not know: the framework, the database, the network, the clock of the house.
NOT_IN_DOMAIN = {
    "django",
    "psycopg",
    "requests",
    "ninja",
    "waffle",
    "django_q",
    "bs4",
    "structlog",
    "urllib",
    "socket",
}
PURE_OF_OURS = (
    "racecontrol.shared.errors",
    "racecontrol.shared.units",
    "racecontrol.shared.progress",
)


def code_of(app: str):
    """Every module of an app but its tests, with the names it imports."""
    for path in sorted((ROOT / app).rglob("*.py")):
        if {"tests", "migrations"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path} imports relatively: write the whole name"
                yield from ((path, f"{node.module}.{name.name}") for name in node.names)
            elif isinstance(node, ast.Import):
                yield from ((path, name.name) for name in node.names)


@pytest.mark.parametrize("app", BELOW)
def test_apps_import_only_what_lies_below(app):
    for path, name in code_of(app):
        top, *rest = name.split(".")
        assert top not in BELOW or top in BELOW[app] | {app}, f"{path} imports {name}"
        if top == "racecontrol":
            assert rest[:1] in (["shared"], ["testing"]), f"{path} imports {name}"


@pytest.mark.parametrize("app", BELOW)
def test_rooms_import_only_from_lower_floors(app):
    for path, name in code_of(app):
        here = path.relative_to(ROOT / app).parts[0].removesuffix(".py")
        top, room, *_ = [*name.split("."), ""]
        if top == app and room != here and {here, room} <= FLOOR.keys():
            assert FLOOR[room] < FLOOR[here], f"{path} imports {name}"


@pytest.mark.parametrize("app", BELOW)
def test_domain_is_pure(app):
    """Calculations know the standard library, numbers and solvers, our units, other calculations."""
    for path, name in code_of(app):
        if "domain" in path.relative_to(ROOT / app).parts[:1]:
            top = name.split(".")[0]
            assert top not in NOT_IN_DOMAIN, f"{path} imports {name}"
            if top in BELOW:
                assert name.split(".")[1] == "domain", f"{path} imports {name}"
            if top == "racecontrol":
                assert name.startswith(PURE_OF_OURS), f"{path} imports {name}"


@pytest.mark.parametrize("app", BELOW)
def test_domain_reads_no_clock(app):
    for path in sorted((ROOT / app / "domain").rglob("*.py")):
        found = re.findall(
            r"datetime\.now\(|date\.today\(|time\.time\(\)|timezone\.now\(", path.read_text()
        )
        assert not found, f"{path} asks the clock: {found}; make the moment an argument"


def test_only_the_clients_call_the_network():
    allowed = {"liverc", "llm", "connections", "tests", "management", "fake_liverc"}
    for app in BELOW:
        for path, name in code_of(app):
            if name.split(".")[0] in ("requests", "http", "httpx2") and name != "http.HTTPStatus":
                assert (
                    allowed & set(path.relative_to(ROOT / app).parts) or "webhook" in path.name
                ), f"{path} imports {name}"


def test_every_task_named_in_a_string_exists():
    code = "".join(path.read_text() for app in BELOW for path in (ROOT / app).rglob("*.py"))
    named = {*re.findall(r'enqueue\(\s*"([\w.]+)"', code)}
    lists = [*settings.AFTER_EVENT_IMPORT, *settings.HOME_CARDS, *settings.DEMO_LOADERS]
    lists += [*settings.FIRST_STEPS, *settings.AFTER_SESSION_TYPE]
    lists += [*settings.SEARCH_SOURCES, *settings.BEFORE_PERSON_GOES, *settings.DRIVER_FOLLOWERS]
    names = [*named, *lists, *settings.LIVE_TOPICS.values(), *settings.ROOM_METRICS, *CRON]
    hooks = (settings.TEAM_LOOKUP, settings.BUDGET_REPORT, settings.TIMING_DRIVERS_OF)
    names += [name for name in hooks if name]
    for name in names:
        assert callable(import_string(name)), name


def test_every_setting_of_the_environment_is_in_the_example():
    code = (ROOT / "racecontrol/settings.py").read_text()
    used = {*re.findall(r'env(?:\.\w+)?\(\s*"(\w+)"', code)}
    shown = {*re.findall(r"^#?\s?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)}
    assert used == shown


def test_only_settings_read_the_environment():
    for path in sorted((ROOT).glob("*/**/*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in (*BELOW, "racecontrol") or {"tests", "testing", "commands"} & set(parts):
            continue
        if parts in (("racecontrol", "settings.py"), ("racecontrol", "devdb.py")) or path.stem in (
            "asgi",
            "wsgi",
        ):
            continue
        assert "os.environ" not in path.read_text(), f"{path} reads the environment: use settings"


def test_no_page_carries_inline_code_or_style():
    """The content security policy would refuse it; find it before a browser does."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        if "email" in path.parts:  # mail programs know no stylesheets
            continue
        assert not re.search(r"\sstyle=|\son[a-z]+=[\"']|hx-on|javascript:", text), path
        for script in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script, f"{path}: {script}"


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
