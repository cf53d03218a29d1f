"""Fuel, stints and stops: real numbers from the track, and laws that always hold."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racecontrol.shared.errors import InvalidInput
from racecontrol.testing.shared_cases import shared_json
from runplans.domain.answer import calculate
from runplans.domain.document import write_document
from runplans.tests.simulation import drive, drive_against_the_clock

SHARED = (shared_json("cases/runplans.json") or {"cases": []})["cases"]


def result(**inputs):
    return calculate(json.dumps(inputs))[1]


def stints(plan):
    return [(s["laps"], s["fuel_start_l"], s["refuel_l"], s["fuel_end_l"]) for s in plan["stints"]]


def codes(plan):
    return [note.split(":")[0] for note in plan["notes"]]


def refused_fields(**inputs):
    with pytest.raises(InvalidInput) as refusal:
        calculate(json.dumps(inputs))
    return sorted(refusal.value.fields)


@pytest.mark.parametrize("case", SHARED, ids=[case["id"] for case in SHARED])
def test_the_owners_cases(case):
    expected = case["expect"]
    if expected["status"] == 422:
        with pytest.raises(InvalidInput) as refusal:
            calculate(case["body"])
        assert sorted(refusal.value.fields) == sorted(expected["error_fields"])
        return

    document, plan = calculate(case["body"])

    assert codes(plan) == expected["note_codes"]
    assert {k: v for k, v in plan.items() if k != "notes"} == expected["result"]
    assert json.loads(write_document(document)) == json.loads(case["body"])


@pytest.mark.parametrize(
    ("inputs", "laps", "total", "driven"),
    [
        pytest.param(
            {"required_laps": 25, "fuel_burn_l_per_lap": 2.7, "car": {"tank_capacity_l": 60}},
            25,
            67.5,
            [(22, 60.0, 0.0, 0.6), (3, 8.1, 7.5, 0.0)],
            id="what is carried over a stop is not filled again",
        ),
        pytest.param(
            {"required_laps": 37, "fuel_burn_l_per_lap": 3.2, "tank_capacity_l": 60},
            37,
            118.4,
            [(18, 60.0, 0.0, 2.4), (18, 57.6, 55.2, 0.0), (1, 3.2, 3.2, 0.0)],
            id="a tank holds whole laps",
        ),
        pytest.param(
            {"required_laps": 420, "fuel_burn_l_per_lap": 0.0035, "tank_capacity_l": 0.125},
            420,
            1.47,
            [(35, 0.125, 0.0, 0.0025)]
            + [(35, 0.1225, 0.12, 0.0)]
            + [(35, 0.1225, 0.1225, 0.0)] * 10,
            id="a nitro buggy with a 125 ml tank",
        ),
        pytest.param(
            {"required_laps": 12, "fuel_burn_l_per_lap": 2, "starting_fuel_l": 10},
            12,
            24.0,
            [(5, 10.0, 0.0, 0.0), (7, 14.0, 14.0, 0.0)],
            id="a tank of unknown size takes the rest at one stop",
        ),
        pytest.param(
            {"required_laps": 12, "fuel_burn_l_per_lap": 2, "starting_fuel_l": 1.5},
            12,
            24.0,
            [(12, 24.0, 22.5, 0.0)],
            id="too little for a lap is topped up in the garage",
        ),
    ],
)
def test_stints_that_can_be_driven(inputs, laps, total, driven):
    plan = result(**inputs)

    assert plan["estimated_laps"] == laps
    assert plan["total_fuel_required_l"] == total
    assert stints(plan) == driven
    assert plan["pit_stops_required"] == len(driven) - 1


@pytest.mark.parametrize(
    ("minutes", "pace", "laps", "left"),
    [
        (30, 90, 20, None),
        (30, 91.3, 19, "65.3 s"),
        (8.2, 98.4, 5, None),  # 492 / 98.4 is 4.999… in floats
        (5, 0.3, 1000, None),
        (20, 16.318, 73, "8.786 s"),
        (60, 33.333333333, 108, "0.000000036 s"),  # finer than a microsecond, still exact
    ],
)
def test_minutes_become_whole_laps(minutes, pace, laps, left):
    plan = result(run_duration_min=minutes, target_pace_s=pace, fuel_burn_l_per_lap=0.01)

    assert plan["estimated_laps"] == laps
    assert plan["estimated_total_time_s"] == pytest.approx(laps * pace)
    assert ("lap_in_progress" in codes(plan)) == (left is not None)
    if left and len(left) < 12:
        assert left in " ".join(plan["notes"])


def test_a_pace_finer_than_a_microsecond_is_rounded_only_in_the_answer():
    body = '{"required_laps":3,"target_pace_s":33.3333333333,"fuel_burn_l_per_lap":1.00000000049}'

    plan = calculate(body)[1]

    assert plan["estimated_total_time_s"] == 100.0
    assert plan["total_fuel_required_l"] == 3.0


def test_all_notes_stand_in_the_order_readers_rely_on():
    plan = result(
        required_laps=37,
        run_duration_min=60,
        target_pace_s=97,
        fuel_burn_l_per_lap=3.2,
        car={"tank_capacity_l": 60},
        track={"pit_lane_loss_s": 45},
    )

    assert codes(plan) == [
        "both_targets_given",
        "starting_fuel_defaulted_to_tank",
        "stops_exceed_volume_formula",
        "finishes_dry",
        "pit_loss_excluded",
        "duration_exceeded_with_stops",
    ]
    assert "3679 s with stops is more than the 3600 s of the run; 36 laps fit" in plan["notes"][-1]


def test_stops_can_cost_a_lap_of_a_timed_run():
    plan = result(
        run_duration_min=60,
        target_pace_s=100,
        fuel_burn_l_per_lap=3,
        starting_fuel_l=60,
        car={"tank_capacity_l": 60},
        track={"pit_lane_loss_s": 45},
    )

    assert plan["estimated_laps"] == 36
    assert "with stops the run takes 3645 s" in plan["notes"][-2]
    assert "35 laps fit" in plan["notes"][-1]


def test_finishing_the_lap_under_way_is_not_told_off_for_being_over_the_clock():
    timed = {"target_pace_s": 100, "fuel_burn_l_per_lap": 3, "tank_capacity_l": 60}
    stop = {"track": {"pit_lane_loss_s": 45}, "finish_rule": "finish_lap"}

    same = result(run_duration_min=59.9, **timed, **stop)
    fewer = result(run_duration_min=59.5, **timed, **stop | {"track": {"pit_lane_loss_s": 90}})

    assert same["estimated_laps"] == 36
    assert "duration_exceeded_with_stops" not in codes(same)
    assert fewer["estimated_laps"] == 36
    assert "35 laps fit" in " ".join(fewer["notes"])


def positive(most, places=3):
    return st.decimals("0.001", most, places=places)


@st.composite
def runs(draw, *, timed=False):
    """A run of any size, as strings of digits: fuel, tank, start, perhaps a reserve."""
    burn = draw(positive(5))
    laps = draw(st.integers(1, 400))
    tank = draw(st.none() | st.decimals(burn, burn * 120, places=3))
    most = tank if tank is not None else burn * 500
    start = draw(st.none() | st.decimals(0, most, places=3))
    reserve = draw(st.just(0) | st.decimals(0, 3, places=2))
    if tank is not None and tank - reserve < burn:
        reserve = 0
    run = {"laps": laps, "burn": burn, "tank": tank, "start": start, "reserve": reserve}
    if timed:
        run |= {"pace": draw(positive(120)), "loss": draw(st.decimals(0, 200, places=1))}
    return run


def body_of(run, **more):
    names = {
        "laps": "required_laps",
        "burn": "fuel_burn_l_per_lap",
        "tank": "tank_capacity_l",
        "start": "starting_fuel_l",
        "pace": "target_pace_s",
    }
    parts = [f'"{names[k]}":{v}' for k, v in run.items() if k in names and v is not None]
    if run["reserve"]:
        parts.append(f'"reserve_l":{run["reserve"]}')
    if "loss" in run:
        parts.append(f'"track":{{"pit_lane_loss_s":{run["loss"]}}}')
    return "{" + ",".join(parts + [f'"{k}":{json.dumps(v)}' for k, v in more.items()]) + "}"


def fuel_of(run):
    total = run["laps"] * run["burn"] + run["reserve"]
    start = run["start"] if run["start"] is not None else run["tank"] or total
    return {k: run[k] for k in ("burn", "tank", "reserve")} | {"start": start}


@given(run=runs(), policy=st.sampled_from([None, "minimum", "full", "even"]))
@settings(max_examples=300, deadline=None)
def test_every_plan_can_be_driven_lap_by_lap(run, policy):
    if policy == "full" and run["tank"] is None:
        policy = None
    more = {"fill_policy": policy} if policy else {}
    car = drive(laps=run["laps"], **fuel_of(run))

    plan = calculate(body_of(run, **more))[1]

    rows = plan["stints"]
    exact = [{k: Fraction(str(v)) for k, v in row.items()} for row in rows]
    assert plan["pit_stops_required"] == car.stops == len(rows) - 1
    assert sum(row["laps"] for row in rows) == run["laps"]
    if policy != "even":
        assert [row["laps"] for row in rows] == car.stint_laps
    elif not car.filled_before_start and len(rows) > 2:
        assert max(r["laps"] for r in rows[1:]) - min(r["laps"] for r in rows[1:]) <= 1
    assert ("refuel_before_start" in codes(plan)) == car.filled_before_start
    carried = Fraction(fuel_of(run)["start"])
    for row in exact:
        assert row["refuel_l"] >= 0
        assert row["fuel_start_l"] == carried + row["refuel_l"]
        assert run["tank"] is None or row["fuel_start_l"] <= run["tank"]
        assert row["fuel_end_l"] == row["fuel_start_l"] - row["laps"] * Fraction(run["burn"])
        assert row["fuel_end_l"] >= run["reserve"]
        carried = row["fuel_end_l"]
    if run["tank"] is not None:
        formula = -(-Fraction(str(plan["total_fuel_required_l"])) // Fraction(run["tank"])) - 1
        assert plan["pit_stops_required"] >= formula
        assert ("stops_exceed_volume_formula" in codes(plan)) == (car.stops > max(formula, 0))
    if policy == "full":
        assert all(row["fuel_start_l"] == run["tank"] for row in exact[1:])
    if policy != "full" and len(rows) > 1:
        assert exact[-1]["fuel_end_l"] == run["reserve"]


@given(
    run=runs(timed=True),
    minutes=st.decimals(1, 90, places=1),
    rule=st.sampled_from(["floor", "finish_lap", "plus_one"]),
    counts=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_timed_run_counts_the_laps_that_driving_it_counts(run, minutes, rule, counts):
    run["pace"] = max(run["pace"], minutes * 60 / 60)  # at most some sixty laps to drive
    run["loss"] = run["loss"] if counts else 0
    run |= {"laps": None}
    expected = drive_against_the_clock(
        duration=Fraction(minutes) * 60,
        pace=run["pace"],
        rule=rule,
        pit_loss=run["loss"],
        start=run["start"] if run["start"] is not None else run["tank"],
        **{k: run[k] for k in ("burn", "tank", "reserve")},
    )
    text = body_of(run, finish_rule=rule, pit_time_counts=counts)[:-1]

    if expected == 0:
        with pytest.raises(InvalidInput) as refusal:
            calculate(f'{text},"run_duration_min":{minutes}}}')
        assert list(refusal.value.fields) == ["run_duration_min"]
        return
    plan = calculate(f'{text},"run_duration_min":{minutes}}}')[1]

    assert plan["estimated_laps"] == expected
    if counts:
        lost = plan["pit_stops_required"] * Fraction(run["loss"])
        assert plan["estimated_total_time_s"] == float(expected * Fraction(run["pace"]) + lost)


def test_even_fills_share_what_has_to_go_in():
    """150 L over two stops are 75 and 75, not 100 and 50."""
    plan = result(required_laps=250, fuel_burn_l_per_lap=1, tank_capacity_l=100, fill_policy="even")

    assert [s["laps"] for s in plan["stints"]] == [84, 83, 83]
    assert [s["refuel_l"] for s in plan["stints"]] == [0.0, 75.0, 75.0]


def test_a_reserve_stays_in_the_tank_at_every_stop():
    plan = result(
        required_laps=40,
        fuel_burn_l_per_lap=2.5,
        tank_capacity_l=60,
        reserve_laps=2,
        reserve_l=1,
    )

    assert plan["total_fuel_required_l"] == 106.0
    assert plan["laps_possible"] == 21
    assert stints(plan) == [(21, 60.0, 0.0, 7.5), (19, 53.5, 46.0, 6.0)]
    assert codes(plan)[-1] == "reserve_kept"
    assert "finishes_dry" not in codes(plan)


def test_a_reserve_that_leaves_no_lap_is_refused():
    fields = refused_fields(
        required_laps=4, fuel_burn_l_per_lap=2.5, tank_capacity_l=5, reserve_laps=2
    )

    assert fields == ["reserve_laps"]


ONE_STOP = {"required_laps": 25, "fuel_burn_l_per_lap": 2.7, "tank_capacity_l": 60}


def test_saving_names_the_burn_and_the_window():
    saving = result(**ONE_STOP, options=["saving"])["saving"]

    assert saving["burn_to_save_one_stop_l_per_lap"] == 2.4
    assert saving["pit_windows"] == [{"stop_no": 1, "earliest_lap": 3, "latest_lap": 22}]


@given(run=runs())
@settings(max_examples=150, deadline=None)
def test_the_saving_burn_is_the_highest_that_saves_a_stop(run):
    plan = calculate(body_of(run, options=["saving"]))[1]
    burn = plan["saving"]["burn_to_save_one_stop_l_per_lap"]

    if plan["pit_stops_required"] == 0:
        assert burn is None
    if burn is None or plan["laps_possible"] < 1:
        return

    def stops_at(burn):
        return drive(laps=run["laps"], **(fuel_of(run) | {"burn": burn})).stops

    assert stops_at(Fraction(str(burn))) < plan["pit_stops_required"]
    assert stops_at(Fraction(str(burn)) + Fraction(1, 1_000_000)) >= plan["pit_stops_required"]


@given(run=runs())
@settings(max_examples=100, deadline=None)
def test_stopping_anywhere_in_a_window_needs_no_further_stop(run):
    plan = calculate(body_of(run, options=["saving"]))[1]
    if plan["laps_possible"] < 1:
        return
    fuel = fuel_of(run)

    for window in plan["saving"]["pit_windows"][:1]:
        for lap in {window["earliest_lap"], window["latest_lap"]}:
            reachable = drive(laps=lap, **fuel)
            left = run["laps"] - lap
            full = fuel["tank"] if fuel["tank"] is not None else left * fuel["burn"] + 10_000
            after = drive(laps=left, **(fuel | {"start": full}))
            assert reachable.stops == 0
            assert after.stops == plan["pit_stops_required"] - 1


def test_without_the_additions_the_answer_is_that_of_v1():
    plain = calculate(json.dumps(ONE_STOP))[1]
    spelled = calculate(
        json.dumps(
            ONE_STOP
            | {"reserve_laps": 0, "reserve_l": None, "finish_rule": "floor", "options": []}
            | {"pit_time_counts": False, "fill_policy": "minimum"}
        )
    )[1]

    assert json.dumps(plain) == json.dumps(spelled)
    assert list(plain) == [
        "estimated_laps",
        "total_fuel_required_l",
        "laps_possible",
        "pit_stops_required",
        "stints",
        "estimated_total_time_s",
        "notes",
    ]
