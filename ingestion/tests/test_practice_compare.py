"""Practice compared, with figures worked out by hand and those of LiveRC's own pages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.pace import PaceLap
from ingestion.domain.practice_compare import (
    Session,
    class_day,
    days_of,
    driver_day,
    figures_of,
    least_in_a_row,
    slope_per_hour,
)
from racecontrol.testing.shared_cases import needs_shared, shared_json

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)


def laps(*times: int | str) -> tuple[PaceLap, ...]:
    """A text is an invalid lap."""
    return tuple(
        PaceLap(number, int(ms), is_valid=isinstance(ms, int))
        for number, ms in enumerate(times, start=1)
    )


def session(key, *times, minutes=0, **values) -> Session:
    return Session(key, laps(*times), NOON + timedelta(minutes=minutes), **values)


def test_figures_of_a_session_worked_out_by_hand():
    # 40 41 42 43 44 s: mean 42, population sigma sqrt(2) = 1.4142 s, consistency 100(1 - 1.4142/42).
    figures = figures_of(laps(42_000, 40_000, 44_000, 41_000, 43_000))

    assert (figures.laps, figures.track_ms, figures.best_ms, figures.best_lap) == (
        5, 210_000, 40_000, 2,
    )  # fmt: skip
    assert (figures.average_ms, figures.pace_ms, figures.deviation_ms) == (42_000, 42_000, 1_414)
    assert figures.consistency_pct == pytest.approx(96.6328, abs=0.0001)
    assert (figures.top_5_ms, figures.top_10_ms, figures.top_15_ms) == (42_000, None, None)
    assert (figures.three_in_a_row_ms, figures.row_of(5)) == (125_000, 210_000)


def test_invalid_laps_are_seen_and_count_for_nothing():
    figures = figures_of(laps(42_000, "12000", 40_000, "146000", 44_000))

    assert (figures.laps, figures.invalid, figures.track_ms) == (3, 2, 126_000)
    assert (figures.best_ms, figures.best_lap, figures.average_ms) == (40_000, 3, 42_000)
    assert figures.three_in_a_row_ms is None


def test_a_row_of_laps_never_crosses_an_invalid_one():
    driven = laps(40_000, 40_000, "9000", 41_000, 41_000, 41_500)

    assert least_in_a_row(driven, 2) == 80_000
    assert least_in_a_row(driven, 3) == 123_500
    assert least_in_a_row(driven, 4) is None


def test_best_of_laps_are_taken_wherever_they_were_driven():
    figures = figures_of(laps(*(50_000 if n % 2 else 40_000 + n for n in range(20))))

    # The ten even ones: 40000, 40002 ... 40018, mean 40009; the five quickest 40000 ... 40008, mean 40004.
    assert (figures.top_5_ms, figures.top_10_ms) == (40_004, 40_009)
    assert figures.top_15_ms == 43_339  # 650090 / 15 = 43339.33
    assert figures.row_of(5) == 40_000 + 40_002 + 40_004 + 2 * 50_000


def test_nothing_valid_gives_no_figures():
    figures = figures_of(laps("5000", "99000"))

    assert (figures.laps, figures.invalid, figures.best_ms, figures.top_5_ms) == (0, 2, None, None)
    assert figures_of(()).consistency_pct is None


@needs_shared
@pytest.mark.parametrize("name", ["21289501", "invalid_laps_synth"])
def test_figures_are_those_of_livercs_session_page(name):
    page = shared_json(f"liverc/dev/practice_session_{name}.expected.json")
    driven = [
        PaceLap(lap["lap"], round(lap["time"] * 1000), is_valid=not lap["starred"])
        for lap in page["laps"]
    ]

    figures = figures_of(driven)

    def seconds(ms):
        return ms / 1000 if ms is not None else None

    assert figures.laps == page["num_laps"]
    assert seconds(figures.best_ms) == page["fastest_s"]
    assert seconds(figures.three_in_a_row_ms) == page["top3_consecutive_s"]
    averages = page["averages"]
    assert seconds(figures.average_ms) == averages["Avg"]
    assert [seconds(figures.top(count)) for count in (5, 10, 15)] == [
        averages[f"Top {count}"] for count in (5, 10, 15)
    ]
    assert seconds(figures.deviation_ms) == averages["Std Deviation"]
    assert round(figures.consistency_pct, 3) == averages["Consistency"]


# -- one driver, one day


def test_sessions_stand_side_by_side_in_the_order_they_began():
    day = driver_day(
        [
            session("late", 41_000, 41_000, 41_000, minutes=120),
            session("early", 43_000, 42_500, 43_500, minutes=0),
            session("noon", 40_500, 44_000, 42_000, minutes=60),
        ]
    )

    assert [row.session.key for row in day.sessions] == ["early", "noon", "late"]
    assert [row.best_gap_ms for row in day.sessions] == [2_000, 0, 500]
    assert [row.is_best for row in day.sessions] == [False, True, False]
    assert [row.pace_gap_ms for row in day.sessions] == [2_000, 1_000, 0]
    assert [row.is_best_pace for row in day.sessions] == [False, False, True]
    assert (day.laps, day.track_ms) == (9, 378_500)


def test_pace_that_falls_a_second_an_hour_is_a_trend_of_a_second_an_hour():
    day = driver_day(
        session(n, 45_000 - 1000 * n, 45_000 - 1000 * n, minutes=60 * n) for n in range(4)
    )

    (trend,) = day.trends
    assert (trend.ms_per_hour, trend.change_ms, trend.direction) == (-1_000, -3_000, "quicker")


def test_one_bad_session_does_not_bend_the_trend():
    paces = [45_000, 44_000, 60_000, 42_000, 41_000]

    day = driver_day(session(n, ms, ms, minutes=60 * n) for n, ms in enumerate(paces))

    assert day.trends[0].ms_per_hour == -1_000


def test_two_sessions_are_no_trend_and_no_start_is_no_point():
    assert driver_day([session(1, 40_000), session(2, 41_000, minutes=60)]).trends == ()
    assert slope_per_hour([(NOON, 1), (NOON, 2), (NOON, 3)]) is None


def test_classes_are_compared_each_for_itself():
    day = driver_day(
        [
            session("b1", 40_000, minutes=0, class_key="buggy"),
            session("t1", 50_000, minutes=10, class_key="truggy"),
            session("t2", 49_000, minutes=20, class_key="truggy"),
        ]
    )

    assert [row.best_gap_ms for row in day.sessions] == [0, 1_000, 0]


def test_the_steadiest_session_has_laps_enough_to_tell():
    day = driver_day(
        [
            session("two laps", 40_000, 40_000),
            session("five laps", 40_000, 40_100, 40_200, 40_100, 40_000, minutes=9),
            session("wild", 40_000, 45_000, 40_200, 44_000, 40_000, minutes=20),
        ]
    )

    assert [row.is_steadiest for row in day.sessions] == [False, True, False]


# -- many days


def test_days_come_oldest_first_with_new_bests_marked():
    rows = [
        (date(2026, 3, 1), "d3", session(4, 41_000, 41_000)),
        (date(2026, 1, 1), "d1", session(1, 43_000, 42_000)),
        (date(2026, 1, 1), "d1", session(2, 44_000, 45_000)),
        (date(2026, 2, 1), "d2", session(3, 42_500, "20000")),
    ]

    days = days_of(rows)

    assert [day.key for day in days] == ["d1", "d2", "d3"]
    assert [(day.sessions, day.laps) for day in days] == [(2, 4), (1, 1), (1, 2)]
    assert [day.best_ms for day in days] == [42_000, 42_500, 41_000]
    assert [day.best_so_far for day in days] == [True, False, True]
    assert days[0].average_ms == 43_500
    assert days[0].pace_ms == 43_500
    assert days[0].consistency_pct is None  # no session of five laps


def test_a_days_consistency_is_that_of_its_middle_session():
    steady = (40_000, 40_000, 40_000, 40_000, 40_000)
    other = (39_000, 41_000, 39_000, 41_000, 40_000, 40_000)
    rows = [(date(2026, 1, 1), 1, session(n, *times)) for n, times in enumerate([steady, other])]

    (day,) = days_of(rows)

    # 100 and 100(1 - 816.497/40000) = 97.9588; their median is the mean of the two.
    assert day.consistency_pct == pytest.approx((100 + 97.9588) / 2, abs=0.0001)


# -- a class's day


def test_a_classs_day_by_hand():
    day = class_day(
        [
            session(1, 40_000, 42_000, driver="ana"),
            session(2, 41_000, 43_000, driver="ana"),
            session(3, 44_000, 46_000, driver="ben"),
            session(4, 39_000, 39_000, driver="nobody"),
        ],
        drivers_of_day=8,
        unknown="nobody",
    )

    assert [one.driver for one in day.entrants] == ["ana", "ben", "nobody"]
    assert [one.gap_ms for one in day.entrants] == [0, 4_000, None]
    assert [one.share for one in day.entrants] == [0.5, 0.25, 0.25]
    assert (day.drivers, day.participation, day.sessions) == (2, 0.25, 4)
    assert (day.fastest_ms, day.fastest_by) == (40_000, "ana")
    assert day.average_ms == 41_750  # 334 s over 8 laps
    assert day.pace_ms == 43_250  # of ana's 41.5 s and ben's 45 s


def test_a_driver_without_a_valid_lap_took_part_but_has_no_place():
    day = class_day(
        [session(1, "9000", driver="ana"), session(2, 40_000, driver="ben")], drivers_of_day=2
    )

    assert [(one.driver, one.gap_ms) for one in day.entrants] == [("ben", 0), ("ana", None)]
    assert (day.drivers, day.participation) == (2, 1.0)


def test_a_class_nobody_drove_is_empty():
    day = class_day([], drivers_of_day=0)

    assert (day.entrants, day.average_ms, day.participation) == ((), None, 0.0)


# -- laws


lap_times = st.lists(
    st.tuples(st.integers(5_000, 120_000), st.booleans()), min_size=0, max_size=40
).map(lambda rows: [PaceLap(n, ms, ok) for n, (ms, ok) in enumerate(rows, start=1)])


@given(lap_times)
def test_best_is_never_slower_than_any_average(driven):
    figures = figures_of(driven)

    told = [figures.average_ms, figures.top_5_ms, figures.top_10_ms, figures.top_15_ms]
    known = [ms for ms in [figures.best_ms, *reversed(told)] if ms is not None]
    assert all(figures.best_ms <= ms for ms in known)
    assert figures.laps + figures.invalid == len(driven)
    for count, ms in figures.in_a_row:
        assert ms is None or ms >= count * figures.best_ms


@given(lap_times, lap_times)
def test_the_order_in_which_sessions_are_told_changes_nothing(one, other):
    first = Session(1, tuple(one), NOON, driver="a")
    second = Session(2, tuple(other), NOON + timedelta(minutes=5), driver="b")

    assert (
        class_day([first, second], drivers_of_day=2) == class_day([second, first], drivers_of_day=2)
        or figures_of(one).best_ms == figures_of(other).best_ms
    )
    assert driver_day([first, second]) == driver_day([second, first])
