"""The OpenAPI document as rows a page can show: no script, nothing from other sites."""

import json
from dataclasses import dataclass, field
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    where: str
    kind: str
    is_required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a program can ask for."""

    method: str
    path: str
    anchor: str
    title: str
    about: str
    parameters: list[Parameter]
    body: str
    answers: list[tuple[str, str, str]]
    is_public: bool


@dataclass(slots=True)
class Section:
    name: str
    operations: list[Operation] = field(default_factory=list)


def sections(document: dict[str, Any]) -> list[Section]:
    """Every operation by tag, in the order of the document."""
    found: dict[str, Section] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if (spec := methods.get(method)) is None:
                continue
            name = (spec.get("tags") or ["other"])[0]
            found.setdefault(name, Section(name)).operations.append(
                _operation(document, method, path, spec)
            )
    return list(found.values())


def _operation(document: dict, method: str, path: str, spec: dict) -> Operation:
    parameters = [
        Parameter(
            name=one["name"],
            where=one["in"],
            kind=kind_of(document, one.get("schema", {})),
            is_required=one.get("required", False),
            about=one.get("description", ""),
        )
        for one in spec.get("parameters", [])
    ]
    answers = []
    for status, answer in spec.get("responses", {}).items():
        content = answer.get("content", {})
        schema = next((c.get("schema") for c in content.values() if c.get("schema")), None)
        answers.append((str(status), answer.get("description", ""), example(document, schema)))
    bodies = spec.get("requestBody", {}).get("content", {})
    body = next((c.get("schema") for c in bodies.values()), None)
    return Operation(
        method=method.upper(),
        path=path,
        anchor=spec.get("operationId", f"{method}{path}").replace("/", "-"),
        title=spec.get("summary", ""),
        about=spec.get("description", ""),
        parameters=parameters,
        body=example(document, body),
        answers=answers,
        is_public=not spec.get("security"),
    )


def kind_of(document: dict, schema: dict) -> str:
    """A type in one word or two: "integer", "list of string", "one of read, write"."""
    schema = _resolved(document, schema)
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return repr(schema["const"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            kinds = [kind_of(document, one) for one in schema[key]]
            return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if schema.get("type") == "array":
        return f"list of {kind_of(document, schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def example(document: dict, schema: dict | None) -> str:
    """The shape of a body as indented JSON with types for values; empty where there is none."""
    if not schema:
        return ""
    return json.dumps(_shape(document, schema, 0), indent=2, ensure_ascii=False)


def _shape(document: dict, schema: dict, depth: int) -> Any:
    schema = _resolved(document, schema)
    if depth > DEEPEST:
        return "…"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            real = [one for one in schema[key] if one.get("type") != "null"]
            shape = _shape(document, real[0], depth) if real else None
            is_nullable = len(real) < len(schema[key])
            return f"{shape} or null" if is_nullable and isinstance(shape, str) else shape
    if "allOf" in schema:
        return _shape(document, schema["allOf"][0], depth)
    if schema.get("type") == "array":
        return [_shape(document, schema.get("items", {}), depth + 1)]
    if "properties" in schema:
        needed = set(schema.get("required", []))
        return {
            name if name in needed else f"{name}?": _shape(document, inner, depth + 1)
            for name, inner in schema["properties"].items()
        }
    return kind_of(document, schema)


def _resolved(document: dict, schema: dict) -> dict:
    for _ in range(10):
        reference = schema.get("$ref")
        if not reference:
            break
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return schema
