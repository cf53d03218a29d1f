"""A race driven again: decisions weighed, the best plan found afterwards, the loss by its causes."""

import json
from dataclasses import replace

import pytest

from strategy.domain.analytics import decisions, hindsight, report
from strategy.domain.analytics.record import Driven, Lap, Neutral, Planned, Record, Stop
from strategy.domain.analytics.replay import replay
from strategy.domain.simulation import Luck, Simulator
from strategy.domain.stints.instance import Stint
from strategy.domain.stints.scoring import score
from strategy.domain.stints.solve import solve
from strategy.tests.stint_problems import problem

RACE = problem(
    car={"fuel_us_per_ml": 0, "tyre": {"life_laps": 30}}, drivers=[{}, {"pace": 190_000}]
)
FAST = [Stint(driver=0, laps=12), Stint(driver=0, laps=12)]
MIXED = [Stint(driver=0, laps=12), Stint(driver=1, laps=12)]


def drive(plan, *, slower_ms=0, stop_delay_ms=0, instance=RACE, neutrals=()):
    """The record of a plan driven through the model, each lap and each stop slower by so much."""
    facts, run = score(instance, plan).stints, replay(instance, plan, neutrals=neutrals)
    stints, laps, stops = [], [], []
    t = 0
    for n, (stint, was) in enumerate(zip(plan, facts, strict=True)):
        if was.stop_ms:
            ms = run.stop_ms[n] + stop_delay_ms
            swap = plan[n - 1].driver != stint.driver
            stops.append(Stop(n, t, t + ms, was.fuel_added_ml, stint.tyres == "new", swap))
            t += ms
        start, fuel = t, was.fuel_in_ml
        for lap in range(was.start_lap, was.end_lap):
            ms = run.lap_ms[lap] + slower_ms
            under = next((x.kind for x in neutrals if x.start_ms <= t < x.end_ms), "")
            t += ms
            laps.append(Lap(lap, ms, t, stint.driver, n, lap - was.start_lap, fuel, neutral=under))
            fuel -= 5_000
        stints.append(Driven(n + 1, stint.driver, was.start_lap, was.end_lap, start, t,
                             was.fuel_in_ml, was.fuel_out_ml))  # fmt: skip
    return Record(instance, stints, laps, stops, neutrals)


# -- replay


def test_a_calm_replay_is_the_scorers_time():
    run = replay(RACE, MIXED)

    assert run.finish_ms == score(RACE, MIXED).z1_ms == sum(run.lap_ms) + sum(run.stop_ms)


def test_a_caution_slows_the_laps_begun_in_it_and_halves_the_stop():
    # laps 10 and 11 begin in it, and the stop after them
    caution = Neutral("sc", 10 * 180_000, 2_400_000, pace=1.5)

    calm, slow = replay(RACE, MIXED), replay(RACE, MIXED, neutrals=[caution])

    assert slow.lap_ms[9:12] == [180_000, 270_000, 270_000]
    assert slow.stop_ms[1] == round(calm.stop_ms[1] * 0.5)


def test_replay_and_simulator_agree_about_a_known_caution():
    caution = Neutral("fcy", 10 * 180_000, 2_400_000, pace=1.5)

    ours = replay(RACE, MIXED, neutrals=[caution]).finish_ms
    theirs = Simulator(RACE, luck=Luck.none(), races=2,
                       known=[(caution.start_ms, caution.end_ms, 1.5)]).run(MIXED)  # fmt: skip

    assert theirs.mean_ms == ours


def test_a_red_flag_holds_the_car_for_what_is_left_of_it():
    red = Neutral("red", 200_000, 500_000)

    run = replay(RACE, MIXED, neutrals=[red])

    assert run.finish_ms == score(RACE, MIXED).z1_ms + 300_000
    assert run.lap_ms[1] == 180_000 + 300_000


def test_from_the_middle_only_the_rest_is_driven():
    whole = replay(RACE, MIXED)
    at = sum(whole.lap_ms[:5])

    rest = replay(RACE, MIXED, from_lap=5, from_ms=at)
    luckless = Simulator(RACE, luck=Luck.none(), races=2).run(MIXED, from_lap=5, from_ms=at)

    assert (len(rest.lap_ms), rest.finish_ms) == (19, whole.finish_ms)
    assert luckless.mean_ms == whole.finish_ms


# -- decisions


def test_keeping_the_faster_driver_gains_what_the_other_would_have_lost():
    decision = decisions.Decision(
        "1", "swap", "d0 stays in", 8, 8 * 180_000, chosen=FAST, alternative=MIXED
    )

    verdict = decisions.judge(decision, then=RACE, after=RACE, luck=Luck.none(), races=2)

    # twelve laps of 10 s; fuel (24 s) takes as long as the driver change, so the stop is the same
    assert verdict.gain_ms == verdict.expected_ms == 120_000
    assert decisions.judge(replace(decision, chosen=MIXED, alternative=FAST), then=RACE, after=RACE,
                           luck=Luck.none(), races=2).gain_ms == -120_000  # fmt: skip


def test_a_choice_good_by_chance_is_told_from_one_good_by_design():
    early = [Stint(driver=0, laps=10), Stint(driver=0, laps=14)]
    race = problem(car={"fuel_us_per_ml": 0, "tyre": {"life_laps": 30}, "tank_ml": 90_000})
    caution = Neutral("sc", 10 * 180_000 - 1_000, 10 * 180_000 + 300_000, pace=1.6)
    decision = decisions.Decision("1", "extend", "in early", 9, 9 * 180_000, early, FAST)

    verdict = decisions.judge(decision, then=race, after=race, neutrals=[caution],
                              luck=Luck.none(), races=2)  # fmt: skip

    # 14 laps of fuel take 4 s more, in by half; the caution halves the stop only of who is in
    assert verdict.expected_ms == -4_000
    assert verdict.gain_ms > 30_000


def test_rules_the_other_way_would_have_broken_are_named():
    too_long = [Stint(driver=0, laps=16), Stint(driver=0, laps=8)]
    decision = decisions.Decision("1", "pit", "in on lap 12", 8, 8 * 180_000, FAST, too_long)

    verdict = decisions.judge(decision, then=RACE, after=RACE, races=50)

    assert (verdict.chosen_breaks, verdict.alternative_breaks) == ([], ["fuel"])


def test_the_way_not_taken_keeps_the_driver_who_was_in():
    record = drive(MIXED)
    plan = [Stint(driver=1, laps=6), Stint(driver=0, laps=9), Stint(driver=1, laps=9)]

    on = decisions.carried_on(record.stints, plan, lap=14, laps=24)

    # stint 1 is behind us; the stint under way is driver 1's until the plan's stop on lap 15
    assert [(s.driver, s.laps) for s in on] == [(0, 12), (1, 3), (1, 9)]


def test_a_plan_of_another_length_is_cut_or_drawn_out():
    assert [s.laps for s in decisions.fit_to(FAST, 20)] == [12, 8]
    assert [s.laps for s in decisions.fit_to(FAST, 30)] == [12, 18]
    assert [s.laps for s in decisions.fit_to(FAST, 12)] == [12]


# -- hindsight


def test_the_problem_as_it_turned_out_has_pace_burn_and_stops_of_the_race():
    record = drive(MIXED, slower_ms=2_000, stop_delay_ms=7_000)
    record = replace(record, stints=[replace(s, fuel_in_ml=s.fuel_in_ml + 6_000) for s in record.stints])  # fmt: skip

    after = hindsight.hindsight_instance(record)

    assert after.drivers[0].lap_ms.D == 182_000
    assert after.drivers[1].lap_ms.D == 192_000
    assert after.pit.lane_ms == RACE.pit.lane_ms + 7_000
    assert after.car.burn_ml.D == 5_500  # 132 l instead of 120 l
    # weather nobody drove in: the plan's wet lap in the ratio of the dry ones
    assert pytest.approx(192_000 * 182 / 180, abs=1) == after.drivers[0].lap_ms.W
    assert after.race.clock_ms[1] == 182_000


def test_a_perfect_race_lost_nothing():
    best = solve(RACE, time_limit=10).plan

    back = hindsight.look_back(drive(best), seconds=10)

    assert back.loss is not None
    assert back.loss.total_ms == 0


def test_the_loss_is_split_by_cause_and_adds_up():
    record = drive(MIXED)
    # five seconds on one clean lap, 40 s in a spin, 20 s in the box, 10 s of penalty
    laps = list(record.laps)
    laps[4] = replace(laps[4], ms=laps[4].ms + 5_000)
    laps[6] = replace(laps[6], ms=laps[6].ms + 40_000)
    stop = replace(record.stops[0], out_ms=record.stops[0].out_ms + 20_000)
    stints = [record.stints[0], replace(record.stints[1], end_ms=record.stints[1].end_ms + 65_000)]
    record = replace(record, laps=laps, stints=stints, stops=[stop], penalty_ms=10_000)

    back = hindsight.look_back(record, seconds=10, instance=RACE)

    loss = back.loss
    assert back.best_ms == score(RACE, FAST).z1_ms
    assert loss is not None
    assert (loss.plan_ms, loss.pit_ms, loss.pace_ms) == (120_000, 20_000, 5_000)
    assert (loss.neutral_ms, loss.incident_ms) == (0, 50_000)
    assert loss.total_ms == 195_000


def test_a_plan_the_caution_favoured_may_itself_be_the_best():
    caution = Neutral("sc", 12 * 180_000 - 1_000, 12 * 180_000 + 400_000, pace=1.6)
    record = drive(FAST, neutrals=[caution])

    back = hindsight.look_back(record, seconds=10, instance=RACE)

    assert back.loss is not None
    assert back.loss.plan_ms >= 0
    assert back.best_ms <= record.finish_ms


# -- the report


def plan_as_planned(plan, instance=RACE):
    facts = score(instance, plan).stints
    return [
        Planned(n, s.driver, f.start_lap, f.end_lap, f.start_ms, f.start_ms + f.drive_ms,
                f.fuel_in_ml, f.fuel_out_ml)
        for n, (s, f) in enumerate(zip(plan, facts, strict=True), start=1)
    ]  # fmt: skip


def test_a_race_driven_as_planned_has_a_perfect_report():
    found = report.analyse(drive(MIXED), before=plan_as_planned(MIXED), seconds=5)

    scores = found["scores"]
    assert (scores["strategy_adherence"], scores["driver_share"], scores["pit_efficiency"]) == (1, 1, 1)  # fmt: skip
    assert scores["pace_consistency_ms"] == pytest.approx(0, abs=1e-6)
    # 12 laps of 180 s and of 190 s: 1 - 2 * 120 s / (2 * 2 * 4440 s)
    assert scores["driver_equality"] == pytest.approx(1 - 120 / (2 * 4_440))
    assert [row["time_ms"] for row in found["stints"]] == [0, 0]
    assert found["drivers"][1]["measured_ms"] == {"D": 190_000}
    assert found["fuel"]["burn_ml"]["D"] == 5_000
    assert found["hindsight"]["loss"]["plan_ms"] == 120_000


def test_a_report_is_plain_json_and_weighs_the_decisions():
    choice = decisions.Decision("e1", "swap", "d1 instead of d0", 8, 8 * 180_000, MIXED, FAST)

    found = report.analyse(
        drive(MIXED), before=plan_as_planned(FAST), decisions=[choice], seconds=5
    )

    assert json.loads(json.dumps(found)) == found
    assert found["decisions"][0]["gain_ms"] == -120_000
    assert found["scores"]["driver_share"] == 0.5


def test_a_race_with_laps_missing_is_measured_but_not_driven_again():
    record = drive(MIXED)
    record = replace(record, laps=record.laps[:-3])

    found = report.analyse(record, before=plan_as_planned(MIXED))

    assert found["hindsight"] is None
    assert found["scores"]["strategy_adherence"] == 1
