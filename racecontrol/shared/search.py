"""One search over everything a person may see.

Each room answers for its own rows: `settings.SEARCH_SOURCES` names functions
`(request, question) -> iterable of Group`, which find only what their room would show this person
anyway. Every word typed must begin a word of what is found; accents, capitals and the order of the
words do not matter.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import Any, Final, TypeVar

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Case, F, Func, Model, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string

CONFIG: Final = "simple"  # names are not English: no stemming, no stop words
LONGEST: Final = 100
MOST_WORDS: Final = 6
SHOWN: Final = 5
MOST_SHOWN: Final = 50
FARTHEST: Final = 5000  # what one may look through of a kind, page by page
COUNTED: Final = 100  # more are told as "99+"

Row = TypeVar("Row", bound=Model)

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]+")
# Letters that Unicode does not take apart into a letter and a mark.
_BARRED, _PLAIN = "øØłŁđĐ", "oOlLdD"


def folded(text: str) -> str:
    """Small letters without accents: 'Järvi-LØVE' -> 'jarvi-love'. `words_of` folds alike in SQL."""
    letters = unicodedata.normalize("NFKD", text).translate(str.maketrans(_BARRED, _PLAIN))
    return _MARKS.sub("", letters).lower()


def terms_of(words: str) -> tuple[str, ...]:
    """The words somebody typed, as they are compared; the first few count."""
    return tuple(_WORD.findall(folded(words)))[:MOST_WORDS]


def words_of(*fields: str | Combinable) -> SearchVector:
    """The words of columns as PostgreSQL's full text search indexes them: plain letters and digits,
    so that '1/10', 'A-Main' and O'DELL fall into the words people type, and Müller into muller.

    One expression for index and query: an index on an expression serves only the very same one.
    """
    return SearchVector(*(_plain(one) for one in fields), config=CONFIG)


def _plain(column: str | Combinable) -> Func:
    value = F(column) if isinstance(column, str) else column
    apart = Func(value, template="normalize(%(expressions)s, NFKD)", output_field=TextField())
    plain = Func(apart, Value(_BARRED), Value(_PLAIN), function="translate")
    return _replaced(_replaced(plain, "[\\u0300-\\u036f]+", ""), "[^[:alnum:]]+", " ")


def _replaced(value: Func, pattern: str, by: str) -> Func:
    return Func(
        value,
        Value(pattern),
        Value(by),
        Value("g"),
        function="regexp_replace",
        output_field=TextField(),
    )


def beginning_with(choices: Iterable[Iterable[str]]) -> SearchQuery:
    """Words in which each group of alternatives has one that begins a word."""
    either = ["(" + " | ".join(f"{one}:*" for one in group) + ")" for group in choices]
    return SearchQuery(" & ".join(either), search_type="raw", config=CONFIG)


def among(rows: QuerySet, terms: Collection[str], *fields: str | Combinable) -> QuerySet:
    """Those rows in whose columns every term begins a word; none without a term."""
    if not terms:
        return rows.none()
    query = beginning_with([term] for term in terms)
    return rows.alias(_words=words_of(*fields)).filter(_words=query)


def holding(rows: QuerySet[Row], words: str, *fields: str) -> QuerySet[Row]:
    """Those rows in which every word (the first few count) stands somewhere in one of the columns."""
    for word in words.split()[:MOST_WORDS]:
        rows = rows.filter(reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields)))
    return rows


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody looks for. `kinds` empty: everything. `is_forgiving`: nothing fits as typed.

    `skip`: how many of a kind were shown on the pages before.
    """

    words: str
    terms: tuple[str, ...]
    most: int = SHOWN
    kinds: frozenset[str] = frozenset()
    is_forgiving: bool = False
    skip: int = 0

    @classmethod
    def of(cls, words: str, *, kind: str = "", most: int = SHOWN, skip: str = "") -> "Question":
        words = " ".join(words.replace("\x00", " ").split())[:LONGEST]
        kinds = frozenset([kind]) if kind else frozenset()
        begin = min(int(skip), FARTHEST) if skip.isdecimal() and len(skip) < 8 else 0
        return cls(words, terms_of(words), most=most, kinds=kinds, skip=begin)

    def listed(self, url_name: str, part: str = "") -> str:
        """The list of its own that a kind has, filtered by these words."""
        return f"{reverse(url_name)}?{urlencode({'q': self.words})}{part}"

    def wants(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    def fits(self, text: str) -> bool:
        """Does every word typed begin a word of this text? For lists that are in no table."""
        words = _WORD.findall(folded(text))
        return all(any(word.startswith(term) for word in words) for term in self.terms)

    def nearest_first(self, name: str) -> Case:
        """Whole names before names that begin so before all others: the first thing to order by."""
        return Case(
            When(**{f"{name}__iexact": self.words}, then=0),
            When(**{f"{name}__istartswith": self.words}, then=1),
            default=2,
        )

    def distance(self, name: str) -> int:
        """As `nearest_first`, of a name that was found."""
        asked, found = folded(self.words), folded(name)
        return 0 if found == asked else 1 if found.startswith(asked) else 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: what it is called, what else tells it from its like, and where it is."""

    kind: str
    id: Any
    name: str
    detail: str
    url: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind, nearest first. `total` counts to 100 at most beyond what is shown.

    `more_url`: the list of its own that shows, pages and exports all of them.
    """

    kind: str
    title: str
    icon: str
    hits: tuple[Hit, ...]
    total: int = 0
    more_url: str = ""
    skip: int = 0

    @property
    def has_more(self) -> bool:
        return self.total > self.last

    @property
    def first(self) -> int:
        return self.skip + 1

    @property
    def last(self) -> int:
        return self.skip + len(self.hits)

    @property
    def total_text(self) -> str:
        return f"{self.total - 1}+" if self.total - self.skip >= COUNTED else str(self.total)


@dataclass(slots=True)
class Found:
    question: Question
    groups: list[Group] = field(default_factory=list)
    was_forgiving: bool = True

    @property
    def hits(self) -> list[Hit]:
        return [hit for group in self.groups for hit in group.hits]

    @property
    def in_words(self) -> str:
        """What a screen reader says when the list changed."""
        if not self.hits:
            return f"Nothing found for {self.question.words}"
        return f"{len(self.hits)} shown. Arrow keys move through them."


def group_of(
    question: Question,
    kind: str,
    title: str,
    icon: str,
    rows: QuerySet,
    hit: Callable[[Any], Hit],
    more_url: str = "",
) -> Iterator[Group]:
    """The group of these rows (already found, in their order), or none where there are none.

    One query, and a second to count (no further than 100) where more were found than are shown.
    """
    if not question.wants(kind):
        return
    skip = question.skip
    found = list(rows[skip : skip + question.most + 1])
    if not found:
        return
    total = skip + len(found)
    if len(found) > question.most:
        total = skip + rows.order_by().values("pk")[skip : skip + COUNTED].count()
    hits = tuple(hit(row) for row in found[: question.most])
    yield Group(kind, title, icon, hits, total, more_url, skip)


def search(request: HttpRequest, question: Question, *, forgives: bool = True) -> Found:
    """Everything that fits, the group with the nearest name first.

    Where nothing at all fits as typed slips of the fingers are forgiven. That looks at every word
    of every name, so whoever asks at each letter (the palette) does without.
    """
    found = _ask(request, question)
    if not found and question.terms and forgives:
        forgiving = replace(question, is_forgiving=True)
        found = _ask(request, forgiving)
    if question.terms:
        found.sort(key=lambda group: min(question.distance(hit.name) for hit in group.hits))
    return Found(question, found, forgives)


def _ask(request: HttpRequest, question: Question) -> list[Group]:
    sources = [import_string(name) for name in settings.SEARCH_SOURCES]
    return [group for source in sources for group in source(request, question)]
