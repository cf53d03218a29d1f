"""Read an answer the way a test wants to: by the id of a part."""

from collections.abc import Iterator

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.html import Element, parse_html
from django.test.utils import CaptureQueriesContext

HTMX = {"HX-Request": "true"}


class Page:
    """A rendered answer. CSRF tokens are left out, so two answers can be compared."""

    def __init__(self, response: HttpResponse):
        self._root = parse_html(response.content.decode())
        for element in list(_walk(self._root)):
            element.children = [child for child in element.children if not _is_csrf(child)]

    def part(self, id_: str) -> Element:
        """The element with this id; two parts are equal when their HTML means the same."""
        for element in _walk(self._root):
            if ("id", id_) in element.attributes:
                return element
        raise AssertionError(f"no element with id {id_!r}")

    def text(self, id_: str) -> str:
        """The words a person reads inside the part."""
        return " ".join(_words(self.part(id_)))


def assert_swap_equals_reload(
    client: Client, url: str, data: dict, *, part: str, path: str = ""
) -> None:
    """What HTMX swaps in after a POST is what a reload of the page would show.

    `url` takes the form, `path` is the page that holds the part (the same address by default).
    """
    swapped = client.post(url, data, headers=HTMX | {"HX-Target": part})
    assert swapped.status_code == 200, f"{url} answered {swapped.status_code}"
    assert b"<html" not in swapped.content, "a swap must bring the part, not the whole page"

    reloaded = client.get(path or url)

    assert Page(swapped).part(part) == Page(reloaded).part(part)


def queries_of(client: Client, url: str) -> int:
    """How many queries a good answer takes; flags and the session were read before."""
    client.get(url)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def _walk(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        if isinstance(child, Element):
            yield from _walk(child)


def _words(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, Element):
            yield from _words(child)
        elif child.strip():
            yield child.strip()


def _is_csrf(node: Element | str) -> bool:
    return isinstance(node, Element) and ("name", "csrfmiddlewaretoken") in node.attributes
