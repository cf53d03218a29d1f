"""Practice days as pages: found, imported, looked at, and hidden while the flag is off."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now
from waffle.models import Flag

from ingestion.models import Event, Lap, PracticeDrift, PracticeSession, RaceResult
from ingestion.tests.builders import make_driver, make_event, make_race, make_track
from ingestion.tests.practice_builders import make_practice_day, make_practice_session
from ingestion.tests.practice_days import DAY_ID, DEMO
from racecontrol.shared.jobs import Job
from racecontrol.testing.pages import HTMX, Page, queries_of

pytestmark = pytest.mark.django_db

ANA = [41_000, 40_500, 40_800, 40_600, 40_700]


@pytest.fixture
def day(practice_on):
    return make_practice_day(figures={"total_laps": 8, "track_time_ms": 330_000, "sessions": 3})


def url(name: str, *args) -> str:
    return reverse(f"ingestion:{name}", args=args)


def text(client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content[:500]
    return " ".join(Page(response).text("main").split())


def make_sessions(event: Event) -> dict[str, PracticeSession]:
    ana, ben = make_driver("ANA ROSSI"), make_driver("BEN OKAFOR")
    return {
        "ana": make_practice_session(event, ANA, driver=ana),
        "ana later": make_practice_session(event, [40_100, 40_200, 40_900], driver=ana),
        "ben": make_practice_session(event, [43_000, 42_500], driver=ben, class_name="1/10 Open"),
        "nobody": make_practice_session(event, driver_name="Unknown Driver", fast_lap_ms=30_000),
    }


# -- the flag


def practice_urls(event: Event, session: PracticeSession) -> list[str]:
    driver_id = session.race.results.get().driver_id
    return [
        url("practice"),
        url("practice-day", event.pk),
        url("practice-session", session.race_id),
        url("practice-session-csv", session.race_id),
        url("practice-driver-day", event.pk, driver_id),
        url("practice-driver-days", driver_id, event.track_id),
        url("practice-class-day", event.pk, session.race.race_class_id),
    ]


def test_while_the_flag_is_off_nothing_of_practice_is_seen(client):
    event = make_practice_day()
    session = make_practice_session(event, ANA, driver=make_driver("ANA ROSSI"))
    driver_id = session.race.results.get().driver_id

    for address in practice_urls(event, session):
        assert client.get(address).status_code == 404, address
    for name in ("practice-discover", "practice-import"):
        assert client.post(url(name)).status_code == 404
    assert client.post(url("practice-refresh", event.pk)).status_code == 404
    assert client.get(url("event", event.pk)).status_code == 404
    assert client.get(url("event-csv", event.pk)).status_code == 404
    for name in ("race", "race-csv", "laps-csv"):
        assert client.get(url(name, session.race_id)).status_code == 404
    assert event.name not in text(client, "/")
    assert "Practice days" not in text(client, url("home"))
    assert event.name not in text(client, url("track", event.track_id))
    assert event.name not in text(client, f"{reverse('search')}?q=practice")
    assert "Compare" not in text(client, url("driver", driver_id))


def test_the_flag_can_be_on_for_one_person(client, user, other, stranger):
    flag, _ = Flag.objects.get_or_create(name="ENABLE_PRACTICE_DAYS")
    flag.users.add(user)
    flag.flush()
    stranger.force_login(other)

    assert client.get(url("practice")).status_code == 200
    assert stranger.get(url("practice")).status_code == 404


def test_with_it_on_the_event_search_only_gains_the_switch(client, practice_on):
    make_event(name="Spring Cup")
    make_practice_day()
    shown = Page(client.get(url("home"))).part("events-found")
    flag = Flag.objects.get(name="ENABLE_PRACTICE_DAYS")
    flag.everyone = False
    flag.save()

    assert Page(client.get(url("home"))).part("events-found") == shown
    assert "Practice Day" not in str(shown)


# -- finding and asking


def test_days_are_found_by_track_days_and_words(client, practice_on):
    here, there = make_track("here"), make_track("there")
    wanted = make_practice_day(track=here, day=date(2026, 10, 4))
    make_practice_day(track=here, day=date(2026, 8, 1))
    make_practice_day(track=there, day=date(2026, 10, 4))

    page = client.get(f"{url('practice')}?track=here&first=2026-10-01&last=2026-10-31")

    shown = Page(page).text("practice-found")
    assert "Sun 4 Oct 2026" in shown
    assert "1 Aug" not in shown
    assert "There" not in shown
    assert url("practice-day", wanted.pk) in page.content.decode()
    assert text(client, f"{url('practice')}?q=zebra").count("No practice day here fits") == 1


def test_archived_days_are_shown_when_asked_for(client, day):
    day.practice_day.archived_at = now()
    day.practice_day.save()

    assert "13 Nov 2026" not in text(client, url("practice"))
    assert "archived" in text(client, f"{url('practice')}?archived=on")
    assert day.name in text(client, url("practice-day", day.pk))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"track": "", "first": "2026-10-01", "last": "2026-10-05"}, "track"),
        ({"track": DEMO, "first": "", "last": "2026-10-05"}, "day"),
        ({"track": DEMO, "first": "2026-06-01", "last": "2026-10-05"}, "three months"),
        ({"track": DEMO, "first": "2026-10-05", "last": "2026-10-01"}, "before the first"),
    ],
)
def test_liverc_is_asked_only_for_a_track_and_three_months(client, practice_on, values, words):
    make_track(DEMO)
    response = client.post(url("practice-discover"), values)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Job.objects.exists()


def test_a_discovery_runs_and_its_days_are_imported(client, site, practice_on, run_jobs):
    day = date.fromisoformat(DAY_ID[-10:])
    asked = client.post(
        url("practice-discover"),
        {"track": DEMO, "first": day - timedelta(days=3), "last": day},
        follow=True,
    )
    assert "Asking LiveRC" in asked.content.decode()

    run_jobs()
    listed = client.get(asked.request["PATH_INFO"] + "?" + asked.request["QUERY_STRING"])
    assert "LiveRC was asked" in listed.content.decode()
    assert DAY_ID in listed.content.decode()
    client.post(url("practice-import"), {"only": DAY_ID})
    run_jobs()

    event = Event.objects.get(source_event_id=DAY_ID)
    shown = text(client, url("practice-day", event.pk))
    assert event.state == "imported"
    assert "Leaderboard" in shown
    assert "Laps by class" in shown
    for result in RaceResult.objects.filter(race__event=event):
        assert client.get(url("practice-session", result.race_id)).status_code == 200


def test_ticked_days_and_a_whole_range_are_one_job(client, practice_on, settings):
    settings.LIVERC_PER_DAY = 1_000
    track = make_track("here")
    days = [make_practice_day(track=track, day=date(2026, 10, n)) for n in (3, 4, 5)]

    client.post(url("practice-import"), {"day": [days[0].source_event_id, days[2].source_event_id]})
    job = Job.objects.get()
    assert job.args[0] == [days[0].source_event_id, days[2].source_event_id]
    Event.objects.update(state="listed")
    shown = text(client, url("practice"))
    assert shown.count("Import 2 practice days") == 1
    assert shown.count("being imported") == 2
    Job.objects.all().delete()
    client.post(url("practice-import"), {"range": "track=here&first=2026-10-01&last=2026-10-31"})
    assert len(Job.objects.get().args[0]) == 3


@pytest.mark.parametrize("sent", [{}, {"only": "nonsense"}, {"range": "track=&first=x"}])
def test_an_import_of_nothing_is_refused_in_words(client, practice_on, sent):
    response = client.post(url("practice-import"), sent, follow=True)

    assert response.status_code == 200
    assert not Job.objects.exists()
    assert "notice" in str(Page(response).part("notices"))


def test_an_import_that_strains_the_budget_asks_first(client, settings, day):
    settings.LIVERC_PER_DAY = 10
    response = client.post(url("practice-import"), {"only": day.source_event_id})
    assert "Import 1 practice day?" in response.content.decode()
    assert not Job.objects.exists()

    client.post(url("practice-import"), {"day": day.source_event_id, "confirmed": "1"})

    assert Job.objects.count() == 1


# -- a day


def test_the_day_page_shows_places_classes_and_sessions(client, day):
    made = make_sessions(day)

    page = Page(client.get(url("practice-day", day.pk)))

    leaders = " ".join(page.text("practice-leaders").split())
    assert leaders.index("Ana Rossi") < leaders.index("Ben Okafor")
    assert "40.100" in leaders
    assert "Unknown" not in leaders
    assert "+2.400" in leaders
    sessions = " ".join(page.text("practice-sessions").split())
    assert sessions.count("imported") >= 3
    assert "listed" in sessions
    assert made["ben"].class_name in sessions


def test_the_leaderboard_is_told_by_class(client, day):
    make_sessions(day)

    shown = Page(client.get(f"{url('practice-day', day.pk)}?class_key=1/10 open"))

    assert "Ben Okafor" in shown.text("practice-leaders")
    assert "Ana Rossi" not in shown.text("practice-leaders")
    assert "Ana Rossi" not in shown.text("practice-sessions").split("all states")[1]


def test_sessions_are_filtered_and_nonsense_is_ignored(client, day):
    made = make_sessions(day)
    driver_id = made["ben"].race.results.get().driver_id
    here = url("practice-day", day.pk)

    mine = Page(client.get(f"{here}?driver={driver_id}")).part("practice-sessions")
    listed = Page(client.get(f"{here}?state=listed")).part("practice-sessions")

    assert str(mine).count('<th scope="row">') == 1
    assert str(listed).count('<th scope="row">') == 1
    assert client.get(f"{here}?driver=x&state=y&class_key=z").status_code == 200


def test_livercs_own_figures_stand_where_they_differ(client, day):
    day.practice_day.source_total_laps = 11
    day.practice_day.source_track_time_ms = 330_400
    day.practice_day.save()

    shown = text(client, url("practice-day", day.pk))

    assert "Where LiveRC counts otherwise" in shown
    assert "Laps 8 11" in shown
    assert "Track time 5:30 5:30" not in shown


def test_a_failed_session_is_tried_again_alone(client, day):
    session = make_practice_session(day, failure="HTTP 500", failed_at=now(), attempts=2)
    assert "HTTP 500" in text(client, url("practice-day", day.pk))

    client.post(url("practice-session-retry", session.pk))

    assert session.driver_name in Job.objects.get().title


def test_drift_removed_sessions_and_guessed_drivers_are_told(client, day):
    PracticeDrift.objects.create(event=day, found_at=now(), ingested_at=now(), new=2, removed=1)
    make_practice_session(day, ANA, missing_since=now())
    make_practice_session(day, ANA, match_confidence="low", match_method="ambiguous")

    shown = text(client, url("practice-day", day.pk))

    assert "2 new, 0 changed, 1 removed" in shown
    assert "removed at LiveRC" in shown
    assert "1 session whose driver is a guess" in shown


def test_refresh_queues_one_import(client, day):
    client.post(url("practice-refresh", day.pk))
    client.post(url("practice-refresh", day.pk))

    assert Job.objects.get().title.startswith("Import")
    assert "Reload the figures" in text(client, url("practice-day", day.pk))


def test_a_swapped_part_is_what_a_reload_shows(client, day):
    make_sessions(day)
    here = url("practice-day", day.pk)
    for part in ("practice-sessions", "practice-leaders", "practice-state"):
        swapped = client.get(here, headers=HTMX | {"HX-Target": part})
        assert Page(swapped).part(part) == Page(client.get(here)).part(part)
    found = client.get(url("practice"), headers=HTMX | {"HX-Target": "practice-found"})
    whole = client.get(url("practice"))
    assert Page(found).part("practice-found") == Page(whole).part("practice-found")


# -- a session


def test_a_session_marks_laps_in_words_and_signs(client, day):
    session = make_practice_session(day, [41_000, 12_000, 40_000, 42_000, 40_500, 41_500])
    Lap.objects.filter(result__race=session.race, number=2).update(is_valid=False)

    shown = text(client, url("practice-session", session.race_id))

    assert "× 12.000 – " in shown
    assert "does not count 3 ◆ 40.000" in shown
    assert shown.count("best lap") > shown.count("◆ best lap")
    assert "Best 5 41.000" in shown
    assert "By the clock" in shown


def test_livercs_average_stands_beside_ours_where_it_differs(client, day):
    session = make_practice_session(day, [40_000, 42_000])
    assert "LiveRC says" not in text(client, url("practice-session", session.race_id))
    RaceResult.objects.filter(race=session.race).update(avg_lap_ms=45_000)

    assert "Average 41.000 45.000 Best 5 – the same" in text(
        client, url("practice-session", session.race_id)
    )


def test_a_sessions_laps_go_out_as_csv(client, day):
    session = make_practice_session(day, [40_000, 42_000], driver=make_driver("=CMD()"))

    lines = client.get(url("practice-session-csv", session.race_id)).content.decode().split("\r\n")

    assert lines[0] == "driver_name,transponder,lap,lap_ms,crossed_at,is_valid"
    assert lines[1].startswith("'=CMD(),")
    assert ",1,40000,2026-11-13T" in lines[1]
    assert lines[2].endswith("True")


def test_staff_say_who_drove_and_others_may_not(client, day, staff, stranger):
    session = make_practice_session(day, ANA)
    meant = make_driver("CLEO MARSH")
    stranger.force_login(staff)
    address = url("practice-session-driver", session.pk)

    assert client.post(address, {"driver": meant.pk}).status_code == 403
    stranger.post(address, {"driver": meant.pk})

    assert RaceResult.objects.get(race=session.race).driver == meant
    assert "said by a person" in text(client, url("practice-session", session.race_id))
    told = stranger.post(address, {"driver": "Nemo"}, follow=True)
    assert "Nobody here is called Nemo" in told.content.decode()
    assert f"CLEO MARSH #{meant.pk}" in told.content.decode()
    assert RaceResult.objects.get(race=session.race).driver == meant


def test_a_driver_is_named_in_three_ways(client, day, staff, stranger):
    session = make_practice_session(day, ANA)
    ana, ben = make_driver("ANA ROSSI"), make_driver("BEN OKAFOR")
    stranger.force_login(staff)
    address = url("practice-session-driver", session.pk)

    for words, driver in (("ana rossi", ana), (f"BEN OKAFOR #{ben.pk}", ben), (str(ana.pk), ana)):
        stranger.post(address, {"driver": words, "whole_day": "on"})
        assert RaceResult.objects.get(race=session.race).driver == driver
    make_driver("Ana Rossi")
    told = stranger.post(address, {"driver": "Ana Rossi"}, follow=True)
    assert "Several are called Ana Rossi" in told.content.decode()
    stranger.post(address, {"driver": ""})
    assert RaceResult.objects.get(race=session.race).driver.is_unknown


def test_nobody_leads_overall_with_a_car_of_no_known_class(client, day):
    ana = make_driver("ANA ROSSI")
    make_practice_session(day, [30_000], driver=ana, class_name="Unknown Class")
    make_practice_session(day, ANA, driver=ana)
    here = url("practice-day", day.pk)

    overall = Page(client.get(here)).text("practice-leaders")
    apart = Page(client.get(f"{here}?class_key=unknown class")).text("practice-leaders")

    assert "40.500" in overall
    assert "30.000" not in overall
    assert "30.000" in apart


# -- comparisons


def test_a_drivers_sessions_stand_side_by_side(client, day):
    made = make_sessions(day)
    driver_id = made["ana"].race.results.get().driver_id
    here = url("practice-driver-day", day.pk, driver_id)

    shown = text(client, here)

    assert "Sessions of Fri 13 Nov 2026 side by side" in shown
    assert "40.500" in shown
    assert "◆ 40.100" in shown
    assert "Through the day" in shown
    picked = text(client, f"{here}?session={made['ana'].race_id}")
    assert "All 2" in picked
    assert client.get(url("practice-driver-day", day.pk, make_driver().pk)).status_code == 404


def test_a_drivers_days_at_a_track(client, practice_on):
    track, driver = make_track("here"), make_driver("ANA ROSSI")
    for n, best in ((1, 41_000), (8, 40_000), (15, 40_500)):
        event = make_practice_day(track=track, day=date(2026, 10, n))
        make_practice_session(event, [best, best + 300], driver=driver)

    shown = text(client, url("practice-driver-days", driver.pk, track.pk))

    assert shown.index("15 Oct") < shown.index("8 Oct") < shown.index("1 Oct 2026")
    assert shown.count("◆ 4") == 2
    other = text(client, url("practice-driver-days", driver.pk, make_track().pk))
    assert "No practice of this driver here" in other


def test_a_classs_day(client, day):
    made = make_sessions(day)

    shown = text(client, url("practice-class-day", day.pk, made["ben"].race.race_class_id))

    assert "Fastest 42.500 Ben Okafor" in shown
    assert "Of the day’s drivers 50 %" in shown
    assert "Ana" not in shown
    other = make_race()
    assert client.get(url("practice-class-day", day.pk, other.race_class_id)).status_code == 404


# -- elsewhere


def test_practice_is_found_by_the_one_search_and_on_driver_pages(client, day):
    made = make_sessions(day)
    result = made["ana"].race.results.get()

    hits = client.get(f"{reverse('search')}?q=ana rossi").content.decode()
    assert url("practice-session", made["ana"].race_id) in hits
    page = client.get(url("driver", result.driver_id)).content.decode()
    assert url("practice-session", made["ana"].race_id) in page
    assert url("practice-driver-days", result.driver_id, day.track_id) in page
    assert client.get(url("event", day.pk)).headers["Location"] == url("practice-day", day.pk)
    race = client.get(url("race", made["ana"].race_id))
    assert race.headers["Location"] == url("practice-session", made["ana"].race_id)


def test_pages_ask_the_same_number_of_questions_whatever_their_size(client, day):
    ana = make_driver("ANA ROSSI")
    first = make_practice_session(day, ANA, driver=ana)
    addresses = [
        url("practice"),
        url("practice-day", day.pk),
        url("practice-driver-day", day.pk, ana.pk),
        url("practice-driver-days", ana.pk, day.track_id),
        url("practice-class-day", day.pk, first.race.race_class_id),
        url("driver", ana.pk),
        f"{reverse('search')}?q=ana",
    ]
    counts = {address: queries_of(client, address) for address in addresses}
    for _ in range(4):
        make_practice_session(day, ANA, driver=ana)
        make_practice_session(day, ANA)
        make_practice_day(
            track=day.track, day=day.starts_on - timedelta(days=Event.objects.count())
        )

    for address, before in counts.items():
        assert queries_of(client, address) <= before, address
