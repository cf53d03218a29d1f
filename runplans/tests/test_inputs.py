"""What is refused, and under which names: nobody's typing mistake becomes a plan."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racecontrol.shared.errors import InvalidInput
from runplans.domain.answer import calculate
from runplans.domain.document import read_document, write_document

GOOD = {"required_laps": 10, "fuel_burn_l_per_lap": 2.5, "car": {"tank_capacity_l": 60}}
TIMED = {"run_duration_min": 30, "target_pace_s": 90, "fuel_burn_l_per_lap": 2.5}


def refused(body):
    with pytest.raises(InvalidInput) as refusal:
        calculate(body if isinstance(body, str | bytes) else json.dumps(body))
    assert refusal.value.status == 422
    assert refusal.value.code == "validation_error"
    return sorted(refusal.value.fields)


@pytest.mark.parametrize(
    "body",
    [
        *("", "nonsense", "[]", "12", "null", '"text"', "NaN", '{"required_laps":10', "{'a':1}"),
        pytest.param(b'{"title":"\xff"}', id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param('{"title":"tab\tinside"}', id="control character"),
        pytest.param('{"car":' + "[" * 5_000 + "]" * 5_000 + "}", id="deep nesting"),
    ],
)
def test_a_body_that_cannot_be_read_is_named_body(body):
    assert refused(body) == ["body"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"required_laps": 0}, ["required_laps"]),
        ({"required_laps": -3}, ["required_laps"]),
        ({"required_laps": 25.5}, ["required_laps"]),
        ({"required_laps": True}, ["required_laps"]),
        ({"required_laps": 20_001}, ["required_laps"]),
        ({"required_laps": [10]}, ["required_laps"]),
        ({"fuel_burn_l_per_lap": -1}, ["fuel_burn_l_per_lap"]),
        ({"fuel_burn_l_per_lap": 0.0000001}, ["fuel_burn_l_per_lap"]),
        ({"fuel_burn_l_per_lap": 1001}, ["fuel_burn_l_per_lap"]),
        ({"fuel_burn_l_per_lap": None}, ["fuel_burn_l_per_lap"]),
        ({"run_duration_min": 30}, ["target_pace_s"]),
        ({"run_duration_min": 0.5, "target_pace_s": 10}, ["run_duration_min"]),
        ({"run_duration_min": 20_161, "target_pace_s": 90}, ["run_duration_min"]),
        ({"target_pace_s": 0}, ["target_pace_s"]),
        ({"target_pace_s": 86_401}, ["target_pace_s"]),
        ({"starting_fuel_l": -0.1}, ["starting_fuel_l"]),
        ({"car": {"tank_capacity_l": 0}}, ["car.tank_capacity_l"]),
        ({"car": {"tank_capacity_l": "60"}}, ["car.tank_capacity_l"]),
        ({"car": "a kart"}, ["car"]),
        ({"tank_capacity_l": 61}, ["tank_capacity_l"]),
        ({"tank_capacity_l": 60.0}, []),
        ({"track": {"pit_lane_loss_s": "45"}}, ["track.pit_lane_loss_s"]),
        ({"track": {"pit_lane_loss_s": -1}}, ["track.pit_lane_loss_s"]),
        ({"weather": []}, ["weather"]),
        ({"title": 12}, ["title"]),
        ({"title": "x" * 201}, ["title"]),
        ({"objective": "x" * 200}, []),
        ({"title": "a\x00b"}, ["title"]),
        ({"driver": {"name": "\ud800"}}, ["driver.name"]),
        ({"weather": {"wind": [{"m_s": float("nan")}]}}, ["weather.wind.0.m_s"]),
        ({"track": {"length_km": float("inf")}}, ["track.length_km"]),
        ({"finish_rule": "ceil"}, ["finish_rule"]),
        ({"fill_policy": 1}, ["fill_policy"]),
        ({"pit_time_counts": "yes"}, ["pit_time_counts"]),
        ({"options": ["saving", "magic"]}, ["options"]),
        ({"options": "saving"}, ["options"]),
        ({"options": [["saving"]]}, ["options"]),
        ({"reserve_laps": -1}, ["reserve_laps"]),
        ({"reserve_l": "1"}, ["reserve_l"]),
        ({"reserve_l": 58}, ["reserve_l"]),
        ({"starting_fuel": 20, "Title": "x"}, ["Title", "starting_fuel"]),
        ({"required_laps": 10.0}, []),
        ({"title": None, "track": None, "starting_fuel_l": None}, []),
        (
            {"required_laps": "x", "fuel_burn_l_per_lap": 0, "starting_fuel_l": 61, "weather": 1},
            ["fuel_burn_l_per_lap", "required_laps", "starting_fuel_l", "weather"],
        ),
    ],
)
def test_every_wrong_field_is_named(change, fields):
    body = GOOD | change
    if fields:
        assert refused(body) == fields
    else:
        assert calculate(json.dumps(body))[0] == body


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"run_duration_min": 1}, ["run_duration_min"]),  # a lap takes 90 s
        ({"target_pace_s": 0.01}, ["run_duration_min"]),  # 180 000 laps
        ({"target_pace_s": None}, ["target_pace_s"]),
        ({"pit_time_counts": True}, ["track.pit_lane_loss_s"]),
        ({"fill_policy": "full"}, ["fill_policy"]),
        ({"required_laps": 21}, ["required_laps"]),
        ({"required_laps": 20}, []),
        ({"required_laps": 21, "target_pace_s": 89, "finish_rule": "finish_lap"}, []),
        ({"required_laps": 22, "fuel_burn_l_per_lap": None}, None),
    ],
)
def test_numbers_that_contradict_each_other(change, fields):
    body = TIMED | change
    if fields is None:
        assert refused(body) == ["fuel_burn_l_per_lap", "required_laps"]
    elif fields:
        assert refused(body) == fields
    else:
        assert calculate(json.dumps(body))[1]["estimated_laps"] == body["required_laps"]


@pytest.mark.parametrize(
    ("literal", "ok"),
    [
        ("1e999", False),
        ("-1e999", False),
        ("1e999999999999999999999", False),
        ("1e-999999999999999999999", False),
        ("9" * 5_000, False),
        ("-" + "9" * 308, True),
        ("1e308", True),
        ("1e-400", True),
        ("1e-401", False),
        ("0.1000000000000000055511151231257827", True),
    ],
)
def test_numbers_nobody_can_hold_are_refused_where_they_stand(literal, ok):
    body = json.dumps(GOOD)[:-1] + ',"track":{"deep":[{"n":' + literal + "}]}}"
    if ok:
        assert literal in write_document(calculate(body)[0]).replace("E+", "e").replace("E", "e")
    else:
        assert refused(body) == ["track.deep.0.n"]


@pytest.mark.parametrize("literal", ["1e999", "9" * 5_000, "1e999999999", "-Infinity", "1e400"])
@pytest.mark.parametrize("field", ["required_laps", "fuel_burn_l_per_lap", "target_pace_s"])
def test_huge_numbers_in_a_known_field_name_that_field(field, literal):
    rest = {k: v for k, v in GOOD.items() if k != field}

    assert refused(json.dumps(rest)[:-1] + f',"{field}":{literal}}}') == [field]


def test_more_stints_than_anyone_drives_are_refused():
    assert refused(GOOD | {"required_laps": 20_000, "car": {"tank_capacity_l": 3}}) == [
        "car.tank_capacity_l"
    ]


def test_a_key_given_twice_keeps_the_last_as_json_readers_do():
    body = '{"required_laps":NaN,"required_laps":4,"fuel_burn_l_per_lap":1}'

    assert write_document(calculate(body)[0]) == '{"required_laps": 4, "fuel_burn_l_per_lap": 1}'


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(free=st.dictionaries(texts, values, max_size=4))
@settings(max_examples=150, deadline=None)
def test_what_was_sent_is_what_is_written(free):
    sent = json.dumps({"weather": free})

    document, faults = read_document(sent)

    assert not faults
    assert json.loads(write_document(document)) == json.loads(sent)


@given(body=st.binary(max_size=60) | st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_nothing_that_is_sent_breaks_the_reader(body):
    with pytest.raises(InvalidInput):
        calculate(body)
