"""A practice day through the pipeline, over real HTTP from the stand-in: once, again, changed, broken."""

from itertools import pairwise

import pytest

from ingestion.fake_liverc.people import DEMO
from ingestion.models import Event, Lap, PracticeDay, PracticeSession, Race, RaceResult
from ingestion.services.practice.importing import import_day
from ingestion.tests.practice_days import (
    DAY,
    DAY_ID,
    age_pages,
    do_import,
    rows,
    session_pages,
    sessions_of,
)
from racecontrol.shared.errors import InvalidInput, NotFound

pytestmark = pytest.mark.django_db


def test_a_day_becomes_an_event_and_its_sessions_races(site):
    summary = do_import()

    event = Event.objects.get()
    assert (event.kind, event.source_event_id) == ("practice_day", f"{DEMO}-practice-{DAY}")
    assert event.name.endswith(f" - Practice Day - {DAY:%B} {DAY.day}, {DAY.year}")
    assert (event.state, event.starts_on, event.ends_on) == ("imported", DAY, DAY)
    said = sessions_of(site)
    races = {race.source_race_id: race for race in Race.objects.all()}
    assert set(races) == {str(session.id) for session in said}
    assert {race.session_type for race in races.values()} == {"practiceday"}
    assert {race.source for race in races.values()} == {"practice"}
    assert summary.sessions == summary.fetched == len(said)
    for session in said:
        result = RaceResult.objects.get(race=races[str(session.id)])
        laps = list(Lap.objects.filter(result=result).order_by("number"))
        assert [lap.ms for lap in laps] == list(session.laps_ms)
        assert [lap.is_valid for lap in laps] == [session.is_valid(ms) for ms in session.laps_ms]
        assert result.laps == len(session.counted_ms)
        assert result.total_ms == sum(session.counted_ms)
        local = races[str(session.id)].started_at.astimezone(event.zone)
        assert local.replace(tzinfo=None) == session.started_at.replace(microsecond=0)
        assert all(a.crossed_at < b.crossed_at for a, b in pairwise(laps))


def test_the_figures_are_counted_from_our_rows_and_stand_beside_livercs(site):
    do_import()

    day, said = PracticeDay.objects.get(), sessions_of(site)
    assert day.sessions == day.source_sessions == len(said)
    assert day.total_laps == day.source_total_laps == sum(len(s.counted_ms) for s in said)
    assert day.track_time_ms == sum(sum(s.counted_ms) for s in said)
    assert day.source_track_time_ms == day.track_time_ms // 1000 * 1000
    names = {s.driver_name for s in said} - {"Unknown Driver"}
    assert day.source_unique_drivers == len(names)
    assert day.first_started_at == day.source_first_started_at
    assert day.last_started_at == day.source_last_started_at
    assert day.last_ended_at > day.last_started_at


def test_importing_again_changes_nothing_and_asks_for_no_session(site):
    do_import()
    before, pages = rows(), session_pages(site)
    age_pages()

    summary = do_import()

    assert rows() == before
    assert session_pages(site) == pages
    assert (summary.fetched, summary.changed, summary.has_drift) == (0, 0, False)


def test_only_new_sessions_are_asked_for(site):
    do_import()
    pages = session_pages(site)
    site.change(op="add_session", session_id=sessions_of(site)[0].id)
    age_pages()

    summary = do_import()

    assert session_pages(site) == pages + 1
    assert (summary.new, summary.fetched) == (1, 1)
    assert PracticeDay.objects.get().sessions == len(sessions_of(site))


def test_a_session_that_changed_is_read_again(site):
    do_import()
    first = sessions_of(site)[0]
    site.change(op="edit_session", session_id=first.id, add_ms=3, driver_name="Ada Lovelace")

    summary = do_import(refresh=True)

    assert summary.changed == 1
    result = RaceResult.objects.get(race__source_race_id=str(first.id))
    assert result.driver.name == "Ada Lovelace"
    assert Lap.objects.filter(result=result).count() == len(first.laps_ms)
    assert PracticeDay.objects.get().has_drift is False


def test_a_session_liverc_took_back_is_marked_and_comes_back(site):
    do_import()
    gone, laps = sessions_of(site)[-1], Lap.objects.count()
    site.change(op="remove_session", session_id=gone.id)

    summary = do_import(refresh=True)

    session = PracticeSession.objects.get(source_session_id=str(gone.id))
    assert summary.removed == 1
    assert session.missing_since
    assert session.race.missing_since
    assert Lap.objects.count() == laps
    assert PracticeDay.objects.get().sessions == len(sessions_of(site))

    site.change(op="restore_session", session_id=gone.id)
    do_import(refresh=True)

    session.refresh_from_db()
    assert session.missing_since is None
    assert Event.objects.get().state == "imported"


def test_nothing_known_is_overwritten_with_nothing(site):
    do_import()
    first = PracticeSession.objects.order_by("pk").first()
    result = RaceResult.objects.get(race=first.race)
    real = site.site.body_of

    def without_details(path):
        body = real(path)
        if body and "session_list" in path:
            return body.replace(f" ({first.transponder})", "")
        if body and f"id={first.source_session_id}" in path:
            body = body.replace(f"<td>{first.transponder}</td>", "<td></td>")
            return body.replace("Std Deviation: ", "Std Deviation: <!-- -->")
        return body

    site.site.body_of = without_details
    Race.objects.update(fetched_at=None)
    do_import(refresh=True)

    first.refresh_from_db()
    after = RaceResult.objects.get(race=first.race)
    assert first.transponder
    assert (after.transponder, after.std_dev_ms) == (result.transponder, result.std_dev_ms)


def test_one_session_that_fails_does_not_stop_the_rest(site):
    bad = sessions_of(site)[2]
    site.fail(f"view_session&id={bad.id}$", "changed", times=None)

    summary = do_import()

    [failed] = summary.failed
    assert failed["source_session_id"] == str(bad.id)
    session = PracticeSession.objects.get(source_session_id=str(bad.id))
    assert (session.state, session.attempts) == ("failed", 1)
    assert session.race.state == "failed"
    assert Event.objects.get().state == "partial"
    assert Race.objects.filter(state="imported").count() == len(sessions_of(site)) - 1


def test_a_day_nobody_practised_is_not_found(site):
    with pytest.raises(NotFound, match="Nobody practised"):
        import_other(f"{DEMO}-practice-2026-11-10")
    assert Event.objects.count() == 0


@pytest.mark.parametrize(
    "day_id", ["", "redgum", "redgum-practice-2026-13-01", "a b-practice-2026-01-01"]
)
def test_what_is_no_practice_day_is_refused_by_field(site, day_id):
    with pytest.raises(InvalidInput) as refusal:
        import_other(day_id)
    assert "source_event_id" in refusal.value.fields


def import_other(day_id):
    return import_day(source_event_id=day_id)


def test_the_written_id_is_found_whatever_its_case(site):
    do_import()

    import_other(DAY_ID.upper())

    assert Event.objects.get().source_event_id == DAY_ID
