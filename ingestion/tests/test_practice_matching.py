"""Who drove: by transponder and name, with the evidence; a person has the last word."""

from datetime import date

import pytest

from ingestion.domain.practice_matching import match_driver
from ingestion.models import Driver, DriverTransponder, PracticeDay, PracticeSession, RaceResult
from ingestion.services.drivers import merge_drivers, split_driver
from ingestion.services.practice import matching
from ingestion.services.practice.figures import refresh_figures
from ingestion.tests.builders import import_demo, make_driver, make_race, make_result
from ingestion.tests.practice_builders import make_practice_day, make_practice_session
from ingestion.tests.practice_days import do_import, rows
from racecontrol.models import AuditEvent
from racecontrol.shared.errors import InvalidInput, NotReady

ADA, BEA = {1: "ADA BYRON"}, {2: "BEA BLUM"}


def match(**what):
    asked = {"name_key": "ada byron", "is_unknown": False, "transponder": "123", "at_track": ()}
    return match_driver(**(asked | {"holders": {}, "namesakes": {}} | what))


@pytest.mark.parametrize(
    ("known", "driver", "method", "confidence"),
    [
        pytest.param({"holders": ADA, "namesakes": ADA}, 1, "transponder_and_name", "high", id="both"),
        pytest.param({"namesakes": ADA}, 1, "name", "medium", id="the name alone"),
        pytest.param(
            {"holders": BEA, "namesakes": ADA}, 1, "name", "medium", id="a lent transponder"
        ),
        pytest.param(
            {"holders": {3: "ADA BYRON"}, "namesakes": {1: "ADA BYRON", 3: "ADA BYRON"}},
            3, "transponder_and_name", "high", id="two of one name, one holds it",
        ),
        pytest.param(
            {"namesakes": {1: "ADA BYRON", 3: "ADA BYRON"}, "at_track": {3}},
            3, "name_at_track", "medium", id="two of one name, one drove here",
        ),
        pytest.param(
            {"namesakes": {1: "ADA BYRON", 3: "ADA BYRON"}}, None, "ambiguous", "low", id="two of one name"
        ),
        pytest.param({}, None, "new", "medium", id="nobody"),
        pytest.param({"holders": BEA}, None, "new", "low", id="nobody, with another's transponder"),
        pytest.param(
            {"is_unknown": True, "holders": BEA}, 2, "transponder", "medium", id="no name, one holder"
        ),
        pytest.param(
            {"is_unknown": True, "holders": ADA | BEA}, None, "unknown", "low", id="no name, two holders"
        ),
        pytest.param({"is_unknown": True}, None, "unknown", "low", id="no name, nobody"),
    ],
)  # fmt: skip
def test_transponder_and_name_decide(known, driver, method, confidence):
    found = match(**known)

    assert (found.driver_id, found.method, found.confidence) == (driver, method, confidence)
    assert all(found.evidence)


pytestmark = pytest.mark.django_db


def test_after_a_race_the_practice_finds_its_drivers(site, run_jobs):
    do_import()
    nameless = RaceResult.objects.filter(driver__source_driver_id=None).count()
    assert nameless

    import_demo()
    run_jobs()

    left = RaceResult.objects.filter(driver__source_driver_id=None, race__source="practice")
    assert left.count() < nameless
    found = PracticeSession.objects.filter(match_method="transponder_and_name").exclude(
        race__results__driver__source_driver_id=None
    )
    assert found.exists()
    before = rows()
    do_import()
    assert rows() == before


def test_the_entry_list_is_the_bridge(site):
    import_demo()
    races = set(Driver.objects.values_list("pk", flat=True))

    do_import()

    drove = RaceResult.objects.filter(race__source="practice", driver_id__in=races)
    assert drove.exists()
    methods = set(
        PracticeSession.objects.filter(race__results__in=drove).values_list(
            "match_method", flat=True
        )
    )
    assert "transponder_and_name" in methods


def test_nobody_stands_under_one_row_that_no_list_shows(client):
    corrected()
    matching.unknown_driver()

    assert Driver.objects.filter(is_unknown=True).count() == 1
    assert client.get("/api/v1/drivers", {"q": "unknown"}).json()["items"] == []
    hits = client.get("/api/v1/search", {"q": "Unknown Driver"}).json()
    assert [hit for hit in hits if hit["kind"] == "driver"] == []


def corrected(day=None):
    day = day or make_practice_day()
    stranger = matching.unknown_driver()
    return make_practice_session(
        day, [30_000, 31_000], driver=stranger, transponder="42", match_method="unknown"
    )


def test_a_person_has_the_last_word(user):
    session, ada = corrected(), make_driver("ADA BYRON")

    assert matching.correct_match(session_id=session.pk, driver_id=ada.pk, by=user) == 1

    session.refresh_from_db()
    assert RaceResult.objects.get(race=session.race).driver == ada
    assert (session.match_method, session.matched_by) == ("manual", user)
    assert "sam said: ADA BYRON." in session.match_evidence
    assert PracticeDay.objects.get().unique_drivers == 1
    trail = AuditEvent.objects.get(verb="practice_session.driver_set")
    assert (trail.by, trail.after["driver"]) == (user, ada.pk)


def test_the_whole_day_goes_along_but_nobody_elses(user):
    day = make_practice_day()
    mine = [corrected(day), corrected(day)]
    PracticeSession.objects.update(driver_name="Unknown Driver")
    theirs = make_practice_session(day, [29_000], transponder="43")
    ada = make_driver("ADA BYRON")

    done = matching.correct_match(session_id=mine[0].pk, driver_id=ada.pk, by=user, whole_day=True)

    assert done == 2
    assert RaceResult.objects.filter(driver=ada).count() == 2
    assert RaceResult.objects.get(race=theirs.race).driver != ada


def test_a_correction_survives_another_import(site, user):
    do_import()
    session, ada = PracticeSession.objects.first(), make_driver("ADA BYRON")
    matching.correct_match(session_id=session.pk, driver_id=ada.pk, by=user)
    site.change(op="edit_session", session_id=int(session.source_session_id), add_ms=2)

    do_import(refresh=True)

    assert RaceResult.objects.get(race=session.race).driver == ada


def test_who_is_merged_answers_through_whom_they_became():
    ada, other = make_driver("ADA BYRON"), make_driver("A. BYRON")
    DriverTransponder.objects.create(driver=other, number="77")
    Driver.objects.filter(pk=other.pk).update(merged_into=ada)
    session = make_practice_session(make_practice_day(), driver_name="Ada Byron", transponder="77")

    known = matching.known_of(session.event.track_id, [session])

    assert known.match(session).driver_id == ada.pk
    assert known.match(session).method == "transponder_and_name"


def test_two_of_one_name_are_told_apart_by_where_they_drove():
    day = make_practice_day(day=date(2026, 9, 5))
    here, there = make_driver("ADA BYRON"), make_driver("ADA BYRON")
    make_result(make_race(event=make_practice_day(track=day.track)), [30_000], driver=here)
    make_result(make_race(), [30_000], driver=there)
    session = make_practice_session(day, driver_name="Ada Byron")

    found = matching.known_of(day.track_id, [session]).match(session)

    assert (found.driver_id, found.method) == (here.pk, "name_at_track")


def test_wrong_corrections_are_refused(user):
    listed = make_practice_session(make_practice_day())
    with pytest.raises(NotReady, match="not imported"):
        matching.correct_match(session_id=listed.pk, driver_id=None, by=user)
    session = corrected(make_practice_day(day=date(2026, 9, 5)))
    with pytest.raises(InvalidInput):
        matching.correct_match(session_id=session.pk, driver_id=2**31, by=user)
    assert AuditEvent.objects.count() == 0


def test_a_merge_counts_the_days_drivers_again(user):
    day = make_practice_day()
    one, two = make_driver("ADA BYRON"), make_driver("A. BYRON", source_driver_id=None)
    for driver in (one, two):
        make_practice_session(day, [30_000, 31_000], driver=driver)
    refresh_figures(day)
    assert PracticeDay.objects.get().unique_drivers == 2

    merge_drivers(driver_id=two.pk, into_id=one.pk, by=user)
    assert PracticeDay.objects.get().unique_drivers == 1

    split_driver(driver_id=two.pk, by=user)
    assert PracticeDay.objects.get().unique_drivers == 2


def test_nobody_cannot_be_merged_into_somebody(user):
    ada = make_driver("ADA BYRON")
    for pair in ((matching.unknown_driver().pk, ada.pk), (ada.pk, matching.unknown_driver().pk)):
        with pytest.raises(NotReady, match="without a name"):
            merge_drivers(driver_id=pair[0], into_id=pair[1], by=user)
