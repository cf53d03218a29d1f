"""The life of a mission: every line of the transition table, every lock of the edit table."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.missions.states import (
    MOVES,
    Actor,
    Dates,
    EditLocked,
    ForbiddenMove,
    Guards,
    State,
    advance,
    allowed_moves,
    archive_date,
    check_edit,
    check_result_edit,
    editable_groups,
    move,
)
from racecontrol.shared.errors import InvalidInput, NotAllowed

DATES = Dates(date(2026, 2, 1), date(2026, 6, 6), date(2026, 6, 14))
BEFORE, PREP, EVENT, LAST, AFTER = (
    date(2026, 1, 15), date(2026, 3, 1), date(2026, 6, 6), date(2026, 6, 14), date(2026, 6, 15),
)  # fmt: skip
S = State


@pytest.mark.parametrize(
    ("state", "today", "ends"),
    [
        pytest.param(S.PREP, AFTER, [], id="preparation waits for the athlete"),
        pytest.param(S.TRAINING, EVENT - timedelta(days=1), [], id="the eve is still training"),
        pytest.param(S.TRAINING, EVENT, [S.EVENT_ACTIVE], id="5: the first day is the event"),
        pytest.param(S.EVENT_ACTIVE, LAST, [], id="the last day is still the event"),
        pytest.param(S.EVENT_ACTIVE, AFTER, [S.MISSION_COMPLETE], id="6: the day after ends it"),
        pytest.param(
            S.TRAINING, AFTER, [S.EVENT_ACTIVE, S.MISSION_COMPLETE], id="8: after an outage both"
        ),
        pytest.param(S.MISSION_COMPLETE, AFTER, [], id="complete stays until it is settled"),
        pytest.param(S.ARCHIVED, AFTER, [], id="archived stays"),
    ],
)
def test_the_calendar_moves_a_mission(state, today, ends):
    assert [step.target for step in advance(state, DATES, today)] == ends


def test_an_automatic_start_waits_for_its_date_and_its_guards():
    assert advance(S.PREP, DATES, BEFORE, is_ready_to_start=True) == ()
    assert [s.target for s in advance(S.PREP, DATES, PREP, is_ready_to_start=True)] == [S.TRAINING]
    late = advance(S.PREP, DATES, EVENT, is_ready_to_start=True)
    assert [s.target for s in late] == [S.TRAINING, S.EVENT_ACTIVE]
    assert advance(S.PREP, DATES, AFTER, is_ready_to_start=True) == ()


def test_a_settled_mission_is_archived_after_its_quiet_time():
    day = archive_date(completed_on=AFTER, quiet_days=90)

    assert advance(S.MISSION_COMPLETE, DATES, day - timedelta(days=1), archive_from=day) == ()
    assert [s.target for s in advance(S.MISSION_COMPLETE, DATES, day, archive_from=day)] == [
        S.ARCHIVED
    ]


TABLE = {
    (S.PREP, "start"): [S.TRAINING],
    (S.TRAINING, "finish"): [S.MISSION_COMPLETE],
    (S.EVENT_ACTIVE, "finish"): [S.MISSION_COMPLETE],
    (S.TRAINING, "back_to_prep"): [S.PREP],
    (S.MISSION_COMPLETE, "archive"): [S.ARCHIVED],
    (S.PREP, "archive"): [S.ARCHIVED],
    (S.ARCHIVED, "reopen"): [S.MISSION_COMPLETE],
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("name", [*MOVES, "fly"])
def test_every_move_is_in_the_table_or_refused_with_the_allowed_list(state, name):
    if (state, name) in TABLE:
        steps = move(name, state, DATES, PREP, actor=Actor.ADMIN)
        assert [step.target for step in steps] == TABLE[state, name]
        assert steps[0].origin == state
    else:
        with pytest.raises(ForbiddenMove) as refused:
            move(name, state, DATES, PREP, actor=Actor.ADMIN)
        assert refused.value.status == 409
        assert refused.value.fields["allowed"] == allowed_moves(state, Actor.ADMIN)


def test_a_start_during_the_event_logs_both_steps():
    steps = move("start", S.PREP, DATES, EVENT, actor=Actor.ATHLETE)

    assert [(s.origin, s.target) for s in steps] == [
        (S.PREP, S.TRAINING),
        (S.TRAINING, S.EVENT_ACTIVE),
    ]


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        (Guards(has_other_running=True), "Another mission"),
        (Guards(has_model=False), "language model"),
        (Guards(has_consent=False), "Consent"),
    ],
)
def test_a_start_needs_its_guards(guards, words):
    with pytest.raises(ForbiddenMove, match=words):
        move("start", S.PREP, DATES, PREP, actor=Actor.ATHLETE, guards=guards)


def test_a_start_after_the_event_is_refused():
    with pytest.raises(ForbiddenMove, match="new dates"):
        move("start", S.PREP, DATES, AFTER, actor=Actor.ATHLETE)


@pytest.mark.parametrize(("state", "name"), [(S.TRAINING, "back_to_prep"), (S.ARCHIVED, "reopen")])
def test_only_an_administrator_goes_back(state, name):
    assert name not in allowed_moves(state, Actor.ATHLETE)
    with pytest.raises(NotAllowed):
        move(name, state, DATES, PREP, actor=Actor.ATHLETE)


def test_preparation_does_not_reopen_once_the_event_has_begun():
    with pytest.raises(ForbiddenMove, match="has begun"):
        move("back_to_prep", S.TRAINING, DATES, EVENT, actor=Actor.ADMIN)


def test_archiving_waits_for_the_wrap_up():
    with pytest.raises(ForbiddenMove, match="wrap-up"):
        move(
            "archive", S.MISSION_COMPLETE, DATES, AFTER,
            actor=Actor.ATHLETE, is_wrapup_settled=False,
        )  # fmt: skip


@given(st.sampled_from(S), st.integers(-400, 400), st.booleans())
def test_advancing_twice_changes_nothing_more(state, days, is_ready):
    today = EVENT + timedelta(days=days)
    steps = advance(state, DATES, today, is_ready_to_start=is_ready)
    end = steps[-1].target if steps else state

    assert advance(end, DATES, today, is_ready_to_start=is_ready) == ()
    assert all(a.target == b.origin for a, b in itertools.pairwise(steps))


YES = {
    S.PREP: {"name", "notifications", "dates", "rules", "safety", "zone"},
    S.TRAINING: {"name", "notifications", "dates", "rules", "safety", "zone"},
    S.EVENT_ACTIVE: {"name", "notifications", "dates", "safety", "zone"},
    S.MISSION_COMPLETE: {"notifications"},
    S.ARCHIVED: set(),
}
SAMPLE = {
    "name": {"name": "New"}, "notifications": {"notifications": {}}, "rules": {"stage_plan": {}},
    "dates": {"event_end": date(2026, 6, 20)}, "safety": {"injuries": []},
    "zone": {"timezone": "Europe/Paris"},
}  # fmt: skip


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("group", SAMPLE)
def test_what_is_editable_when(state, group):
    assert (group in editable_groups(state)) == (group in YES[state])
    change = SAMPLE[group]
    if group in YES[state]:
        check_edit(state, change, dates=DATES, today=PREP)
    else:
        with pytest.raises(EditLocked) as locked:
            check_edit(state, change, dates=DATES, today=PREP)
        assert set(locked.value.fields) == set(change)


@pytest.mark.parametrize(
    ("state", "change", "today", "is_fine"),
    [
        (S.PREP, {"event_start": date(2026, 1, 1)}, PREP, False),
        (S.PREP, {"prep_start": date(2026, 3, 1)}, PREP, True),
        (S.TRAINING, {"event_start": PREP}, PREP, False),
        (S.TRAINING, {"event_start": PREP + timedelta(days=1)}, PREP, True),
        (S.TRAINING, {"prep_start": PREP}, PREP, False),
        (S.EVENT_ACTIVE, {"event_end": date(2026, 6, 13)}, EVENT, False),
        (S.EVENT_ACTIVE, {"event_end": date(2026, 6, 16)}, EVENT, True),
        (S.EVENT_ACTIVE, {"event_start": date(2026, 6, 8)}, EVENT, False),
    ],
)
def test_dates_that_passed_stay_passed(state, change, today, is_fine):
    if is_fine:
        check_edit(state, change, dates=DATES, today=today)
        return
    with pytest.raises((EditLocked, InvalidInput)) as refused:
        check_edit(state, change, dates=DATES, today=today)
    assert set(refused.value.fields) == set(change)


def test_an_administrator_may_mend_the_plan_during_the_event_with_a_reason():
    with pytest.raises(EditLocked):
        check_edit(S.EVENT_ACTIVE, {"stage_plan": {}}, dates=DATES, today=EVENT, actor=Actor.ADMIN)

    check_edit(
        S.EVENT_ACTIVE, {"stage_plan": {}}, dates=DATES, today=EVENT, actor=Actor.ADMIN,
        reason="stage 4 was shortened",
    )  # fmt: skip


def test_an_unknown_field_is_named():
    with pytest.raises(InvalidInput) as refused:
        check_edit(S.PREP, {"colour": "red"}, dates=DATES, today=PREP)
    assert refused.value.fields == {"colour": ["Unknown field."]}


def test_results_have_three_days_of_grace():
    check_result_edit(S.EVENT_ACTIVE, today=LAST, completed_on=None, actor=Actor.ATHLETE)
    check_result_edit(
        S.MISSION_COMPLETE, today=AFTER + timedelta(days=3), completed_on=AFTER,
        actor=Actor.ATHLETE,
    )  # fmt: skip
    late = AFTER + timedelta(days=4)
    with pytest.raises(EditLocked):
        check_result_edit(S.MISSION_COMPLETE, today=late, completed_on=AFTER, actor=Actor.ATHLETE)
    check_result_edit(
        S.MISSION_COMPLETE, today=late, completed_on=AFTER, actor=Actor.ADMIN, reason="late file"
    )
    with pytest.raises(EditLocked):
        check_result_edit(S.TRAINING, today=PREP, completed_on=None, actor=Actor.ADMIN, reason="x")
