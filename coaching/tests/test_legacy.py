"""The legacy files: what is read, what is refused, what is reported."""

import json
from datetime import UTC, date, datetime

import pytest

from coaching.legacy.mission_file import read_mission
from coaching.legacy.points_file import read_points
from racecontrol.shared.errors import InvalidInput
from racecontrol.testing.shared_cases import needs_shared, shared_path

MISSION = b"""
id = "bay-2026"
name = "Bay Tour"
athlete_id = "${STRAVA_ATHLETE_ID}"
start_date = 2026-02-01
goal_date = 2026-06-09
[constraints]
min_readiness = 68
mystery = 1
[athlete]
ftp = 205
[tdf_simulation]
start_date = 2026-06-06
end_date = 2026-06-09
total_stages = 4
rest_days = ["2026-06-08"]
[tdf_simulation.stages]
1 = "flat"
2 = "time_trial"
3 = "lunar"
[tdf_simulation.points.flat]
gc = 5
breakaway = 8
[tdf_simulation.bonuses]
consecutive_5_stages = 6
luck = 1
[tdf_simulation.safety]
force_rest_tsb = -20
"""


def stage(number=1, kind="flat", mode="gc", points=5, **more):
    return {
        "stage_number": number, "stage_type": kind, "ride_mode": mode, "points_earned": points,
        "completed_at": "2026-06-06T19:12:44.120001", "activity_data": {},
    } | more  # fmt: skip


def read(stages, **more):
    mission = read_mission(MISSION)
    data = json.dumps({"stages": stages} | more).encode()
    return read_points(data, schema=mission.schema, plan=mission.plan)


def test_a_mission_file_becomes_ours():
    mission = read_mission(MISSION)

    assert (mission.legacy_id, mission.name, mission.event_name) == (
        "bay-2026",
        "Bay Tour",
        "Bay Tour",
    )
    assert mission.dates.prep_start == date(2026, 2, 1)
    assert [(s.number, s.on.day, s.type) for s in mission.plan.stages] == [
        (1, 6, "flat"), (2, 7, "itt"), (3, 9, "flat"),
    ]  # fmt: skip
    assert mission.constraints == {"min_readiness": 68, "force_rest_tsb": -20}
    assert mission.schema.is_calendar_streak
    text = "\n".join(mission.differences)
    for words in ("athlete_id", "mystery", "'lunar'", "total_stages says 4", "luck", "says 6"):
        assert words in text
    assert "STRAVA" not in text


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'id = "bay-2026"', b"id = 7", "id"),
        (b'id = "bay-2026"', b'id = "${HOME}"', "id"),
        (b"start_date = 2026-02-01", b'start_date = "soon"', "start_date"),
        (b"ftp = 205", b'ftp = "high"', "athlete.ftp"),
        (b"gc = 5", b"gc = 5.5", "tdf_simulation.points.flat"),
        (b"2026-06-08", b"2026-06-38", "tdf_simulation.rest_days"),
        (b'1 = "flat"', b'x = "flat"', "tdf_simulation.stages.x"),
    ],
)
def test_a_broken_mission_file_names_the_field(old, new, field):
    with pytest.raises(InvalidInput) as refused:
        read_mission(MISSION.replace(old, new))
    assert field in refused.value.fields


@pytest.mark.parametrize("data", [b"\xff\xfe", b"not = = toml", b"x" * 300_000])
def test_what_is_no_toml_is_refused(data):
    with pytest.raises(InvalidInput):
        read_mission(data)


def test_points_rows_are_kept_and_recomputed():
    found = read({"2026-06-06": stage(points=7)})

    [row] = found.stages
    assert (row.points, row.computed_points) == (7, 5)
    assert row.completed_at == datetime(2026, 6, 6, 19, 12, 44, 120001, tzinfo=UTC)
    assert "gives stage 1 7 points, the table 5" in "\n".join(found.differences)


@pytest.mark.parametrize(
    ("stages", "field"),
    [
        ({"2026-06-31": stage()}, "stages.2026-06-31"),
        ({"2026-06-06": stage(number="one")}, "stages.2026-06-06.stage_number"),
        ({"2026-06-06": stage(mode="sprint")}, "stages.2026-06-06.ride_mode"),
        ({"2026-06-06": stage(points=5.5)}, "stages.2026-06-06.points_earned"),
        ({"2026-06-06": stage(completed_at="noon")}, "stages.2026-06-06.completed_at"),
        ({"2026-06-06": stage(), "2026-06-07": stage()}, "stages (number 1)"),
        ([], "stages"),
    ],
)
def test_a_broken_row_is_refused_by_name(stages, field):
    with pytest.raises(InvalidInput) as refused:
        read(stages)
    assert field in refused.value.fields


def test_doubled_keys_and_nan_are_refused():
    mission = read_mission(MISSION)
    for data in (b'{"stages": {}, "stages": {}}', b'{"stages": {}, "total_points": NaN}', b"[]"):
        with pytest.raises(InvalidInput):
            read_points(data, schema=mission.schema, plan=mission.plan)


def samples(points):
    folder = shared_path("cases/coaching")
    mission = read_mission((folder / "mission_legacy.toml").read_bytes())
    data = (folder / points).read_bytes()
    return mission, read_points(data, schema=mission.schema, plan=mission.plan)


@needs_shared
def test_the_clean_sample():
    mission, found = samples("tdf_points_clean.json")

    assert [(s.number, s.on.day, s.type) for s in mission.plan.stages][4:6] == [
        (5, 11, "mountain"), (6, 12, "hilly"),
    ]  # fmt: skip
    assert [(s.number, s.mode, s.points, s.computed_points) for s in found.stages] == [
        (1, "gc", 5, 5), (2, "gc", 7, 7), (4, "breakaway", 15, 15),
    ]  # fmt: skip
    assert found.progress.total == 27
    assert list(found.differences) == [
        "2026-06-08: the file has stage 4, the calendar stage 3",
        "no row for stage 3, 5, 6, 7, 8",
    ]


@needs_shared
def test_every_damage_of_the_messy_sample_is_listed():
    _mission, found = samples("tdf_points_messy.json")

    assert [s.number for s in found.stages] == [1, 2, 4, 5, 6]
    text = "\n".join(found.differences)
    for words in (
        "out of date order",
        "stage 7 of 2026-06-12 is nested",
        "counter total_points leaked",
        "counter stages_completed leaked",
        "counter gc_count leaked",
        "'test' is unknown",
        "gives stage 2 5 points, the table 7",
        "gives stage 6 7 points, the table 5",
        "stage 6 was ridden as flat, the plan has hilly",
        "counter total_points: the file says 40, its rows give 37",
        "counter stages_completed: the file says 9, its rows give 5",
        "counter consecutive_stages: the file says 5, its rows give 4",
        "counter gc_count: the file says 4, its rows give 3",
        "bonus consecutive_5 is listed but the rows do not earn it",
        "used activity 900000000777 has no stage",
        "activity 900000000002 of a stage is not listed as used",
        "no row for stage 3, 7, 8",
    ):
        assert words in text, words
    assert all(not isinstance(v, dict) for s in found.stages for v in s.details.values())
    assert "Invented trainer ride" not in json.dumps([s.details for s in found.stages])
