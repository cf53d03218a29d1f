"""One search: words begin words, slips are forgiven, and the index is used."""

import pytest
from django.db import connection
from django.urls import reverse

from ingestion.domain.spelling import likely_words, slips
from ingestion.models import Driver, DriverAlias, Race
from ingestion.queries.search import search_everything
from ingestion.tests.builders import make_driver, make_event, make_race, make_track


def found(words: str) -> set[tuple[str, str]]:
    return {(hit.kind, hit.name) for hit in search_everything(words)}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("buggy", "buggy", 0), ("bugy", "buggy", 1), ("bugyg", "buggy", 1), ("buggies", "buggy", 3)],
)
def test_slips_are_counted(a, b, expected):
    assert slips(a, b, most=3) == slips(b, a, most=3) == expected
    assert slips(a, b, most=1) == min(expected, 2)


def test_short_words_are_taken_as_typed_and_the_nearest_comes_first():
    assert likely_words("cup", ["cap", "cop"]) == []
    assert likely_words("harvset", ["harvest", "harness", "harvester"]) == ["harvest"]


@pytest.mark.django_db
def test_words_begin_words_of_any_kind():
    track = make_track("harvestpark", name="Harvest Raceway", city="Bendigo")
    event = make_event(track=track, name="Spring Cup '26")
    make_race(event=event, label="1/10 4WD Buggy A-Main")
    make_race(
        event=event, label="Practice of O'Dell", class_name="Open", source=Race.Source.PRACTICE
    )
    make_driver("PERRIN O'DELL")

    assert found("bend") == {("track", "Harvest Raceway")}
    assert found("cup spring") == {("event", "Spring Cup '26")}
    assert found("1/10 bug") == {("class", "1/10 4WD Buggy")}
    assert found("o'dell") == {
        ("driver", "PERRIN O'DELL"),
        ("practice_session", "Practice of O'Dell"),
    }


@pytest.mark.django_db
def test_slips_are_forgiven_where_nothing_fits_as_typed():
    make_driver("MARTINA KOWALSKI")
    make_driver("MARTIN KOVACS")
    make_track("silverlake", name="Silverlake")

    assert found("kowalksi") == {("driver", "MARTINA KOWALSKI")}
    assert found("martina kowlaski") == {("driver", "MARTINA KOWALSKI")}
    assert found("slverlake") == {("track", "Silverlake")}
    assert found("verlak") == {("track", "Silverlake")}
    assert found("zzzzzzzz") == set()


@pytest.mark.django_db
def test_a_driver_is_found_by_old_name_and_number_but_not_after_a_merge_twice():
    kept = make_driver("ANNA LANE")
    gone = make_driver("ANNA LAYNE")
    Driver.objects.filter(pk=gone.pk).update(merged_into=kept)
    DriverAlias.objects.create(
        driver=kept, merged_driver=gone, name=gone.name, name_key="anna layne"
    )

    assert found("layne") == found(kept.source_driver_id) == {("driver", "ANNA LANE")}


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["'", "\\", "&|!():*", "a\x00b", "%", "", "<->", "🏁", "x" * 100])
def test_what_nobody_means_is_no_error(words, client):
    search_everything(words)

    assert client.get(reverse("ingestion:search"), {"q": words}).status_code in (200, 400)


@pytest.mark.django_db
def test_the_index_serves_the_search():
    from django.contrib.postgres.search import SearchQuery

    from ingestion.models._search import words_of

    rows = Driver.objects.alias(_words=words_of("name")).filter(
        _words=SearchQuery("kowal:*", search_type="raw", config="simple")
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "driver_words" in rows.order_by().explain()


@pytest.mark.django_db
def test_the_api_and_the_page_lead_to_practice_sessions(client, practice_on):
    race = make_race(label="Practice of Ida Moe", class_name="Open", source=Race.Source.PRACTICE)

    hits = client.get("/api/v1/search", {"q": "ida"}).json()
    shown = client.get(reverse("ingestion:search"), {"q": "ida"}).text

    assert [(hit["kind"], hit["id"]) for hit in hits] == [("practice_session", race.pk)]
    assert reverse("ingestion:practice-session", args=[race.pk]) in shown
