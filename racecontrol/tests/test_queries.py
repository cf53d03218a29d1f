"""No page and no answer of the API asks the database once a row, or one question twice.

Every address is read with its room's samples, then again with three times the rows; by staff, and by
the same person without that. A new one joins by itself, with the sample its room's tests/matrix.py
gives.
"""

import re
from collections import Counter
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingestion.models import Event, RaceResult
from racecontrol.testing.matrix import api_operations, page_names, rooms_matrix
from racecontrol.testing.more_rows import Copies

pytestmark = pytest.mark.django_db


@pytest.fixture
def urls(staff, everything_on) -> dict[str, str]:
    """Every address that can be read, by name: pages and the API's."""
    samples = rooms_matrix(staff).samples
    found = {
        name: reverse(name, kwargs=samples.get(name, {}))
        for name, arguments in page_names()
        if not arguments or name in samples
    }
    for method, path in api_operations():
        name = f"api:{method} {path}"
        if method == "get" and (name in samples or "{" not in path):
            values = {key: quote(str(value)) for key, value in samples.get(name, {}).items()}
            found[name] = path.format(**values)
    return found


def ask(client, url) -> tuple[int, list[str]]:
    """(status, the queries as sent) of a read."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(url)
        if answer.streaming and not hasattr(answer.streaming_content, "__aiter__"):
            b"".join(answer.streaming_content)
    return answer.status_code, [query["sql"] for query in asked.captured_queries]


def shape_of(sql: str) -> str:
    """A query without its values."""
    return re.sub(r"'[^']*'|\d+", "?", sql)


def asked_twice(answers: dict[str, tuple[int, list[str]]]) -> list[str]:
    """Of the addresses that answered: where the same was read twice, word by word."""
    faults = []
    for name, (status, said) in answers.items():
        reads = Counter(sql for sql in said if sql.startswith("SELECT"))
        twice = sorted(sql[:200] for sql, times in reads.items() if times > 1)
        if status == 200 and twice:
            faults.append(f"{name} ({len(said)}): {twice}")
    return faults


def one_each(row) -> str:
    """A practice session has one driver: its result's copy belongs to the session's copy."""
    if isinstance(row, RaceResult) and row.race.event.kind == Event.Kind.PRACTICE_DAY:
        return "race"
    return ""


def test_three_times_the_rows_need_no_more_queries(boss, urls):
    before = {name: ask(boss, url) for name, url in urls.items()}
    readable = [name for name, (status, _) in before.items() if status == 200]
    added = Copies(one_each).make()
    assert sum(added.values()) > 500, f"hardly more rows than before: {added}"

    after = {name: ask(boss, urls[name]) for name in readable}
    faults = asked_twice(before) + asked_twice(after)
    for name, (status, said) in after.items():
        few, many = ([shape_of(sql) for sql in asked] for asked in (before[name][1], said))
        if status != 200 or len(many) > len(few):
            grown = sorted(
                shape[:160] for shape in set(many) if many.count(shape) > few.count(shape)
            )
            faults.append(f"{name}: {status}, {len(few)} queries became {len(many)}: {grown}")

    assert not faults, "\n".join(faults)
    assert len(readable) > 150


def test_nothing_is_asked_twice_for_somebody_who_is_not_staff(boss, urls, staff):
    staff.is_staff = staff.is_superuser = False
    staff.save()

    answers = {name: ask(boss, url) for name, url in urls.items()}

    assert not (faults := asked_twice(answers)), "\n".join(faults)
    assert sum(status == 200 for status, _ in answers.values()) > 150
