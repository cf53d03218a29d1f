"""Timing in the search over everything: words begin words, slips are forgiven, the index is used."""

from datetime import date

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from ingestion.domain.spelling import likely_words, slips
from ingestion.models import Driver, DriverAlias, Event, PracticeDay, Race, Track
from ingestion.queries.search import NEWEST_EVENTS
from ingestion.tests.builders import make_driver, make_event, make_race, make_track
from racecontrol.shared.names import format_name
from racecontrol.shared.search import among
from racecontrol.testing.pages import Page


@pytest.fixture
def found(client, practice_on):
    """(kind, name) of everything the API finds in timing, in its order."""

    def find(words: str) -> list[tuple[str, str]]:
        hits = client.get("/api/v1/search", {"q": words}).json()
        return [(hit["kind"], hit["name"]) for hit in hits if hit["kind"] != "page"]

    return find


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


def test_words_begin_words_of_any_kind(found):
    track = make_track("harvestpark", name="Harvest Raceway", city="Bendigo")
    event = make_event(track=track, name="Spring Cup '26")
    make_race(event=event, label="1/10 4WD Buggy A-Main")
    make_race(
        event=event, label="Practice of O'Dell", class_name="Open", source=Race.Source.PRACTICE
    )
    make_driver("PERRIN O'DELL")

    assert found("bend") == [("track", "Harvest Raceway"), ("event", "Spring Cup '26")]
    assert found("cup spring") == [("event", "Spring Cup '26")]
    assert found("1/10 bug") == [("race", "1/10 4WD Buggy A-Main"), ("class", "1/10 4WD Buggy")]
    assert found("o'dell") == [
        ("driver", "Perrin O'Dell"),
        ("practice_session", "Practice of O'Dell"),
    ]


def test_accents_and_capitals_make_no_difference(found):
    make_driver("JÖRG MÜLLER-SØRENSEN")
    make_track("aland", name="Åland Ring", city="Mariehamn")
    make_event(track=make_track("polska"), name="Puchar Łódź")

    assert found("jorg muller") == found("Müller JÖRG") == [("driver", "Jörg Müller-Sørensen")]
    assert found("sorensen") == found("Sørensen") == [("driver", "Jörg Müller-Sørensen")]
    assert found("aland") == [("track", "Åland Ring")]
    assert found("lodz") == [("event", "Puchar Łódź")]


def test_words_may_be_shared_by_a_race_and_its_event_or_an_event_and_its_track(found):
    hill = make_track("hillside", name="Hillside")
    old = make_event(track=hill, name="Winter Series 3", day=date(2021, 7, 4))
    make_race(event=old, label="Truggy A-Main")
    make_race(event=old, label="Buggy B-Main")
    make_event(track=make_track("lowland"), name="Winter Series 4")
    for _ in range(NEWEST_EVENTS):
        make_event(name="Club Day")

    assert found("winter truggy") == [("race", "Truggy A-Main")]
    assert found("a-main winter series") == [("race", "Truggy A-Main")]
    assert found("hillside winter") == [("event", "Winter Series 3")]
    assert found("winter buggy a-main") == []


def test_a_label_alone_finds_races_of_the_newest_events_only(found):
    old = make_race(event=make_event(day=date(2020, 1, 5)), label="Stadium A-Main")
    for _ in range(NEWEST_EVENTS):
        make_event(name="Club Day")
    make_race(event=make_event(day=date(2026, 11, 15)), label="Stadium B-Main")

    assert [hit for hit in found("stadium") if hit[0] == "race"] == [("race", "Stadium B-Main")]
    assert old.label not in str(found("stadium main"))


def test_the_nearest_name_comes_first(found):
    make_driver("NOAH LEE")
    make_driver("LEE NOAKES")
    make_driver("LEE")
    make_event(name="Noah's Ark Enduro")

    assert found("lee")[0] == ("driver", "Lee")
    assert found("lee no") == [("driver", "Lee Noakes"), ("driver", "Noah Lee")]
    assert found("noah") == [("event", "Noah's Ark Enduro"), ("driver", "Noah Lee")]


def test_slips_are_forgiven_where_nothing_fits_as_typed(found):
    make_driver("MARTINA KOWALSKI")
    make_driver("MARTIN KOVACS")
    make_track("silverlake", name="Silverlake")

    assert found("kowalksi") == [("driver", "Martina Kowalski")]
    assert found("martina kowlaski") == [("driver", "Martina Kowalski")]
    assert found("slverlake") == [("track", "Silverlake")]
    assert found("verlak") == [("track", "Silverlake")]
    assert found("zzzzzzzz") == []


def test_a_driver_is_found_by_old_name_and_number_but_not_after_a_merge_twice(found):
    kept = make_driver("ANNA LANE")
    gone = make_driver("ANNA LAYNE")
    Driver.objects.filter(pk=gone.pk).update(merged_into=kept)
    DriverAlias.objects.create(
        driver=kept, merged_driver=gone, name=gone.name, name_key="anna layne"
    )

    assert found("layne") == found(kept.source_driver_id) == [("driver", "Anna Lane")]


def test_archived_days_and_what_the_source_took_back_stay_out(found):
    day = make_event(name="Practice at Dell", kind=Event.Kind.PRACTICE_DAY)
    PracticeDay.objects.create(event=day, archived_at=now())
    make_race(event=day, label="Practice of Dell", source=Race.Source.PRACTICE)
    make_race(label="Dellwood A-Main", missing_since=now())

    assert found("dell") == [("class", "Dellwood")]


@pytest.mark.django_db
def test_practice_stays_out_while_it_is_off(client):
    day = make_event(name="Practice at Dell", kind=Event.Kind.PRACTICE_DAY)
    PracticeDay.objects.create(event=day)
    make_race(event=day, label="Practice of Dell", source=Race.Source.PRACTICE)

    assert client.get("/api/v1/search", {"q": "dell"}).json() == []


@pytest.mark.parametrize("words", ["'", "\\", "&|!():*", "a\x00b", "%", "", "<->", "🏁", "x" * 100])
def test_what_nobody_means_is_no_error(words, client, practice_on):
    make_driver("ANNA LANE")

    # A zero byte is no text: the middleware refuses it before any page is asked.
    wanted = 400 if "\x00" in words else 200
    assert client.get("/search/", {"q": words}).status_code == wanted
    assert client.get("/api/v1/search", {"q": words}).status_code == wanted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "columns", "index"),
    [
        (Driver.objects.all(), ["name"], "driver_words"),
        (Event.objects.all(), ["name"], "event_words"),
        (Track.objects.all(), ["name", "slug", "city"], "track_words"),
    ],
)
def test_the_index_serves_the_search(rows, columns, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert index in among(rows, ["kowal"], *columns).order_by().explain()


@pytest.mark.parametrize(
    ("words", "name", "list_name"),
    [
        ("muller", "JÖRG MÜLLER", "ingestion:drivers"),
        ("aland", "Åland Ring", "ingestion:tracks"),
        ("lodz", "Puchar Łódź", "ingestion:home"),
    ],
)
def test_the_list_behind_all_of_them_shows_what_was_found(client, words, name, list_name, db):
    make_driver("JÖRG MÜLLER")
    make_event(track=make_track("aland", name="Åland Ring"), name="Puchar Łódź")

    listed = Page(client.get(reverse(list_name), {"q": words})).text("main")

    assert format_name(name) in listed


def test_the_old_address_leads_to_the_search_over_everything(client, practice_on):
    race = make_race(label="Practice of Ida Moe", class_name="Open", source=Race.Source.PRACTICE)

    shown = client.get(reverse("ingestion:search"), {"q": "ida"}, follow=True)

    assert shown.redirect_chain == [("/search/?q=ida", 302)]
    assert reverse("ingestion:practice-session", args=[race.pk]) in shown.text
