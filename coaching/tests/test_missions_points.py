"""The score: a pure function of the stage rows, legacy rules included."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching.domain.missions.points import StageRow, progress, total
from coaching.domain.missions.rules import Stage, StagePlan, read_plan, read_schema
from coaching.domain.missions.tables import legacy_schema, stage_race_schema
from racecontrol.shared.errors import InvalidInput

FIRST = date(2026, 7, 4)
# 7 flat, 6 hilly, 6 mountain, 2 time trials with two rest days, as a grand tour has them.
TYPES = [
    "flat",
    "hilly",
    "flat",
    "hilly",
    "itt",
    "hilly",
    "hilly",
    "flat",
    "flat",
    "hilly",
    "mountain",
    "mountain",
    "itt",
    "mountain",
    "hilly",
    "mountain",
    "flat",
    "mountain",
    "mountain",
    "flat",
    "flat",
]
REST_AFTER = (9, 15)


def tour(types=TYPES, rest_after=REST_AFTER) -> StagePlan:
    stages, on, rests = [], FIRST, []
    for number, kind in enumerate(types, start=1):
        stages.append(Stage(number, on, kind))
        on += timedelta(days=1)
        if number in rest_after:
            rests.append(on)
            on += timedelta(days=1)
    return StagePlan(tuple(stages), tuple(rests))


def ride(plan, modes) -> list[StageRow]:
    """Rows for the first len(modes) stages; None leaves a stage out."""
    pairs = zip(plan.stages, modes, strict=False)
    return [StageRow(s.number, s.on, s.type, mode) for s, mode in pairs if mode]


def board(schema, plan, rows, today=date(2026, 8, 30)):
    return progress(schema=schema, plan=plan, rows=rows, today=today)


@pytest.mark.parametrize(("mode", "points"), [("gc", 145), ("breakaway", 224)])
def test_a_whole_tour_in_one_mode(mode, points):
    plan = tour()
    score = board(stage_race_schema(), plan, ride(plan, [mode] * 21))

    assert (score.stage_points, score.bonus_points, score.total) == (points, 40, points + 40)


def test_every_type_and_mode_of_the_table():
    table = {
        ("flat", "gc"): 5, ("flat", "breakaway"): 8, ("hilly", "gc"): 7, ("hilly", "breakaway"): 11,
        ("mountain", "gc"): 10, ("mountain", "breakaway"): 15, ("itt", "gc"): 4,
        ("itt", "breakaway"): 6, ("mtn_itt", "gc"): 6, ("mtn_itt", "breakaway"): 9,
    }  # fmt: skip
    for (kind, mode), points in table.items():
        assert stage_race_schema().points(kind, mode) == points
        assert legacy_schema().points(kind, mode) == points


def test_resting_is_worth_nothing_now_and_five_in_legacy_files():
    plan = tour(["flat"] * 3, ())
    rows = ride(plan, ["rest"])

    assert board(stage_race_schema(), plan, rows).total == 0
    assert board(legacy_schema(), plan, rows).total == 5
    assert legacy_schema().points("gravel", "gc") == 5
    assert legacy_schema().points("gravel", "breakaway") == 8


def test_a_rest_day_breaks_a_legacy_streak_only():
    plan = tour(["flat"] * 6, (3,))
    rows = ride(plan, ["gc"] * 6)

    assert board(stage_race_schema(), plan, rows).streak == 6
    assert board(legacy_schema(), plan, rows).streak == 3


def test_a_skipped_stage_breaks_the_streak():
    plan = tour(["flat"] * 9, ())
    rows = ride(plan, ["gc"] * 4 + [None] + ["gc"] * 4)

    score = board(stage_race_schema(), plan, rows)

    assert score.streak == 4
    assert not next(b for b in score.bonuses if b.id == "consecutive_5").is_earned


def test_a_correction_takes_a_bonus_back():
    plan = tour()
    rows = ride(plan, ["breakaway"] * 10)
    had = board(stage_race_schema(), plan, rows)
    mended = board(stage_race_schema(), plan, [*rows[:9], StageRow(10, rows[9].on, "hilly", "gc")])

    assert had.bonus_points - mended.bonus_points == 15
    assert had.stage_points - mended.stage_points == 4


def test_rest_rides_do_not_spoil_the_all_gc_bonus_of_legacy_rules():
    plan = tour()
    rows = ride(plan, ["gc"] * 20 + ["rest"])

    assert {b.id for b in board(legacy_schema(), plan, rows).bonuses if b.is_earned} >= {
        "all_gc_mode"
    }


def test_the_board_says_what_is_still_open():
    plan = tour(["flat", "flat", "mountain", "flat"], ())
    rows = ride(plan, [None, "gc"])
    score = progress(schema=stage_race_schema(), plan=plan, rows=rows, today=plan.stages[2].on)

    assert [line.status for line in score.lines] == ["lost", "done", "today", "ahead"]
    assert [line.most_points for line in score.lines] == [0, 0, 15, 8]
    bonus = next(b for b in score.bonuses if b.id == "all_mountains_breakaway")
    assert (bonus.have, bonus.need, bonus.is_reachable) == (0, 1, True)
    assert score.most_reachable == 5 + 15 + 8 + 10
    late = progress(
        schema=stage_race_schema(), plan=plan, rows=rows, today=plan.stages[2].on, late_days=3
    )
    assert late.lines[0].status == "open"


def test_imported_points_stand_beside_ours():
    plan = tour(["hilly"], ())
    row = StageRow(1, FIRST, "hilly", "gc", imported_points=5)
    line = board(stage_race_schema(), plan, [row]).lines[0]

    assert (line.points, line.imported_points, line.is_imported_different) == (7, 5, True)


modes = st.sampled_from(["gc", "breakaway", "rest", None])


@given(st.lists(modes, max_size=21), st.randoms())
def test_the_order_of_rows_does_not_matter(ridden, random):
    plan = tour()
    rows = ride(plan, ridden)
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert board(stage_race_schema(), plan, rows) == board(stage_race_schema(), plan, shuffled)
    assert board(stage_race_schema(), plan, rows).total == total(stage_race_schema(), plan, rows)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["flat", "mountain", "itt", "hilly"]), min_size=1, max_size=6),
    st.lists(modes, max_size=3),
    st.integers(1, 4),
)
def test_the_best_reachable_total_is_what_trying_everything_finds(types, ridden, need):
    """Against brute force, with bonuses small enough to matter in six stages."""
    data = stage_race_schema().as_data()
    for bonus in data["bonuses"]:
        if bonus["kind"] in ("count_mode", "streak"):
            bonus["count"] = need
        if bonus["kind"] == "never_mode":
            bonus["count"] = len(types)
        if bonus["kind"] == "final_block":
            bonus |= {"count": 1, "first": len(types)}
    schema, plan = read_schema(data), tour(types, ())
    rows = ride(plan, ridden)
    today = plan.stages[0].on
    left = [s for s in plan.stages if s.number not in {r.number for r in rows}]

    best = max(
        total(schema, plan, [*rows, *(StageRow(s.number, s.on, s.type, m)
                                      for s, m in zip(left, choice, strict=True))])
        for choice in product(schema.modes, repeat=len(left))
    )  # fmt: skip

    assert progress(schema=schema, plan=plan, rows=rows, today=today).most_reachable == best


def test_schemas_and_plans_survive_the_way_through_data():
    for schema in (stage_race_schema(), legacy_schema()):
        assert read_schema(schema.as_data()) == schema
    assert read_plan(tour().as_data(), schema=stage_race_schema()) == tour()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"modes": []}, "points_schema.modes"),
        ({"table": {"flat": {"gc": -1}}}, "points_schema.table.flat.gc"),
        ({"table": {"flat": {"gc": True}}}, "points_schema.table.flat.gc"),
        ({"table": {"flat": {"sprint": 3}}}, "points_schema.table.flat.sprint"),
        ({"table": {"Fl at": {}}}, "points_schema.table"),
        ({"extra": 1}, "points_schema.extra"),
        ({"bonuses": [{"id": "x", "kind": "luck", "points": 1, "count": 1}]},
         "points_schema.bonuses.0.kind"),
        ({"bonuses": [{"id": "x", "kind": "streak", "points": 1}]}, "points_schema.bonuses.0.count"),
        ({"bonuses": "all"}, "points_schema.bonuses"),
    ],
)  # fmt: skip
def test_a_bad_schema_names_its_field(change, field):
    with pytest.raises(InvalidInput) as refused:
        read_schema(stage_race_schema().as_data() | change)
    assert field in refused.value.fields


@pytest.mark.parametrize(
    ("stages", "field"),
    [
        ([{"number": 0, "on": "2026-07-04", "type": "flat"}], "stage_plan.stages.0.number"),
        ([{"number": 1, "on": "2026-02-30", "type": "flat"}], "stage_plan.stages.0.on"),
        ([{"number": 1, "on": "2026-09-01", "type": "flat"}], "stage_plan.stages.0.on"),
        ([{"number": 1, "on": "2026-07-04", "type": "lunar"}], "stage_plan.stages.0.type"),
        ([{"number": 1, "on": "2026-07-04", "type": "flat"}] * 2, "stage_plan.stages"),
        ([{"number": 2, "on": "2026-07-04", "type": "flat"},
          {"number": 1, "on": "2026-07-05", "type": "flat"}], "stage_plan.stages"),
        ("many", "stage_plan.stages"),
    ],
)  # fmt: skip
def test_a_bad_plan_names_its_field(stages, field):
    with pytest.raises(InvalidInput) as refused:
        read_plan({"stages": stages}, schema=stage_race_schema(), first=FIRST,
                  last=FIRST + timedelta(days=30))  # fmt: skip
    assert field in refused.value.fields
