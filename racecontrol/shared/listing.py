"""A list as every page shows it: filtered, a page at a time, and as a file.

    found = Listing(request, plans, name="run-plans", columns={"plan": "name", "laps": laps_of},
                    filters=form, api="/api/v1/run-plans")
    if found.wants_csv:
        return found.as_csv()
    return answer(request, page="…", context={"found": found})

The template loops over `found.rows`, and includes `components/_filters.html` above and
`components/_pager.html` below, both `with list=found`. `test_listing.py` finds pages that forgot.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse

from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.paging import page_of
from racecontrol.shared.spreadsheets import csv_stream

PER_PAGE = 25
CHUNK = 500
Value = str | Callable[[Any], Any]


class WordsFilter(forms.Form):
    """The filter of a list that is looked through by name."""

    q = forms.CharField(label="Words", required=False, max_length=100, widget=forms.SearchInput)


class Listing:
    """One page of `found`: a queryset (pages by cursor) or what is computed (pages by place).

    `columns`: heading of the file -> attribute path or function of a row. Two lists on one page
    have different `name`s and `cursor`s; `path` and `params` are for a page shown after a POST to
    another address. A filter that does not pass finds nothing and says why.
    """

    def __init__(
        self,
        request: HttpRequest,
        found: QuerySet | Sequence,
        *,
        name: str,
        columns: Mapping[str, Value],
        order: tuple[str, ...] = ("-created_at", "-pk"),
        filters: forms.Form | None = None,
        api: str = "",
        cursor: str = "cursor",
        per_page: int = PER_PAGE,
        path: str = "",
        params: QueryDict | None = None,
    ):
        self.name, self.columns, self.filters, self.api = name, columns, filters, api
        self._cursor, self._path = cursor, path or request.path
        self._params = request.GET if params is None else params
        is_wrong = filters is not None and filters.is_bound and not filters.is_valid()
        if is_wrong:
            found = found.none() if isinstance(found, QuerySet) else []
        self._found = found.order_by(*order) if isinstance(found, QuerySet) else found
        self.wants_csv = self._params.get("csv") == name
        self.rows: Sequence[Any] = []
        self._next: str | None = None
        if not self.wants_csv:
            self.rows, self._next = self._page(order, per_page)

    def _page(self, order: tuple[str, ...], limit: int) -> tuple[Sequence[Any], str | None]:
        told = self._params.get(self._cursor) or None
        if isinstance(self._found, QuerySet):
            page = page_of(self._found, limit=limit, cursor=told, order=order)
            return page["items"], page["next_cursor"]
        if told and not (told.isdecimal() and len(told) < 8):
            message = "This page is not one of ours; start again without it."
            raise InvalidInput(message, fields={self._cursor: [message]})
        begin = int(told or 0)
        end = begin + limit
        return self._found[begin:end], str(end) if end < len(self._found) else None

    @property
    def is_filtered(self) -> bool:
        return self.filters is not None and any(
            self._params.get(field) for field in self.filters.fields
        )

    @property
    def is_ok(self) -> bool:
        """False where a filter names a fault."""
        return self.filters is None or not self.filters.errors

    @property
    def is_whole(self) -> bool:
        """All there is stands on this page."""
        return self._next is None and not self._params.get(self._cursor)

    @property
    def first_url(self) -> str:
        return self._url(**{self._cursor: None}) if self._params.get(self._cursor) else ""

    @property
    def next_url(self) -> str:
        return self._url(**{self._cursor: self._next}) if self._next else ""

    @property
    def csv_url(self) -> str:
        return self._url(csv=self.name, **{self._cursor: None})

    def _url(self, **changed: str | None) -> str:
        told = self._params.copy()
        told.pop("csrfmiddlewaretoken", None)  # of a list shown after a POST
        for name, value in changed.items():
            told.pop(name, None)
            if value is not None:
                told[name] = value
        return f"{self._path}?{told.urlencode()}"

    def as_csv(self) -> StreamingHttpResponse:
        """All that was found, not only this page."""
        found = self._found
        rows = found.iterator(chunk_size=CHUNK) if isinstance(found, QuerySet) else iter(found)
        return csv_stream(self.name, list(self.columns), self._lines(rows))

    def _lines(self, rows: Iterable[Any]) -> Iterator[list[Any]]:
        for row in rows:
            yield [
                _read(row, how) if isinstance(how, str) else how(row)
                for how in self.columns.values()
            ]


def _read(row: Any, path: str) -> Any:
    """`track.name` of a row, None where there is no track; a method of the row is called."""
    for name in path.split("."):
        row = getattr(row, name, None)
    return row() if callable(row) else row


def chosen(filters: forms.Form) -> dict[str, Any]:
    """The values of a filter that passed, else none."""
    return filters.cleaned_data if filters.is_bound and filters.is_valid() else {}
