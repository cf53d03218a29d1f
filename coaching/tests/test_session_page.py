"""The session page and its parts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coaching.models import RunLog, SetupChange
from coaching.services import changes, garage
from coaching.tests.builders import STEADY, drive, make_profile, make_session
from racecontrol.testing.pages import HTMX, Page

pytestmark = pytest.mark.django_db

INTO = HTMX | {"HX-Target": "heat-panel"}


@pytest.fixture
def url(session):
    return f"/coaching/sessions/{session.pk}/"


def test_a_lap_typed_is_a_lap_logged_and_the_swap_is_what_a_reload_shows(client, url):
    swapped = client.post(f"{url}laps/", {"heat_name": "Q1", "lap_time": "1:02.345"}, headers=INTO)
    reloaded = client.get(url)

    assert RunLog.objects.get().lap_ms == 62_345
    assert "1:02.345" in Page(swapped).text("heat-panel")
    assert "<html" not in swapped.text
    assert Page(swapped).part("heat-panel") == Page(reloaded).part("heat-panel")


def test_without_javascript_the_lap_leads_back_to_its_heat(client, url, session):
    answer = client.post(f"{url}laps/", {"heat_name": "Q1", "lap_time": "58.1"})

    assert answer.status_code == 302
    assert answer["Location"] == f"{url}?heat={session.heats.get().pk}"


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("fast", "not a lap time"),
        ("0", "above zero"),
        ("99:00", "below one hour"),
        ("", "required"),
    ],
)
def test_a_bad_lap_says_what_is_wrong(client, url, time, said):
    answer = client.post(f"{url}laps/", {"heat_name": "Q1", "lap_time": time}, headers=INTO)

    assert answer.status_code == 422
    assert said in Page(answer).text("heat-panel")
    assert not RunLog.objects.exists()


def test_a_pasted_column_is_logged_in_order_with_its_flags(client, url, session):
    told = {"heat_name": "Practice 1", "times": "75.2 out\n58.1\n1:00.5", "confidence": "2"}

    answer = client.post(f"{url}laps/paste/", told, headers=INTO)

    rows = list(RunLog.objects.values_list("lap_ms", "flag", "confidence"))
    assert rows == [(75_200, "out", None), (58_100, "", None), (60_500, "", 2)]
    assert "out-lap: not counted" in Page(answer).text("heat-panel")


def test_a_bad_line_of_a_paste_is_named_and_nothing_logged(client, url):
    answer = client.post(
        f"{url}laps/paste/", {"heat_name": "Q1", "times": "58.1\nabc"}, headers=INTO
    )

    assert answer.status_code == 422
    assert "Line 2" in Page(answer).text("heat-panel")
    assert not RunLog.objects.exists()


def test_the_page_shows_the_formulas_real_numbers(client, url, session):
    """The forerunner's screen read fields that do not exist and always showed 0.0 % and 1.000."""
    drive(session, "A-Main", [64.4, *STEADY], confidence=4)

    page = Page(client.get(url))

    assert "98.4" in page.text("orp-v2")
    assert "97.8 to 99.0" in page.text("orp-v2")
    assert "97.0" in page.text("orp-v1")
    assert "grid lap: not counted" in page.text("heat-panel")
    assert "0.2 %" in page.text("heat-panel")


def test_liverc_consistency_is_shown_by_its_own_definition(client, url, session):
    """Population deviation, three decimals; a main may leave lap 1 out, so both are shown."""
    drive(session, "A-Main", [58.1, 58.0, 58.2])

    text = Page(client.get(url)).text("heat-panel")

    assert "99.859 % all laps" in " ".join(text.split())
    assert "99.828 % from lap 2" in " ".join(text.split())


def test_an_empty_session_shows_no_score(client, url):
    text = Page(client.get(url)).text("heat-panel")

    assert "ORP" not in text
    assert "Add lap" in text


def test_heats_have_tabs_and_open_by_address(client, url, session):
    drive(session, "Q1", [58.0] * 6)
    drive(session, "Q2", [57.0] * 6)
    first = session.heats.get(name="Q1")

    assert "57.000" in Page(client.get(url)).text("heat-panel")
    assert "58.000" in Page(client.get(f"{url}?heat={first.pk}")).text("heat-panel")
    assert client.get(f"{url}?heat=x").status_code == 200
    assert 'name="heat_name" value="Practice 1"' in client.get(f"{url}?new=1").text


def test_a_lap_is_flagged_and_deleted_in_place(client, url, session):
    drive(session, "Practice 1", [75.2, *STEADY])
    lap = RunLog.objects.get(lap_number=1)

    flagged = client.post(f"{url}laps/{lap.pk}/", {"flag": "out"}, headers=INTO)
    assert "98.4" in Page(flagged).text("orp-v2")
    gone = client.post(f"{url}laps/{lap.pk}/", {"flag": "delete", "sure": "yes"}, headers=INTO)

    assert "1:15.200" not in Page(gone).text("heat-panel")
    assert Page(gone).part("heat-panel") == Page(client.get(url)).part("heat-panel")


def test_a_very_long_heat_is_shown_without_a_form_in_each_row(client, url, session):
    drive(session, "Endurance", [58.0 + n % 7 / 10 for n in range(401)])

    answer = client.get(url)

    assert "Flag of lap 1" not in answer.text
    assert "mended through the API" in answer.text
    assert len(answer.content) < 600_000


def test_a_change_against_the_scenario_is_asked_about_first(client, url, session):
    target = HTMX | {"HX-Target": "changes"}
    client.post(f"{url}changes/", {"parameter": "DF", "new_value": "7000"}, headers=target)
    change = SetupChange.objects.get()
    where = f"{url}changes/{change.pk}/"

    asked = client.post(where, {"decision": "accept"}, headers=target)
    assert asked.status_code == 422
    assert "Apply it anyway" in Page(asked).text("changes")
    forced = client.post(where, {"decision": "force"}, headers=target)

    assert "in spite of a warning" in Page(forced).text("changes")
    assert Page(forced).part("changes") == Page(client.get(url)).part("changes")


def test_the_audit_closes_the_session(client, url, session, user):
    drive(session)
    target = HTMX | {"HX-Target": "audit"}
    begun = client.post(f"{url}audit/", headers=target)
    assert "Did the car get better?" in Page(begun).text("audit")
    audit = session.audits.get()
    where = f"{url}audit/{audit.pk}/"

    client.post(where, {"action": "rate", "rating": "2"}, headers=target)
    wrong = client.post(where, {"action": "explain", "choice": "Corner Exit"}, headers=target)
    assert wrong.status_code == 422
    client.post(where, {"action": "explain", "choice": "Rear-end loose"}, headers=target)
    ended = client.post(
        where, {"action": "observe", "observation": "Loose", "best_lap": "57.5"}, headers=target
    )

    assert ended["HX-Redirect"] == url
    text = client.get(url).text
    assert "Loose" in text
    assert "57.500" in text
    assert "Add lap" not in text
    refused = client.post(f"{url}laps/", {"heat_name": "Q1", "lap_time": "58"}, headers=INTO)
    assert refused.status_code == 422
    assert "closed" in refused.text


def test_the_number_of_queries_does_not_grow_with_laps(client, url, session):
    drive(session, "Q1", STEADY)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(url)
    drive(session, "Q2", STEADY * 5)
    changes.propose_change(
        session_id=session.pk, by=session.profile.user, parameter="SO_F", new_value="40"
    )
    with CaptureQueriesContext(connection) as many:
        client.get(url)

    assert len(many) <= len(few) + 1


def test_a_session_is_made_changed_and_deleted_by_form(client, user):
    told = {
        "profile": make_profile(user).pk,
        "name": "Saturday",
        "session_type": "Club Race",
        "start_date": "2026-05-02",
        "practice_rounds": "3",
        "qualifying_rounds": "2",
        "setup_SO_F": "40 wt",
    }
    made = client.post("/coaching/sessions/new/", told)
    where = made["Location"]
    session = user.racer_profiles.get().sessions.get()
    assert (session.practice_rounds, session.setup) == (3, {"SO_F": "40 wt"})

    bad = client.post(f"{where}change/", told | {"end_date": "2026-06-02"})
    assert bad.status_code == 422
    assert "six days later" in bad.text
    client.post(f"{where}change/", told | {"name": "Sunday", "setup_SO_F": ""})
    session.refresh_from_db()
    assert (session.name, session.setup) == ("Sunday", {})

    client.post(f"{where}delete/", {"sure": "yes"})
    assert not user.racer_profiles.get().sessions.exists()


def test_the_first_session_makes_the_person_a_racer_and_looking_makes_nothing(client, user):
    client.get("/coaching/sessions/new/")
    assert not user.racer_profiles.exists()

    client.post(
        "/coaching/sessions/new/",
        {
            "name": "Saturday",
            "session_type": "Practice",
            "start_date": "2026-05-02",
            "practice_rounds": "0",
            "qualifying_rounds": "0",
        },
    )

    assert user.racer_profiles.get().sessions.get().name == "Saturday"


def test_racers_and_cars_by_form(client, user):
    client.post(
        "/coaching/racers/new/", {"name": "Ann", "experience_level": "Pro", "driving_style": "calm"}
    )
    again = client.post("/coaching/racers/new/", {"name": "Ann", "experience_level": "Pro"})
    racer = user.racer_profiles.get()
    client.post(f"/coaching/cars/new/?profile={racer.pk}", {"brand": "Tekno", "model": "EB48"})

    assert (again.status_code, racer.experience_level) == (422, "Pro")
    assert "of this name" in again.text
    assert "EB48" in client.get("/coaching/").text


def test_history_and_comparison(client, user, other):
    calm = make_session(user, name="Calm", track_name="Club Track")
    drive(calm)
    wild = make_session(user, name="Wild", track_name="Other Track")
    drive(wild, times=[57.0, 59.2] * 7)
    theirs = make_session(other, name="Theirs")
    drive(theirs)

    text = client.get("/coaching/history/").text
    assert "Calm" in text
    assert "Wild" in text
    assert "Theirs" not in text
    assert "Wild" not in client.get("/coaching/history/?track=Club Track").text
    assert (
        client.get("/coaching/history/?vehicle=x&profile=99999999999999999999").status_code == 200
    )
    told = client.get(f"/coaching/compare/?a={calm.pk}&b={wild.pk}").text
    assert "-14.1" in told
    assert "more than chance" in told
    assert "Theirs" not in client.get(f"/coaching/compare/?a={calm.pk}&b={theirs.pk}").text


def test_the_dashboard_shows_the_latest_scores(client, user):
    session = make_session(user)
    drive(session)

    assert "98.4" in client.get("/").text
    garage.delete_session(session_id=session.pk, by=user)
    assert "Race pace" not in client.get("/").text
