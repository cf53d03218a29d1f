"""The stand-in: the same seed tells the same story, and its pages agree with themselves."""

import re
from datetime import date
from statistics import fmean, pstdev

import pytest
import requests
from bs4 import BeautifulSoup

from ingestion.fake_liverc import FakeLiveRC
from ingestion.fake_liverc.faults import read_faults
from ingestion.fake_liverc.people import DEMO, TRACKS
from ingestion.fake_liverc.site import Site
from ingestion.fake_liverc.world import DEMO_DAY, DEMO_EVENT_ID, World

EVENT = f"/{DEMO}/results/?p=view_event&id={DEMO_EVENT_ID}"


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def demo(world):
    return world.meeting(world.track(DEMO), DEMO_EVENT_ID)


@pytest.fixture(scope="module")
def site(world):
    return Site(world)


@pytest.fixture
def fake():
    with FakeLiveRC() as running:
        yield running


def race_path(race) -> str:
    return f"/{DEMO}/results/?p=view_race_result&id={race.id}"


def get(fake, path, **kwargs):
    return requests.get(fake.url + path, timeout=60, **kwargs)


def test_the_same_seed_gives_the_same_pages(site, demo):
    again = Site(World())

    for path in ("/", f"/{DEMO}/", EVENT, race_path(demo.races[-1]), f"/{DEMO}/practice/"):
        assert site.body_of(path) == again.body_of(path)


def test_another_seed_gives_another_race(site, demo):
    other = Site(World(seed=2))

    assert site.body_of(race_path(demo.races[-1])) != other.body_of(race_path(demo.races[-1]))


def test_a_later_day_adds_and_changes_nothing(site, demo):
    later = Site(World(today=date(2027, 2, 1)))

    assert later.body_of(EVENT) == site.body_of(EVENT)
    assert later.body_of(race_path(demo.races[0])) == site.body_of(race_path(demo.races[0]))
    now, then = (
        {link["href"] for link in BeautifulSoup(s.body_of("/trs/events/"), "lxml").select("td a")}
        for s in (site, later)
    )
    assert now < then


def test_the_demo_meeting_has_what_the_tour_shows(demo):
    mains = {race.label: race for race in demo.races if race.letter}
    a_main, b_main = mains["1/8 Nitro Buggy A-Main"], mains["1/8 Nitro Buggy B-Main"]

    assert {"1/8 Nitro Buggy C-Main", "1/8 Electric Buggy A3-Main", "Junior A-Main"} <= set(mains)
    moved = [run.racer.id for run in b_main.runs[:4]]
    assert [run.racer.id for run in sorted(a_main.runs, key=lambda r: r.slot)[8:]] == moved
    assert [run.slot for run in a_main.runs if run.is_dns] == [11]
    assert any(max(run.laps_ms) > 120_000 for run in a_main.runs if run.laps_ms)
    assert {race.round for race in demo.races if race.code.startswith("Q")} == {
        f"Qualifier Round {n}" for n in (1, 2, 3)
    }


def test_every_race_page_agrees_with_itself(site, demo):
    """Laps in the script add up to the table, and the statistics are those of the stated laps."""
    checked = 0
    for race in demo.races:
        html = site.body_of(race_path(race))
        soup = BeautifulSoup(html, "lxml")
        scripts = dict(
            re.findall(r"racerLaps\[(\d+)\] = \{(.*?)\n\t{7}\};", html, re.DOTALL)
        )  # object per driver, in results order
        rows = soup.select("table.race_result tbody tr")
        assert len(rows) == len(scripts) == len(race.runs)
        for tr in rows:
            link = tr.select_one("a.driver_laps")
            cells = [td.get_text(strip=True) for td in tr.select("td")]
            if link is None:
                assert cells[3] == "0"
                continue
            script = scripts[link["data-driver-id"]]
            laps = [float(ms) for ms in re.findall(r"'time' : '([\d.]+)'", script)][1:]
            count, total = cells[3].split("/")
            minutes, _, seconds = total.rpartition(":")
            assert len(laps) == int(count)
            assert sum(laps) == pytest.approx(int(minutes or 0) * 60 + float(seconds), abs=5e-4)
            basis = laps[1:] if race.skips_first_lap else laps
            if basis:
                average = float(tr.select("td")[6].select_one(".hidden").get_text())
                deviation = float(re.search(r"'stdDeviation' : '([\d.]+)'", script)[1])
                assert average == pytest.approx(fmean(basis), abs=6e-4)
                assert deviation == pytest.approx(pstdev(basis), abs=6e-4)
                assert min(basis) == float(tr.select("td")[5].contents[0])
            checked += 1
    assert checked > 200


def test_lap_positions_end_at_the_result_for_those_on_the_lead_lap(demo):
    from ingestion.fake_liverc.simulate import lap_positions

    race = demo.races[-1]
    places = lap_positions(race)
    most = len(race.runs[0].laps_ms)

    for run in race.runs:
        if len(run.laps_ms) == most:
            assert places[run.racer.id][-1] == run.position


def test_practice_adds_up(site, world):
    track = world.track(DEMO)
    days = world.practice_days(track)
    assert days
    assert (date(2026, 11, 21) - days[0]).days < 10
    for day in days[:5]:
        soup = BeautifulSoup(site.body_of(f"/{DEMO}/practice/?p=session_list&d={day}"), "lxml")
        rows = soup.select("table.practice_session_list tbody tr")
        laps = [int(tr.select("td")[2]["data-sort"]) for tr in rows]
        stats = {
            tr.th.get_text(strip=True): tr.td.get_text(strip=True)
            for tr in soup.select(".panel table tr")
            if tr.th and tr.td
        }
        assert int(stats["Total Laps"]) == sum(laps)
        for session in world.sessions(track, day):
            page = site.body_of(f"/{DEMO}/practice/?p=view_session&id={session.id}")
            starred = page.count("*</span>")
            assert starred == len(session.laps_ms) - len(session.counted_ms)


def test_every_link_of_every_track_leads_to_a_page(world, site):
    """Catalogue, dashboards, events and each page an event points to."""
    for track in TRACKS:
        assert site.body_of(f"/{track.slug}/")
        events = BeautifulSoup(site.body_of(f"/{track.slug}/events/"), "lxml").select("td a")
        assert bool(events) == track.has_events
        for link in events[:3]:
            page = site.body_of(f"/{track.slug}{link['href']}")
            for inner in BeautifulSoup(page, "lxml").select("a[href^='/results/?']"):
                assert site.body_of(f"/{track.slug}{inner['href']}"), inner["href"]


def test_names_with_an_apostrophe_are_escaped_in_the_script_only(world, site):
    for track in TRACKS:
        for programme in world.programmes(track):
            meeting = world.meeting(track, programme.id)
            for race in meeting.races:
                if any(run.racer.name == "Perrin O'Dell" for run in race.runs):
                    html = site.body_of(f"/{track.slug}/results/?p=view_race_result&id={race.id}")
                    assert "'driverName' : 'PERRIN O\\'DELL'" in html
                    assert '<span class="driver_name">PERRIN O\'DELL</span>' in html
                    return
    pytest.fail("nobody of that name raced")


def test_short_and_long_labels_both_occur(site, world):
    short = next(p for p in world.programmes(world.track("kawabe")) if p.day < DEMO_DAY)

    assert "Race 1: ISTC - 21.5T  (Heat 1/" in site.body_of(
        f"/kawabe/results/?p=view_event&id={short.id}"
    )
    assert ": 1/8 Nitro Buggy (1/8 Nitro Buggy A-Main)</a>" in site.body_of(EVENT)


def test_faults_spoil_as_many_answers_as_told(fake):
    fake.fail("view_event", "429", value=7, times=2)

    first, second, third = (get(fake, EVENT) for _ in range(3))

    assert (first.status_code, second.status_code, third.status_code) == (429, 429, 200)
    assert first.headers["Retry-After"] == "7"
    assert fake.hits[EVENT] == 3


def test_a_bot_check_looks_like_one(fake):
    fake.fail(".", "bot")

    answer = get(fake, "/")

    assert answer.status_code == 403
    assert "Just a moment" in answer.text
    assert "challenge-platform" in answer.text


def test_a_cut_body_breaks_the_connection(fake):
    fake.fail(".", "cut")

    with pytest.raises(requests.exceptions.RequestException):
        get(fake, EVENT)
    assert get(fake, EVENT).ok


def test_a_changed_page_has_lost_its_tables(fake):
    fake.fail(".", "changed")

    assert "<table" not in get(fake, EVENT).text
    assert "<table" in get(fake, EVENT).text


def test_faults_can_be_set_while_it_runs_and_bad_ones_are_refused(fake):
    set_one = requests.post(
        fake.url + "/_faults", json={"pattern": "/trs/", "kind": "500"}, timeout=5
    )
    refused = requests.post(
        fake.url + "/_faults", json={"pattern": "x", "kind": "earthquake"}, timeout=5
    )

    assert set_one.ok
    assert refused.status_code == 400
    assert "earthquake" in refused.json()["error"]
    assert get(fake, "/trs/").status_code == 500
    assert get(fake, "/trs/").ok
    assert requests.get(fake.url + "/_hits", timeout=60).json()["paths"]["/trs/"] == 2


def test_clubs_edit_remove_and_add_races(fake, demo):
    race = demo.races[-1]
    before = get(fake, race_path(race)).text
    winner = race.runs[0].racer.id

    fake.change(op="edit", race_id=race.id, driver_id=winner, add_ms=30_000)
    edited = get(fake, race_path(race)).text
    fake.change(op="remove", race_id=race.id)
    gone = get(fake, race_path(race)).status_code
    listed = get(fake, EVENT).text
    fake.change(op="restore", race_id=race.id)

    assert edited != before
    assert gone == 404
    assert f"id={race.id}" not in listed
    assert get(fake, race_path(race)).text == before

    fake.change(op="add", race_id=race.id)
    assert "A-Main Rerun 1" in get(fake, EVENT).text


def test_a_change_of_a_race_there_is_not_is_refused(fake):
    refused = requests.post(fake.url + "/_change", json={"op": "add", "race_id": 7}, timeout=60)

    assert refused.status_code == 400
    assert "no race 7" in refused.json()["error"]


def test_a_fault_line_is_read_as_meant():
    one, two = read_faults("429:5x2@view_event; slow:1.5x*@practice")

    assert (one.kind, one.value, one.times, one.pattern) == ("429", 5, 2, "view_event")
    assert (two.kind, two.value, two.times) == ("slow", 1.5, None)
    with pytest.raises(ValueError, match="Cannot read"):
        read_faults("429 please")


def test_unknown_addresses_are_not_found(fake):
    for path in ("/nowhere/", f"/{DEMO}/results/?p=view_race_result&id=1", f"/{DEMO}/other/"):
        assert get(fake, path).status_code == 404
