"""Timing pages: what they show, swap equals reload, bad forms, and a fixed number of queries."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils.timezone import now

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Event, FavouriteTrack, Race, RaceResult
from ingestion.queries.drivers import field_of
from ingestion.tests.builders import (
    import_demo,
    make_driver,
    make_event,
    make_race,
    make_result,
    make_track,
)
from racecontrol.testing.pages import HTMX, Page, queries_of

pytestmark = pytest.mark.django_db
EVENT = str(DEMO_EVENT_ID)


def test_a_person_finds_imports_and_opens_an_event(client, site, run_jobs):
    days = {"track": DEMO, "first": "2026-11-01", "last": "2026-11-30"}

    asked = client.post(reverse("ingestion:discover"), days)
    assert asked.status_code == 302
    assert "2026 Redgum Grand Prix" in Page(client.get(asked.url)).text("events-found")

    client.post(reverse("ingestion:import"), {"event": [EVENT]})
    run_jobs()

    event = Event.objects.get(source_event_id=EVENT)
    assert event.state == "imported"
    page = Page(client.get(reverse("ingestion:event", args=[event.pk])))
    assert "A-Main" in page.text("event-races")
    final = event.races.get(main="A", label__contains="Nitro")
    winner = final.results.get(position=1)
    shown = client.get(reverse("ingestion:race", args=[final.pk]))
    assert winner.driver_name.title() in shown.content.decode()
    assert shown.content.decode().count("<svg") >= 6
    assert client.get(reverse("ingestion:driver", args=[winner.driver_id])).status_code == 200


def test_asking_liverc_needs_a_track_and_at_most_three_months(client, site):
    url = reverse("ingestion:discover")

    too_long = client.post(url, {"track": DEMO, "first": "2026-01-01", "last": "2026-11-30"})
    no_days = client.post(url, {"track": DEMO})

    assert too_long.status_code == no_days.status_code == 422
    assert "At most 3 months" in too_long.content.decode()
    assert site.hits == {}


def test_an_import_that_strains_the_budget_asks_first(client, site, settings, queued):
    settings.LIVERC_PER_DAY = 40
    event = make_event(state="listed")
    url = reverse("ingestion:import")

    asked = client.post(url, {"event": [event.source_event_id]})
    assert "Import anyway?" in asked.content.decode()
    assert queued() == []

    client.post(url, {"event": [event.source_event_id], "confirmed": "1"})
    assert [func for func, _ in queued()] == ["ingestion.tasks.run_import_event"]


def test_the_swapped_laps_are_what_a_reload_shows(client):
    race = make_race()
    first = make_result(race, [31_000, 30_500, 45_000], position=1)
    make_result(race, [31_500, 30_900], position=2)
    url = reverse("ingestion:race", args=[race.pk]) + f"?driver={first.driver_id}"

    swapped = client.get(url, headers=HTMX | {"HX-Target": "race-laps"})

    assert b"<html" not in swapped.content
    assert Page(swapped).part("race-laps") == Page(client.get(url)).part("race-laps")


def test_a_race_page_asks_the_same_number_of_queries_whatever_its_size(client):
    small, large = make_race(), make_race()
    make_result(small, [30_000] * 3)
    for position in range(1, 13):
        make_result(large, [30_000 + position] * 40, position=position)
    urls = [reverse("ingestion:race", args=[race.pk]) for race in (small, large)]

    assert len({queries_of(client, url) for url in urls}) == 1


def test_a_driver_keeps_colour_and_dash_from_race_to_race_of_the_class(client):
    event, ann, bea = make_event(), make_driver("ANN"), make_driver("BEA")
    heat = make_race(event=event, label="Buggy Heat 1", class_name="Buggy")
    final = make_race(event=event, label="Buggy A-Main", class_name="Buggy")
    for race, order in ((heat, (ann, bea)), (final, (bea, ann))):
        for position, driver in enumerate(order, start=1):
            make_result(race, [30_000, 30_100], driver=driver, position=position)

    def lines(race) -> dict[str, str]:
        soup = BeautifulSoup(
            client.get(reverse("ingestion:race", args=[race.pk])).text, "html.parser"
        )
        beside = {
            label.text.split(". ")[1].strip(): label.svg["class"][1]
            for label in soup.select("label:has(svg.pen)")
        }
        drawn = {
            label.title.text: next(one for one in label["class"] if one[0] == "c")
            for label in soup.select("#chart-lap-times .chart-wide .series-label")
        }
        assert drawn == beside
        return drawn

    assert lines(heat) == lines(final) == {"Ann": "c0", "Bea": "c1"}


def test_a_driver_page_asks_the_same_number_of_queries_however_long_the_career(client):
    track = make_track("career")
    rookie, veteran = make_driver(), make_driver()
    for n in range(12):
        race = make_race(event=make_event(track=track))
        make_result(race, [30_000, 29_900 - n], driver=veteran)
        if n == 0:
            make_result(race, [31_000, 30_900], driver=rookie, position=2)
    urls = [reverse("ingestion:driver", args=[one.pk]) for one in (rookie, veteran)]

    assert len({queries_of(client, url) for url in urls}) == 1


def test_a_race_is_taken_out_as_csv_without_formulas(client):
    race = make_race()
    make_result(race, [31_000], driver=make_driver("=HYPERLINK(1)"))

    text = client.get(reverse("ingestion:race-csv", args=[race.pk])).content.decode()

    assert "'=HYPERLINK(1)" in text
    assert "31000" in text
    laps = client.get(reverse("ingestion:laps-csv", args=[race.pk])).content.decode()
    assert laps.splitlines()[1].endswith(",1,31000,1,True")


def test_favourites_are_ones_own(client, user, other):
    track = make_track("liked")

    client.post(reverse("ingestion:favourite", args=[track.pk]), {"on": "1"})
    client.post(reverse("ingestion:favourite", args=[track.pk]), {"on": "1"})

    assert list(FavouriteTrack.objects.values_list("user", flat=True)) == [user.pk]
    client.post(reverse("ingestion:favourite", args=[track.pk]), {"on": "0"})
    assert not FavouriteTrack.objects.exists()


def test_the_way_back_of_a_form_stays_in_this_room(client):
    event = make_event(state="listed")

    answer = client.post(
        reverse("ingestion:import"),
        {"event": [event.source_event_id], "next": "https://elsewhere.example/"},
    )

    assert answer.url == reverse("ingestion:home")


def test_the_event_page_says_who_won_and_filters(client):
    event = make_event()
    final = make_race(event=event, label="Buggy A-Main")
    heat = make_race(event=event, label="Truggy (Heat 1/2)", round_label="Qualifier Round 1")
    make_result(final, [31_000, 30_000], driver=make_driver("ANNA FAST"))
    url = reverse("ingestion:event", args=[event.pk])

    page = client.get(url).content.decode()
    assert "Anna Fast" in page

    filtered = Page(client.get(url, {"class": str(heat.race_class_id)})).text("event-races")
    assert "Truggy (Heat 1/2)" in filtered
    assert "Buggy A-Main" not in filtered.split("Filter", 1)[1]


def test_a_withdrawn_race_says_so(client, site):
    import_demo()
    race = Race.objects.filter(results__isnull=False).first()
    site.change(op="remove", race_id=int(race.source_race_id))
    import_demo()

    assert (
        b"no longer lists this race"
        in client.get(reverse("ingestion:race", args=[race.pk])).content
    )
    assert RaceResult.objects.filter(race=race).exists()


def test_a_costly_refresh_is_asked_about_before_it_is_queued(client, settings, queued):
    settings.LIVERC_PER_DAY = 5
    event = make_race().event
    for _ in range(3):
        make_race(event=event)
    url = f"/timing/events/{event.pk}/refresh/"

    asked = client.post(url, {"all": "1"})

    assert "This import takes about 6 requests" in asked.text
    assert f'action="{url}"' in asked.text
    assert 'name="all"' in asked.text
    assert queued() == []

    client.post(url, {"all": "1", "confirmed": "1"})

    assert [args[0] for _, args in queued()] == [event.source_event_id]
    assert queued()[0][1][2] is True


def test_withdrawn_races_count_in_no_figure(client):
    race = make_race()
    result = make_result(race, [31_000, 30_000])
    driver = result.driver
    assert "30.000" in client.get(f"/timing/tracks/{race.event.track_id}/").text

    race.missing_since = now()
    race.save()

    assert "30.000" not in client.get(f"/timing/tracks/{race.event.track_id}/").text
    assert "30.000" not in client.get(f"/timing/events/{race.event_id}/").text
    assert field_of(driver.pk)["races"] == 0
