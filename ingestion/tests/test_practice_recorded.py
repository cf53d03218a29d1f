"""The recorded practice pages through discovery and import, to their expected values."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from ingestion.liverc.addresses import query_of
from ingestion.liverc.client import Answer
from ingestion.models import Lap, PracticeDay, PracticeSession, Race, RaceResult
from ingestion.queries.practice import figures_of
from ingestion.services.practice.discovery import discover_days, request_discovery
from ingestion.services.practice.importing import import_day
from ingestion.tests.builders import make_track
from racecontrol.testing.shared_cases import needs_shared, shared_json, shared_path

pytestmark = [pytest.mark.django_db, needs_shared]
PAGES = {
    ("calendar", "2025-10"): "practice_month_canberra",
    ("session_list", "2025-10-25"): "practice_day_canberra_2025-10-25",
    ("view_session", "21289501"): "practice_session_21289501",
    ("view_session", "90000001"): "practice_session_invalid_laps_synth",
}


class Recorded:
    """A source that has the recorded pages and no others."""

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Answer:
        query = query_of(url)
        name = PAGES.get((query["p"], query.get("d") or query.get("id")))
        if name is None:
            return Answer(url=urlsplit(url).geturl(), status=404, body=b"")
        body = (shared_path("liverc/dev") / f"{name}.html").read_bytes()
        return Answer(url=url, status=200, body=body)


@pytest.fixture
def canberra(settings):
    settings.LIVERC_PER_MINUTE = settings.LIVERC_PER_DAY = 1000
    return make_track(
        "canberraoffroad", name="Canberra Off Road Model Car Club", address="Narrabundah"
    )


def bring():
    return import_day(source_event_id="canberraoffroad-practice-2025-10-25", source=Recorded())


def test_a_month_is_discovered_with_its_days(canberra, user):
    expected = shared_json("liverc/dev/practice_month_canberra.expected.json")["days"]
    asked = request_discovery(
        track_slug="canberraoffroad",
        first_day=datetime(2025, 10, 1).date(),
        last_day=datetime(2025, 10, 31).date(),
        by=user,
    )

    run = discover_days(run_id=asked.run.pk, source=Recorded())

    days = PracticeDay.objects.order_by("-event__starts_on")
    assert [(str(day.event.starts_on), day.source_sessions) for day in days] == [
        (one["date"], one["sessions"]) for one in expected
    ]
    assert run.outcome == "partial"  # two of the three overviews were never recorded
    assert len(run.failures) == 2


def test_a_day_has_our_figures_beside_livercs(canberra):
    expected = shared_json("liverc/dev/practice_day_canberra_2025-10-25.expected.json")

    summary = bring()

    day = PracticeDay.objects.get()
    computed, stats = expected["computed"], expected["stats"]
    assert day.sessions == computed["sessions"] == summary.sessions
    assert day.total_laps == day.source_total_laps == computed["laps"]
    assert day.unique_drivers == day.source_unique_drivers == stats["unique_drivers"]
    assert day.unique_classes == day.source_unique_classes == stats["unique_classes"]
    assert day.source_track_time_ms == 26_205 * 1000
    # Rows round to seconds until their sessions are imported; one of the 56 was.
    assert day.track_time_ms == (computed["length_s"] - 229) * 1000 + 229_075
    first, last = day.first_started_at, day.last_started_at
    assert first.astimezone(canberra.zone).strftime("%H:%M:%S") == "10:58:33"
    assert last.astimezone(canberra.zone).strftime("%H:%M:%S") == "16:36:38"
    assert (day.source_first_started_at, day.source_last_started_at) == (first, last)
    assert [one.name for one in figures_of(day) if one.differs] == ["track_time_ms"]
    assert len(summary.failed) == 55


def test_a_session_has_its_laps_and_figures(canberra):
    expected = shared_json("liverc/dev/practice_session_21289501.expected.json")
    bring()

    race = Race.objects.get(source_race_id="21289501")
    result = RaceResult.objects.get(race=race)
    laps = list(Lap.objects.filter(result=result).order_by("number"))
    assert race.session_type == "practiceday"
    assert race.started_at == datetime(2025, 10, 25, 3, 43, 27, tzinfo=UTC)
    assert [(lap.ms, lap.is_valid) for lap in laps] == [
        (round(one["time"] * 1000), one["valid"]) for one in expected["graph"]
    ]
    assert [
        lap.crossed_at.astimezone(canberra.zone).replace(tzinfo=None).isoformat() for lap in laps
    ] == [one["crossed_local"] for one in expected["graph"]]
    averages = expected["averages"]
    assert result.avg_lap_ms == round(averages["Avg"] * 1000)
    assert result.std_dev_ms == round(averages["Std Deviation"] * 1000)
    assert float(result.consistency_pct) == averages["Consistency"]
    assert result.top3_consecutive_ms == round(expected["top3_consecutive_s"] * 1000)
    assert (result.laps, result.total_ms) == (5, round(expected["lap_sum_s"] * 1000))
    session = race.practice_session
    assert (session.valid_from_ms, session.valid_to_ms) == (20_000, 70_000)
    assert session.ended_at - race.started_at == timedelta(minutes=6, seconds=50)


def test_laps_that_do_not_count_are_kept_and_run_past_midnight(canberra, monkeypatch):
    """The synthetic page, in the place of the recorded session: 4 April, before the clock goes back."""
    expected = shared_json("liverc/dev/practice_session_invalid_laps_synth.expected.json")
    monkeypatch.setitem(PAGES, ("view_session", "21289501"), "practice_session_invalid_laps_synth")
    bring()

    result = RaceResult.objects.get(race__source_race_id="21289501")
    laps = list(Lap.objects.filter(result=result).order_by("number"))
    assert [lap.is_valid for lap in laps] == [one["valid"] for one in expected["graph"]]
    assert (len(laps), result.laps) == (7, expected["num_laps"])
    assert result.total_ms // 1000 == expected["length_s"]
    assert result.fast_lap_number == 6
    local = [lap.crossed_at.astimezone(canberra.zone).replace(tzinfo=None) for lap in laps]
    assert [one.isoformat() for one in local] == [one["crossed_local"] for one in expected["graph"]]


def test_one_driver_of_three_transponders_is_one_driver(canberra):
    bring()

    by_name: dict[str, set[str]] = {}
    for name, number in PracticeSession.objects.values_list("driver_name", "transponder"):
        by_name.setdefault(name, set()).add(number)
    assert max(len(numbers) for numbers in by_name.values()) == 3
    assert len(by_name) - 1 == PracticeDay.objects.get().unique_drivers
