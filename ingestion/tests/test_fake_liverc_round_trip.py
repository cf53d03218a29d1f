"""The stand-in and the readers agree: what was rendered is what is read, page by page."""

import pytest

from ingestion.fake_liverc.figures import figures
from ingestion.fake_liverc.meeting import qualifying
from ingestion.fake_liverc.pages.event import link_label, multi_mains, sheet_id
from ingestion.fake_liverc.pages.practice_session import crossings
from ingestion.fake_liverc.people import DEMO, TRACKS
from ingestion.fake_liverc.simulate import lap_positions
from ingestion.fake_liverc.site import Site
from ingestion.fake_liverc.world import DEMO_EVENT_ID, World
from ingestion.liverc.pages import read_page
from ingestion.liverc.pages.race import ALL_LAPS, FROM_LAP_2

WORLD = World()
SITE = Site(WORLD)
DEMO_TRACK = WORLD.track(DEMO)


def read(path: str):
    """The page at a path of the stand-in, as the readers see it."""
    inside = "/" + path.lstrip("/").partition("/")[2]
    host = "demo" if path != "/" else "live"
    _kind, page = read_page(SITE.body_of(path), f"https://{host}.liverc.com{inside}")
    return page


def meetings():
    """The big meeting, one club day in each label form, one that lies ahead."""
    yield DEMO_TRACK, WORLD.meeting(DEMO_TRACK, DEMO_EVENT_ID)
    for slug in ("trs", "kawabe"):
        track = WORLD.track(slug)
        programmes = WORLD.programmes(track)
        run = next(p for p in programmes if p.day <= WORLD.today)
        yield track, WORLD.meeting(track, run.id)
        yield track, WORLD.meeting(track, programmes[0].id)


MEETINGS = [pytest.param(*pair, id=f"{pair[0].slug}-{pair[1].id}") for pair in meetings()]


def test_catalogue():
    read_tracks = read("/").tracks

    assert [(t.slug, t.name, t.status, t.has_video, t.is_featured) for t in read_tracks] == [
        (t.slug, t.name, t.status, t.has_video, t.is_featured) for t in TRACKS
    ]
    labels = {t.slug: t.event_label for t in read_tracks}
    assert labels["kiesgrube"] == "Herbstlauf & Grillfest"
    assert labels["prairie"] is None


@pytest.mark.parametrize("track", TRACKS, ids=lambda t: t.slug)
def test_dashboard_and_events(track):
    board = read(f"/{track.slug}/")
    events = read(f"/{track.slug}/events/").events

    assert board.track_name == track.name
    assert board.address_lines[0] == track.name
    assert board.address_lines[-1] == track.country
    assert board.map_query.endswith(f",{track.country_code}")
    assert [(e.event_id, e.name, e.days.start, e.days.end) for e in events] == [
        (str(p.id), p.name.strip(), p.day, p.last_day) for p in WORLD.programmes(track)
    ]
    assert board.lifetime["Events"] == len(events)


@pytest.mark.parametrize(("track", "meeting"), MEETINGS)
def test_event(track, meeting):
    page = read(f"/{track.slug}/results/?p=view_event&id={meeting.id}")

    assert page.head.h3 == meeting.name.strip()
    assert (page.days.start, page.days.end) == (meeting.first_day, meeting.last_day)
    assert {
        (r.race_id, r.round, r.race_number, r.class_label, r.race_label, r.completed_local)
        for r in page.races
    } == {
        (
            str(r.id),
            r.round,
            r.number,
            r.class_name,
            " ".join(r.label.split()),
            r.completed_at.replace(second=0),
        )
        for r in meeting.races
    }
    order = sorted(page.races, key=lambda r: r.run_order)
    assert [r.race_id for r in order] == [str(r.id) for r in meeting.races]
    assert page.stats.drivers == meeting.drivers
    assert {link.label for link in page.heat_sheets} == set(meeting.rounds)


@pytest.mark.parametrize(("track", "meeting"), MEETINGS)
def test_races(track, meeting):
    for race in meeting.races:
        page = read(f"/{track.slug}/results/?p=view_race_result&id={race.id}")
        places = lap_positions(race)

        assert (page.race_number, page.round_label, page.length_ms) == (
            race.number,
            race.round,
            race.length_ms,
        )
        assert page.panel.round_code + str(page.panel.round_number) == race.code
        assert len(page.results) == len(race.runs)
        for row, run in zip(page.results, race.runs, strict=True):
            got = figures(run.laps_ms, skips_first=race.skips_first_lap)
            assert (row.position, row.car_number, row.qual) == (run.position, run.slot, run.slot)
            assert (row.driver_id, row.driver_name) == (str(run.racer.id), run.racer.shouted)
            assert (row.table_driver_id is None) == run.is_dns
            assert (row.laps, row.total_ms or 0) == (len(run.laps_ms), run.total_ms)
            laps = [lap for lap in row.racer.laps if lap.number]
            assert [lap.ms for lap in laps] == list(run.laps_ms)
            assert [lap.position for lap in laps] == places[run.racer.id]
            assert (row.fast_lap_ms, row.fast_lap_number) == (got.fast_ms, got.fast_lap)
            assert (row.avg_lap_ms, row.top3_consecutive_ms) == (got.avg_ms, got.three_ms)
            assert row.racer.figures["stdDeviation"] == (
                None if got.deviation is None else float(got.deviation)
            )
        expected = FROM_LAP_2 if race.skips_first_lap else ALL_LAPS
        assert page.stats_basis == expected


@pytest.mark.parametrize(("track", "meeting"), MEETINGS)
def test_entry_list_heat_sheets_and_points(track, meeting):
    at = f"/{track.slug}/results/?p="
    entries = read(f"{at}view_entry_list&id={meeting.id}").classes

    assert {(c.class_name, e.name, e.transponder) for c in entries for e in c.entries} == {
        (name, racer.shouted, racer.transponder)
        for name, racers in meeting.entries.items()
        for racer in racers
    }
    assert all(c.declared == len(c.entries) for c in entries)
    if not meeting.races:
        return
    for name in meeting.rounds:
        sheets = read(f"{at}view_heat_sheet&id={sheet_id(meeting, name)}").sheets
        races = [race for race in meeting.races if race.round == name]
        assert [
            (s.race_id, [(x.car_number, x.driver_name, x.is_bump_up) for x in s.seeds])
            for s in sheets
        ] == [
            (
                str(race.id),
                [
                    (run.slot, run.racer.shouted, race.seeds[run.slot] == "Bump-Up")
                    for run in sorted(race.runs, key=lambda run: run.slot)
                ],
            )
            for race in races
        ]
    points = read(f"{at}view_points&id={meeting.id * 100 + 30}").classes
    for formula, read_class in zip(meeting.formulas, points, strict=True):
        standings = qualifying(meeting.races, formula, meeting.counted_rounds)
        assert [(row.rank, row.name, row.result) for row in read_class.rows] == [
            (n, s.racer.shouted, s.result) for n, s in enumerate(standings, start=1)
        ]
        assert [
            [(r.points, r.laps, r.is_counted) for r in row.rounds] for row in read_class.rows
        ] == [[(r.points, r.laps, r.is_counted) for r in s.rounds] for s in standings]


def test_rankings_of_the_demo_meeting():
    meeting = WORLD.meeting(DEMO_TRACK, DEMO_EVENT_ID)
    at = f"/{DEMO}/results/?p="

    for sheet in multi_mains(meeting):
        (table,) = read(f"{at}view_multi_main_result&id={sheet}").rankings
        assert len(table.rows) == 10
        assert all(len(row.legs) == 3 for row in table.rows)
    overall = read(f"{at}event_overall_ranking&id={meeting.id}").rankings
    assert sum(len(table.rows) for table in overall) == 20 + 26 + 7
    first_round = sheet_id(meeting, "Qualifier Round 1")
    rounds = read(f"{at}view_round_ranking&id={first_round}&o=laps_time").rankings
    assert [len(table.rows) for table in rounds] == [20, 26, 7]


def test_practice():
    days = WORLD.practice_days(DEMO_TRACK)
    month = read(f"/{DEMO}/practice/?p=calendar&d={days[0]:%Y-%m}")

    assert {d.date: d.sessions for d in month.days} == {
        day: len(WORLD.sessions(DEMO_TRACK, day))
        for day in days
        if (day.year, day.month) == (days[0].year, days[0].month)
    }
    assert [m.value for m in month.months] == sorted({f"{d:%Y-%m}" for d in days}, reverse=True)
    for day in days[:6]:
        page = read(f"/{DEMO}/practice/?p=session_list&d={day}")
        sessions = WORLD.sessions(DEMO_TRACK, day)
        assert [
            (s.session_id, s.driver_name, s.class_name, s.transponder, s.start_local, s.laps)
            for s in page.sessions
        ] == [
            (
                str(s.id),
                s.driver_name,
                s.class_name,
                s.transponder,
                s.started_at.replace(microsecond=0),
                len(s.counted_ms),
            )
            for s in reversed(sessions)
        ]
        assert page.stats.total_laps == sum(len(s.counted_ms) for s in sessions)
        for session in sessions:
            inner = read(f"/{DEMO}/practice/?p=view_session&id={session.id}")
            assert [(lap.ms, lap.is_starred) for lap in inner.laps] == [
                (ms, not session.is_valid(ms)) for ms in session.laps_ms
            ]
            assert [c.crossed_local for c in inner.crossings] == [
                m.replace(microsecond=0) for m in crossings(session)
            ]
            assert inner.num_laps == len(session.counted_ms)
            assert inner.valid_range_ms == session.valid_ms


def test_a_day_without_practice_says_so():
    day = next(
        d
        for d in (WORLD.today.replace(day=n) for n in range(2, 20))
        if d not in WORLD.practice_days(DEMO_TRACK)
    )
    page = read(f"/{DEMO}/practice/?p=session_list&d={day}")

    assert page.sessions == ()


def test_labels_are_written_in_both_forms():
    _track, meeting = next((t, m) for t, m in meetings() if m.is_short and m.races)

    assert "(" not in link_label(meeting, next(r for r in meeting.races if r.letter))
