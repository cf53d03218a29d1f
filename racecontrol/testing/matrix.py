"""Every address of the site with sample objects, for the test of who may enter.

A room's `tests/matrix.py` says for its addresses:
`samples(owner) -> {"room:name": {"kwarg": value}}`  an object that belongs to `owner`,
`SHARED = {"room:name"}`   any signed-in person may open it,
`PUBLIC = {"room:name"}`   strangers may open it.
API operations are named "api:<method> <path>" with the path as in the OpenAPI document.
An address without arguments needs no sample; it is taken as SHARED unless PUBLIC or STAFF has it.
"""

import importlib
import importlib.util
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from racecontrol.testing.people import signed_in, switch_on

ROOMS = ("racecontrol", "ingestion", "runplans", "strategy", "coaching")
FOREIGN = ("admin", "account", "socialaccount")  # their own tests are their makers' work


@dataclass
class Matrix:
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    public: set[str] = field(default_factory=set)
    staff: set[str] = field(default_factory=set)


def rooms_matrix(owner: Any) -> Matrix:
    """What every room says of its addresses, with objects of `owner` made in the database."""
    matrix = Matrix()
    for room in ROOMS:
        if importlib.util.find_spec(f"{room}.tests.matrix") is None:
            continue
        told = importlib.import_module(f"{room}.tests.matrix")
        matrix.samples |= told.samples(owner) if hasattr(told, "samples") else {}
        matrix.shared |= getattr(told, "SHARED", set())
        matrix.public |= getattr(told, "PUBLIC", set())
        matrix.staff |= getattr(told, "STAFF", set())
    return matrix


def of_api(operations: Iterable[str], **values: Any) -> dict[str, dict[str, Any]]:
    """Samples of "get|post teams/{team_id}/cars" and the like; `values` by the names in the paths."""
    told = [operation.partition(" ") for operation in operations]
    return {
        f"api:{method} /api/v1/{path}": {
            name: values[name] for name in re.findall(r"{(\w+)}", path)
        }
        for methods, _, path in told
        for method in methods.split("|")
    }


def page_names() -> Iterator[tuple[str, set[str]]]:
    """(name with namespace, names of its arguments) of every page of ours."""
    yield from _walk(get_resolver(), [])


def _walk(resolver: URLResolver, spaces: list[str]) -> Iterator[tuple[str, set[str]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = [*spaces, entry.namespace] if entry.namespace else spaces
            if (entry.namespace or "") in ("admin", "api") or "allauth" in str(entry.urlconf_name):
                continue
            yield from _walk(entry, inner)
        elif isinstance(entry, URLPattern) and entry.name:
            yield ":".join([*spaces, entry.name]), set(entry.pattern.converters)


def whole_pages(person: Any) -> tuple[Client, list[tuple[str, str, str]]]:
    """A client of `person`, who owns a sample of everything, and (name, url, text) of every page.

    All flags are on; parts, files and addresses that only take a POST are left out.
    """
    switch_on()
    samples = rooms_matrix(person).samples
    client = signed_in(person)
    found = []
    for name, arguments in page_names():
        if arguments and name not in samples:
            continue
        url = reverse(name, kwargs=samples.get(name, {}))
        answer = client.get(url)
        is_html = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        if is_html and "<html" in answer.text[:300]:
            found.append((name, url, answer.text))
    return client, found


def api_operations() -> Iterator[tuple[str, str]]:
    """(method, path) of every operation, as the OpenAPI document writes them."""
    from racecontrol.api import api

    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            if method in ("get", "post", "put", "patch", "delete"):
                yield method, path
