"""The numbers over all bump-ups, against the same counted by hand."""

from datetime import date
from statistics import median

import pytest

from ingestion.domain.bumpup_stats import beat_rate
from ingestion.models import BumpUp
from ingestion.queries import bumpup_stats
from ingestion.queries.bumpups import bump_ups_like
from ingestion.services import bumpups as services
from ingestion.tests.builders import make_track
from ingestion.tests.bumpup_builders import make_event, make_main, make_night


def sums(clusters) -> dict:
    return {
        "races": len(clusters),
        "beaten": sum(b for b, _ in clusters),
        "pairs": sum(n for _, n in clusters),
        "beaten_squared": sum(b * b for b, _ in clusters),
        "pairs_squared": sum(n * n for _, n in clusters),
        "beaten_pairs": sum(b * n for b, n in clusters),
    }


def test_the_beat_rate_is_the_share_of_pairs_won():
    rate = beat_rate(**sums([(8, 32), (4, 32), (12, 32), (8, 32), (8, 32)]))

    assert rate.share == pytest.approx(0.25)
    # By hand: residuals 0, -4, 4, 0, 0; sqrt(32 · 5/4) / 160 = 0.03953
    assert rate.high - rate.share == pytest.approx(1.959964 * 0.0395285, rel=1e-4)
    assert rate.text == "25% (17% to 33%)"


def test_few_mains_give_no_interval_and_none_gives_no_rate():
    assert beat_rate(**sums([(1, 4)])).low is None
    assert beat_rate(**sums([])) is None


@pytest.mark.parametrize("clusters", [[(0, 8)] * 9, [(8, 8)] * 9, [(3, 8), (5, 8)] * 6])
def test_an_interval_stays_within_zero_and_one_and_holds_its_share(clusters):
    rate = beat_rate(**sums(clusters))

    assert 0 <= rate.low <= rate.share <= rate.high <= 1


@pytest.fixture
def history(db):
    """Two tracks, two seasons, two formats."""
    north, south = make_track("north"), make_track("south")
    events = [make_night(make_event(track=north, source_event_id=str(n))) for n in range(4)]
    later = make_event(
        track=south,
        source_event_id="9",
        starts_on=date(2025, 1, 5),
        ends_on=date(2025, 1, 5),
    )
    make_main(later, "Truggy B-Main", "wxyz", number=1)
    make_main(later, "Truggy A-Main", "abcw", number=2)
    services.detect_for_events([*(e.pk for e in events), later.pk])
    return events, later


def test_fares_agree_with_counting_by_hand(history):
    (overall,) = bumpup_stats.fares(bump_ups_like())

    rows = list(BumpUp.objects.standing())
    assert overall.moves == len(rows) == 17
    assert overall.events == 5
    assert overall.median_bumped == median(row.target_position for row in rows)
    assert overall.gained == pytest.approx(
        sum(row.target_slot - row.target_position for row in rows) / len(rows)
    )
    direct = [
        result.position
        for race in {row.target_race for row in rows}
        for result in race.results.all()
        if not BumpUp.objects.filter(target_race=race, driver=result.driver).exists()
    ]
    assert overall.median_direct == median(direct)
    assert overall.rate.share == pytest.approx(
        sum(row.beaten for row in rows) / sum(row.direct for row in rows)
    )
    assert overall.rate.races == 9


def test_fares_by_class_track_and_season(history):
    by = {
        d: {f.name: f.moves for f in bumpup_stats.fares(bump_ups_like(), d)}
        for d in ("class", "track", "season")
    }

    assert by == {
        "class": {"Buggy": 16, "Truggy": 1},
        "track": {"North": 16, "South": 1},
        "season": {"2026": 16, "2025": 1},
    }


def test_formats_say_how_many_move_up(history):
    assert [
        (f.name, f.moved, f.times, f.events) for f in bumpup_stats.formats(bump_ups_like())
    ] == [
        ("B → A", 1, 1, 1),
        ("C → B → A", 2, 8, 4),
    ]


def test_who_bumps_often(history):
    first = bumpup_stats.frequent(bump_ups_like())[0]

    assert (first["driver__name"], first["moves"], first["events"], first["best"]) == (
        "Driver n",
        8,
        4,
        1,
    )


def test_filters_narrow_everything(history):
    rows = bump_ups_like(track="north", class_name="BUGGY", season=2026, statuses=["detected"])

    assert rows.count() == 16
    assert not bump_ups_like(class_name="1/10 truck").exists()
    assert bump_ups_like(to_day=date(2025, 12, 31)).count() == 1
    assert bumpup_stats.fares(bump_ups_like(track="nowhere")) == []
    assert bumpup_stats.formats(bump_ups_like(track="nowhere")) == []


def test_rejected_moves_do_not_count(history, staff):
    row = BumpUp.objects.filter(event__source_event_id="9").get()

    services.decide(bump_up_id=row.pk, status="rejected", by=staff)

    assert bumpup_stats.fares(bump_ups_like())[0].moves == 16


def test_the_number_of_queries_is_fixed(history, django_assert_num_queries):
    with django_assert_num_queries(3):
        bumpup_stats.fares(bump_ups_like(), "track")
        bumpup_stats.formats(bump_ups_like())
        bumpup_stats.frequent(bump_ups_like())
