"""A model that lies is caught: numbers, dates, limits, links; and honest words pass."""

from datetime import date

import pytest

from coaching.domain.missions.checks import (
    Block,
    Day,
    Limits,
    Said,
    Workout,
    check,
    check_dates,
    check_limits,
    check_markup,
    check_numbers,
)
from coaching.domain.missions.checks.limits import Injury
from coaching.domain.missions.facts import Fact, as_data, find, from_data, number
from coaching.domain.missions.rules import Stage, StagePlan

TODAY = date(2026, 6, 8)  # a Monday
FACTS = number(
    [
        Fact("today", "Today", TODAY, names=("today",)),
        Fact("readiness", "Readiness", 62, "of 100", TODAY, "check-in", ("readiness",)),
        Fact("tsb", "Form (TSB)", -12.4, "", date(2026, 6, 7), "load model", ("form", "tsb")),
        Fact("ctl", "Fitness (CTL)", 58.46, "", date(2026, 6, 7), "load model", ("fitness", "ctl")),
        Fact("load", "Planned load", 175, "TSS", TODAY, "plan", ("planned load", "tss")),
        Fact("sleep", "Sleep", 7.5, "h", TODAY, "check-in", ("sleep", "slept")),
        Fact("resting_hr", "Resting heart rate", 51, "bpm", TODAY, "check-in", ("resting heart rate",)),
        Fact("ftp", "FTP", 205, "W", None, "profile", ("ftp",)),
        Fact("points", "Points so far", 27, "points", TODAY, "board", ("points so far",)),
        Fact("to_go", "Days to the end", 6, "days", TODAY, "calendar", ()),
        Fact("hrv", "HRV", None, "ms", date(2026, 6, 4), "none", ("hrv",)),
        Fact("note", "Athlete's note", "legs 3 out of 5 after 40 min of stairs", "", TODAY, "note"),
    ]
)  # fmt: skip
PLAN = StagePlan(
    stages=(
        Stage(1, date(2026, 6, 6), "flat"),
        Stage(2, date(2026, 6, 7), "hilly"),
        Stage(3, TODAY, "itt"),
        Stage(4, date(2026, 6, 9), "mountain"),
    ),
    rest_days=(date(2026, 6, 10),),
)
DAY = Day(today=TODAY, facts=FACTS, plan=PLAN, calendar=frozenset({date(2026, 6, 14)}))
WORKOUT = Workout("endurance", 75, (Block(2, 45), Block(4, 20), Block(1, 10)))


def said(text: str = "", **more) -> Said:
    more.setdefault("action", "maintain")
    more.setdefault("intensity", "moderate")
    more.setdefault("workout", WORKOUT)
    return Said(texts={"reason": text}, **more)


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


HONEST = [
    "Readiness is 62 of 100, so keep it moderate.",
    "At 62/100 your readiness asks for patience today.",
    "Your readiness is 62, so today stays moderate.",
    "Readiness of 62 (F2) and a form of -12.4 ask for care.",
    "Form is −12, and fitness holds at 58.5; keep the 75 minutes steady.",
    "Fitness near 58 is fine. Ride 45 min in zone 2 and 20 minutes in Z4.",
    "You slept 7.5 hours; 7.5 h is enough for 1.25 hours of riding.",
    "You slept 450 minutes.",
    "Stay below your FTP of 205 W. The 175 TSS of the plan stand.",
    "With 27 points and six days to go there is time.",
    "One step at a time: the first of your two hard days comes tomorrow.",
    "Legs at 3 out of 5 after 40 min of stairs: keep it easy.",
    "Forty-five minutes easy, then twenty minutes firm, and ten minutes to spin out.",
    "Today, Monday, is stage 3. Tomorrow brings stage 4.",
    "Monday 8 June is a time trial; the rest day is Wednesday, 10 June.",
    "The event ends on 2026-06-14, a Sunday.",
    "Yesterday (7 June) was hilly, and Tuesday's stage 4 is in the mountains.",
    "HRV is not available today, so we lean on how you feel.",
    "On June 9th the mountain waits.",
    "The event ends on the fourteenth of June; June the ninth is the mountain.",
    "One hundred and seventy-five TSS are planned, and readiness is sixty-two.",
    "Form is minus twelve; keep the first half gentle.",
    "You slept seven and a half hours.",
    "Check in each morning; it takes half a minute.",
    "The rest day is the day after tomorrow, Wednesday.",
    "Stage four is tomorrow, on Tuesday.",
    "The mountain comes on the ninth, and the rest day on the 10th.",
    "Tuesday the 9th is the mountain; on Tuesday, the ninth, eat early.",
    "The event ends on the fourteenth.",
    "After the second, drink; on the first of the climbs stay seated.",
    "The second half is easier, and the third piece is the last.",
    "Stage IV is tomorrow.",
    "I am sure you will do well, and I mean it.",
    "Next Tuesday, 9 June, is the mountain.",
    "The event began last week; this week brings its last stages.",
    "Next week we rest after the race.",
    "Ride seventy-five minutes; hold back in the second half and take three quarters of an hour easy.",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_words_pass(text):
    assert check(said(text), DAY, Limits()) == []


LIES = [
    ("Readiness is 62 of 90.", "unknown_number"),
    ("Hold 100 watts.", "unknown_number"),
    ("Readiness is 71/100.", "wrong_number"),
    ("Your readiness is 85 today.", "wrong_number"),
    ("A readiness of 75 lets you push.", "wrong_number"),
    ("85 readiness is fine.", "wrong_number"),
    ("The plan holds 85 TSS.", "wrong_number"),
    ("Form is 12.4, you are fresh.", "wrong_number"),
    ("TSB at -14 is deep.", "wrong_number"),
    ("Fitness of 59.1 is your best.", "wrong_number"),
    ("Your HRV is 48 ms.", "wrong_number"),
    ("Hold 220 watts.", "unknown_number"),
    ("Ride 90 minutes.", "unknown_number"),
    ("Ride for two hours.", "unknown_number"),
    ("Ninety minutes would do.", "unknown_number"),
    ("Take 62 minutes.", "unknown_number"),
    ("Do 60-75 min.", "unknown_number"),
    ("Do 3x8 min in Z4.", "unknown_number"),
    ("Finish in zone 5.", "unknown_number"),
    ("Ride in zone five.", "unknown_number"),
    ("You have 40 points.", "unknown_number"),
    ("There are 12 days left.", "unknown_number"),
    ("Eat 60 g an hour.", "unknown_number"),
    ("Give it 110 %.", "unknown_number"),
    ("Your 7th hard day in a row.", "unknown_number"),
    ("You slept 6 hours.", "wrong_number"),
    ("Start at 17:30.", "unknown_number"),
    ("It is your 10th ride.", "unknown_number"),
    ("You have seventeen points.", "unknown_number"),
    ("Only eighteen days are left.", "unknown_number"),
    ("Ride twelve hundred kilometres.", "unknown_number"),
    ("Climb a thousand metres.", "unknown_number"),
    ("You have ridden two hundred and five watts too long: two thousand W.", "unknown_number"),
    ("Ride for an hour and a half.", "unknown_number"),
    ("Ride half an hour more.", "unknown_number"),
    ("Ride for three and a half hours.", "unknown_number"),
    ("Spend ½ of it above threshold.", "unknown_number"),
    ("Your fitness is up by a third.", "unknown_number"),
    ("Your fitness has doubled.", "unknown_number"),
    ("The event is a fortnight away.", "unknown_number"),
    ("Start at 6 am.", "unknown_number"),
    ("Start at half past six.", "unknown_number"),
    ("The race is on the fifth of June.", "wrong_date"),
    ("The race is on June the twenty-first.", "wrong_date"),
    ("The race is on the twelfth.", "wrong_date"),
    ("The race is on the 21st.", "wrong_date"),
    ("Be ready by the 3rd.", "wrong_date"),
    ("Wednesday the ninth is the mountain.", "wrong_weekday"),
    ("Tomorrow, on the tenth, it is hard.", "wrong_date"),
    ("Friday the thirteenth is easy.", "wrong_date"),
    ("You have XL points.", "unknown_number"),
    ("Your readiness is LXXXV.", "wrong_number"),
    ("Ride for XC minutes.", "unknown_number"),
    ("Hold CCC watts.", "unknown_number"),
    ("Ride for V hours.", "unknown_number"),
    ("Ride for iii hours.", "unknown_number"),
    ("Ride \u2173 hours.", "unknown_number"),
    ("Ride \u2464 hours.", "unknown_number"),
    ("Save yourself for stage IX.", "wrong_stage"),
    ("Stage IV is on Wednesday.", "wrong_weekday"),
    ("Finish in zone V.", "unknown_number"),
    ("The race ends next Saturday.", "wrong_date"),
    ("You rode well last Saturday.", "wrong_date"),
    ("This Sunday brings the end.", "wrong_date"),
    ("The race ends on Sunday week.", "wrong_date"),
    ("It ends a week on Saturday.", "wrong_date"),
    ("Next Tuesday, 10 June, is the mountain.", "wrong_weekday"),
    ("The race is next month.", "wrong_date"),
    ("The event begins next week.", "wrong_date"),
    ("Monday the eighth of June, or Tuesday the eighth of June?", "wrong_weekday"),
    ("Stage four is on Wednesday.", "wrong_weekday"),
    ("Today brings stage four.", "wrong_stage"),
    ("The day after tomorrow, Thursday, you rest.", "wrong_weekday"),
    ("See evil.pro/plan first.", "link"),
    ("See example dot com first.", "link"),
    ("See example . com first.", "link"),
    ("See hxxps evil com", "link"),
    ("See F99.", "unknown_fact"),
    ("Today, Tuesday, stay easy.", "wrong_weekday"),
    ("Tomorrow (Wednesday) is hard.", "wrong_weekday"),
    ("Tuesday 8 June is a time trial.", "wrong_weekday"),
    ("The race starts on Thursday 9 June.", "wrong_weekday"),
    ("Tomorrow, 10 June, is hard.", "wrong_date"),
    ("The event ends on 2026-06-21.", "wrong_date"),
    ("Be ready by 31 June.", "wrong_date"),
    ("On 08/06/2026 you ride.", "wrong_date"),
    ("Tomorrow is stage 3.", "wrong_stage"),
    ("Today brings stage 4.", "wrong_stage"),
    ("Save yourself for stage 9.", "wrong_stage"),
    ("Details at https://example.com/plan for the day.", "link"),
    ("Look at trainer.com now.", "link"),
    ("Write to coach@example.org.", "link"),
    ("[more](x) on the plan", "link"),
    ("![x](y)", "link"),
    ("<b>Push</b> today.", "html"),
    ("<img src=x onerror=alert(1)>", "html"),
    ("Push&nbsp;on.", "html"),
    ("Ride\u202eeasy", "control_character"),
    ("Сегодня едем спокойно и долго", "language"),
]


@pytest.mark.parametrize(("text", "code"), LIES)
def test_each_lie_is_caught(text, code):
    found = codes(check(said(text), DAY, Limits()))
    assert code in found, found


def test_the_message_tells_the_writer_what_is_true():
    [problem] = check_numbers(said("Your readiness is 85."), DAY)

    assert "F2 Readiness is 62 of 100" in problem.message


def test_a_weekday_nothing_speaks_of_is_caught():
    quiet = Day(today=TODAY, facts=FACTS[1:2])

    assert codes(check_dates(said("Friday is for rest."), quiet)) == ["wrong_weekday"]
    assert check_dates(said("Monday is for rest."), quiet) == []


def test_a_used_fact_must_exist():
    assert codes(check_numbers(said(used_facts=("F1", "F77")), DAY)) == ["unknown_fact"]


def test_all_texts_are_read_not_only_the_reason():
    lie = Said(texts={"headline": "Fine.", "workout.blocks.0.note": "Hold 300 W"}, workout=WORKOUT)

    [problem] = check_numbers(lie, DAY)
    assert problem.where == "workout.blocks.0.note"


RED = Limits(
    force_rest_readiness=65, force_rest_tsb=-20, min_readiness=70, min_tsb=-10, max_rhr=50,
    ride_modes=("gc", "rest"),
)  # fmt: skip
REST = Workout("rest", 0)


@pytest.mark.parametrize(
    ("answer", "limits", "code"),
    [
        (said(), Limits(minutes_by_weekday={0: 60}), "too_long"),
        (said(), Limits(max_minutes=70), "too_long"),
        (said(), Limits(blocked_days=frozenset({TODAY})), "blocked_day"),
        (said(), Limits(injuries=(Injury("knee", max_zone=3),)), "injury"),
        (said(), Limits(injuries=(Injury("back", avoid_types=("endurance",)),)), "injury"),
        (said(), Limits(force_rest_readiness=65), "rest_is_forced"),
        (said(), Limits(force_rest_tsb=-10), "rest_is_forced"),
        (said(action="push", intensity="high"), Limits(min_readiness=70), "below_threshold"),
        (said(action="push"), Limits(min_tsb=-10), "below_threshold"),
        (said(intensity="high"), Limits(max_rhr=50), "below_threshold"),
        (said(ride_mode="breakaway"), Limits(ride_modes=("gc", "rest")), "ride_mode"),
        (said(), Limits(ride_modes=("gc", "rest")), "ride_mode"),
        (said(action="recover", intensity="low", ride_mode="gc"), RED, "rest_is_forced"),
        (said(workout=Workout("endurance", 60, (Block(2, 45),))), Limits(), "minutes_do_not_add_up"),
        (said(workout=Workout("rest", 20, (Block(1, 20),))), Limits(), "minutes_on_rest"),
    ],
)  # fmt: skip
def test_each_limit_holds(answer, limits, code):
    assert code in codes(check_limits(answer, DAY, limits))


def test_what_keeps_the_limits_passes():
    calm = said(action="recover", intensity="low", workout=REST, ride_mode="rest")

    assert check_limits(calm, DAY, RED) == []
    assert check_limits(said(), DAY, Limits(minutes_by_weekday={0: 75, 1: 0})) == []


def test_a_missing_number_forces_nothing():
    """No readiness this morning: the limit cannot be judged, and no value is invented for it."""
    day = Day(today=TODAY, facts=number([Fact("readiness", "Readiness", None)]))

    assert check_limits(said(), day, Limits(force_rest_readiness=65)) == []


def test_plain_words_have_no_markup_problem():
    text = "Ride easy & smile; 3 < 4 is maths. Keep the heart calm, e.g. by counting. Rest well."
    assert check_markup(said(text)) == []


def test_facts_are_numbered_shown_and_kept():
    assert [fact.id for fact in FACTS[:3]] == ["F1", "F2", "F3"]
    assert FACTS[1].line() == "F2 Readiness: 62 of 100 [as of 2026-06-08, check-in]"
    assert find(FACTS, "hrv").line() == "F11 HRV: not available [as of 2026-06-04, none]"
    assert FACTS[0].shown() == "2026-06-08 (Monday)"
    assert from_data(as_data(FACTS)) == FACTS
