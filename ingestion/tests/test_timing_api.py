"""The timing API as a program meets it: find, import, watch, read; wrong questions refused by field."""

from datetime import date, timedelta

import pytest

from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Event
from ingestion.tests.builders import make_driver, make_event, make_race, make_result, make_track
from racecontrol.models import Job

pytestmark = pytest.mark.django_db
API = "/api/v1"


def get(client, path, **query):
    return client.get(f"{API}{path}", query)


def test_strangers_are_told_to_sign_in(stranger):
    for path in ("/tracks", "/events/search", "/drivers", "/search?q=x"):
        assert get(stranger, path).status_code == 401


def test_tracks_are_found_and_paged(client):
    for slug in ("alpha", "bravo", "charlie"):
        make_track(slug)

    first = get(client, "/tracks", limit=2).json()
    rest = get(client, "/tracks", limit=2, cursor=first["next_cursor"]).json()

    assert [t["slug"] for t in first["items"] + rest["items"]] == ["alpha", "bravo", "charlie"]
    assert rest["next_cursor"] is None
    assert [t["slug"] for t in get(client, "/tracks", q="brav").json()["items"]] == ["bravo"]


def test_events_are_searched_by_track_day_and_words(client):
    track = make_track("alpha")
    make_event(track=track, day=date(2026, 3, 1), name="Autumn Cup")
    make_event(track=track, day=date(2026, 6, 1), name="Winter Cup")
    make_event(day=date(2026, 6, 1), name="Winter Cup")

    found = get(client, "/events/search", track="alpha", q="cup").json()["items"]
    assert [e["name"] for e in found] == ["Winter Cup", "Autumn Cup"]
    found = get(
        client, "/events/search", track="alpha", **{"from": "2026-05-01", "to": "2026-07-01"}
    )
    assert [e["name"] for e in found.json()["items"]] == ["Winter Cup"]
    assert found.json()["items"][0]["track"] == "alpha"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-01-01", "to": "2026-02-01"}, "track"),
        ({"track": "redgum"}, "from"),
        ({"track": "redgum", "from": "2026-01-01"}, "to"),
        ({"track": "redgum", "from": "2026-01-01", "to": "2026-06-01"}, "to"),
        ({"track": "redgum", "from": "2026-03-01", "to": "2026-02-01"}, "to"),
        ({"track": "redgum", "from": "soon", "to": "2026-02-01"}, "from"),
    ],
)
def test_discovery_needs_a_track_and_at_most_three_months(client, query, field):
    answer = get(client, "/events/discover", **query)

    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]


def test_discover_import_watch_and_read(client, site, run_jobs):
    found = get(client, "/events/discover", track="redgum", **lately(site)).json()
    assert found["failures"] == []
    event = next(e for e in found["events"] if e["source_event_id"] == str(DEMO_EVENT_ID))
    assert event["state"] == "listed"

    queued = client.post(
        f"{API}/events/{event['source_event_id']}/import", content_type="application/json"
    )
    assert queued.status_code == 202
    again = client.post(
        f"{API}/events/{event['source_event_id']}/import", content_type="application/json"
    )
    assert again.json()["import_id"] == queued.json()["import_id"]

    run_jobs()
    watched = get(client, f"/imports/{queued.json()['import_id']}").json()
    assert (watched["state"], watched["result"]["failed"]) == ("done", [])

    detail = get(client, f"/events/{watched['result']['event_id']}").json()
    assert detail["state"] == "imported"
    assert len(detail["races"]) == detail["race_count"] == watched["result"]["races"]
    assert {c["name"] for c in detail["classes"]} >= {"1/8 Nitro Buggy"}
    main = next(r for r in detail["races"] if r["label"].endswith("Nitro Buggy A-Main"))
    assert main["sessionType"] is None

    race = get(client, f"/races/{main['id']}", include_bump_ups="true").json()
    assert [r["position"] for r in race["results"]] == list(range(1, len(race["results"]) + 1))
    assert [r for r in race["results"] if r["bumped_from"]]
    laps = get(client, f"/races/{main['id']}/laps").json()
    for row, result in zip(laps["drivers"], race["results"], strict=True):
        assert len(row["laps"]) == result["laps"]
        assert sum(lap["ms"] for lap in row["laps"]) == (result["total_ms"] or 0)
    csv = get(client, f"/races/{main['id']}/laps", format="csv")
    assert csv["Content-Type"].startswith("text/csv")

    driver = get(client, f"/drivers/{race['results'][0]['driver_id']}").json()
    assert driver["races"] >= 1
    assert driver["bests"]
    assert driver["trend"][0]["race_id"]


def lately(site):
    today = site.world.today
    return {"from": str(today - timedelta(days=60)), "to": str(today)}


def test_many_imports_at_once_name_what_cannot_be_queued(client):
    known = make_event(state=Event.State.LISTED)
    body = {
        "source_event_ids": [known.source_event_id, "999999", "no number", known.source_event_id]
    }

    answer = client.post(f"{API}/events/import", body, content_type="application/json")

    assert answer.status_code == 202
    assert [q["source_event_id"] for q in answer.json()["queued"]] == [known.source_event_id]
    assert {r["source_event_id"] for r in answer.json()["refused"]} == {"999999", "no number"}
    assert Job.objects.count() == 1


def test_the_day_s_budget_is_told_before(client, settings):
    settings.LIVERC_PER_DAY = 10
    event = make_event(state=Event.State.LISTED)

    answer = client.post(
        f"{API}/events/{event.source_event_id}/import", content_type="application/json"
    )

    assert "requests" in answer.json()["warning"]


def test_who_asks_first_is_told_before_anything_is_queued(client, settings):
    settings.LIVERC_PER_DAY = 10
    event = make_event(state=Event.State.LISTED)
    one, several = f"/events/{event.source_event_id}/import", "/events/import"
    ids = {"source_event_ids": [event.source_event_id]}

    def post(path, **body):
        return client.post(f"{API}{path}", body, content_type="application/json")

    for refused in (post(one, ask_first=True), post(several, ask_first=True, **ids)):
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "budget_warning"
        assert "about 42 requests" in refused.json()["error"]["message"]
    assert not Job.objects.exists()

    settings.LIVERC_PER_DAY = 100
    assert post(one, ask_first=True).status_code == 202
    settings.LIVERC_PER_DAY = 10
    assert post(several, **ids).status_code == 202


def test_session_types_are_told_only_when_asked_and_null_reads_as_race(client):
    race = make_race(session_type="qualifying", session_type_confidence="high")

    assert get(client, f"/races/{race.pk}").json()["sessionType"] is None
    asked = get(client, f"/races/{race.pk}", include_session_types="true").json()
    assert (asked["sessionType"], asked["sessionTypeConfidence"]) == ("qualifying", "high")
    untyped = get(client, f"/races/{make_race().pk}", include_session_types="true").json()
    assert untyped["sessionType"] == "race"


def test_results_carry_every_published_figure(client):
    race = make_race()
    make_result(
        race, [31_000, 30_500], avg_top5_ms=30_750, std_dev_ms=250, consistency_pct="99.187"
    )

    [row] = get(client, f"/races/{race.pk}").json()["results"]

    assert (row["laps"], row["total_ms"], row["fast_lap_ms"]) == (2, 61_500, 30_500)
    assert (row["avg_top5_ms"], row["std_dev_ms"], row["consistency_pct"]) == (30_750, 250, 99.187)
    assert row["bumped_from"] is None


@pytest.mark.parametrize("path", ["/events/999", "/races/999", "/races/999/laps", "/drivers/999"])
def test_what_is_not_there_is_404(client, path):
    assert get(client, path).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_field(client, django_assert_max_num_queries):
    race = make_race()
    for place in range(1, 13):
        make_result(race, [30_000 + place] * 40, position=place)

    with django_assert_max_num_queries(8):
        get(client, f"/races/{race.pk}", include_bump_ups="true")
    with django_assert_max_num_queries(8):
        get(client, f"/races/{race.pk}/laps")


def test_drivers_are_found_by_name_and_one_search_finds_all_kinds(client):
    track = make_track("harvest", name="Harvest Raceway")
    event = make_event(track=track, name="Harvest Cup")
    driver = make_driver("HARVEST MOON")
    make_race(event=event, label="Harvest Buggy A-Main")

    assert get(client, "/drivers", q="moon").json()["items"][0]["id"] == driver.pk
    kinds = {hit["kind"] for hit in get(client, "/search", q="harvest").json()}
    assert kinds == {"track", "event", "race", "class", "driver"}
    assert get(client, "/search", q=" ").json() == []
