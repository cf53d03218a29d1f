"""Today's readers over yesterday's pages: without a request, and only what differs is written."""

from io import StringIO

import pytest
from django.core.management import call_command

from ingestion.models import FetchLog, Lap, Race, RaceResult, StoredPage
from ingestion.services.reparse import reparse
from ingestion.tests.builders import import_demo

pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(site):
    import_demo()
    return site


def test_the_same_readers_change_nothing_and_ask_nothing(imported):
    asked, before = FetchLog.objects.count(), list(Race.objects.order_by("pk").values())

    summary = reparse()

    assert summary.read["race_result"] == Race.objects.count()
    assert (summary.saved, sum(summary.changed.values()), summary.failed) == (0, 0, [])
    assert FetchLog.objects.count() == asked
    assert list(Race.objects.order_by("pk").values()) == before


def test_what_an_older_reader_got_wrong_is_mended_from_the_store(imported):
    race = Race.objects.filter(main="A").first()
    result = race.results.order_by("position").first()
    right = result.total_ms
    fetched_at = race.fetched_at
    RaceResult.objects.filter(pk=result.pk).update(total_ms=1)
    Lap.objects.filter(result=result).delete()
    Race.objects.filter(pk=race.pk).update(parsed_hash="older")

    assert reparse(kind="race_result", dry_run=True).saved == 0
    assert reparse(kind="race_result").saved == 1

    result.refresh_from_db()
    race.refresh_from_db()
    assert result.total_ms == right
    assert Lap.objects.filter(result=result).count() == result.laps
    assert race.fetched_at == fetched_at


def test_a_page_that_cannot_be_read_is_named_and_left(imported):
    import zlib

    page = StoredPage.objects.filter(kind="race_result").first()
    StoredPage.objects.filter(pk=page.pk).update(body=zlib.compress(b"<html>changed</html>"))
    err, out = StringIO(), StringIO()

    call_command("reparse", stdout=out, stderr=err)

    assert page.url in err.getvalue()
    assert "1 unreadable" in out.getvalue()
    assert Race.objects.filter(state="failed").count() == 0
