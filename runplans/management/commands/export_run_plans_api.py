"""The run plan part of the API as an OpenAPI file, for people and programs without a server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

TARGET = "docs/api/run-plans.yaml"
PREFIX = "/api/v1/run-plans"


class Command(BaseCommand):
    help = f"Write {TARGET} from the code; --check only says whether it is stale."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="fail when the file is stale")

    def handle(self, *, check: bool, **options):
        target = Path(settings.BASE_DIR) / TARGET
        text = document()
        if check:
            if not target.exists() or target.read_text() != text:
                self.stderr.write(f"{TARGET} is stale: run manage.py export_run_plans_api")
                raise SystemExit(1)
            self.stdout.write(f"{TARGET} is what the code says.")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self.stdout.write(f"{TARGET} written.")


def document() -> str:
    """Our paths and the schemas they name, as YAML."""
    # By name: the API knows every room, and no room knows it.
    whole = import_string("racecontrol.api.api").get_openapi_schema()
    paths = {path: told for path, told in whole["paths"].items() if path.startswith(PREFIX)}
    schemas = whole["components"]["schemas"]
    kept: dict[str, Any] = {}
    waiting = [*_references(paths)]
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = schemas[name]
            waiting += _references(schemas[name])
    components = {
        "schemas": dict(sorted(kept.items())),
        "securitySchemes": whole["components"].get("securitySchemes", {}),
    }
    told = {
        "openapi": whole["openapi"],
        "info": {
            "title": "Race Control: run plans",
            "version": whole["info"]["version"],
            "description": "Made by manage.py export_run_plans_api. docs/run-plans.md says more.",
        },
        "paths": paths,
        "components": components,
    }
    return "\n".join(_lines(told)) + "\n"


def _references(value: Any) -> list[str]:
    """Names of the schemas a part of the document refers to."""
    if isinstance(value, dict):
        own = [value["$ref"].rpartition("/")[2]] if isinstance(value.get("$ref"), str) else []
        return own + [name for inner in value.values() for name in _references(inner)]
    if isinstance(value, list):
        return [name for inner in value for name in _references(inner)]
    return []


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    """YAML of dicts and lists; words and numbers are written as JSON, which YAML includes."""
    if isinstance(value, dict):
        for key, inner in value.items():
            is_word = re.fullmatch(r"[A-Za-z_$][\w$-]*", str(key))
            name = key if is_word else json.dumps(str(key))
            if isinstance(inner, dict | list) and inner:
                yield f"{indent}{name}:"
                yield from _lines(inner, f"{indent}  ")
            else:
                yield f"{indent}{name}: {_scalar(inner)}"
    else:
        for inner in value:
            if isinstance(inner, dict | list) and inner:
                first, *rest = _lines(inner, f"{indent}  ")
                yield f"{indent}- {first.strip()}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(inner)}"


def _scalar(value: Any) -> str:
    """Floats keep a point: some readers take 1e-06 for a word."""
    text = json.dumps(value, ensure_ascii=False)
    is_bare = isinstance(value, float) and "e" in text and "." not in text
    return text.replace("e", ".0e") if is_bare else text
