"""`manage.py orp`: the score on the command line, without a database."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

STEADY = "58.12,58.03,58.2,57.95,58.31,58.08,57.99,58.15"


def orp(*args: str, capsys) -> str:
    call_command("orp", *args)
    return capsys.readouterr().out


def test_v2_prints_the_published_fields(capsys):
    answer = json.loads(
        orp("--laps", f"75.2,{STEADY}", "--flags", "1=out", "--json", capsys=capsys)
    )

    assert (answer["status"], answer["clean"], answer["laps"]) == ("valid", 8, 9)
    assert answer["excluded"] == {"1": "out"}
    assert answer["score"] > 97
    assert {"low", "high", "quality", "spread_pct", "race_pace_s", "potential_s"} <= set(answer)


def test_v1_prints_the_published_fields(capsys):
    told = ("--laps", "58.1,58.0,58.2,58.1,58.0", "--formula", "v1", "--confidence", "5")

    answer = json.loads(orp(*told, "--experience", "Pro", "--json", capsys=capsys))

    assert (answer["orp_score"], answer["experience_level"]) == (99.9, "Pro")
    assert answer["components"]["driver_confidence"] == 5


def test_the_race_kind_leaves_out_the_grid_lap(capsys):
    answer = json.loads(orp("--laps", f"64.4,{STEADY}", "--kind", "race", "--json", capsys=capsys))

    assert answer["excluded"] == {"1": "start"}


def test_flags_as_positions_from_zero(capsys):
    answer = json.loads(
        orp("--laps", f"75.2,{STEADY}", "--flags", '{"0": "out"}', "--json", capsys=capsys)
    )

    assert answer["excluded"] == {"1": "out"}


def test_for_people_it_prints_sentences(capsys):
    said = orp("--laps", STEADY, "--confidence", "2", capsys=capsys)

    assert said.startswith("ORP v2 9")
    assert "No setup change" in said
    assert "no score" in orp("--laps", "58.1", capsys=capsys)
    assert "two laps" in orp("--laps", "", "--formula", "v1", capsys=capsys)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--laps", "58.1,abc"], "Lap 2: “abc” is not a lap time"),
        (["--laps", "58.1,0"], "Lap 2: A lap time is above zero"),
        (["--laps", STEADY, "--confidence", "6"], "from 1 to 5"),
        (["--laps", STEADY, "--flags", "40=out"], "no lap 40"),
        (["--laps", STEADY, "--flags", "1=fast"], "none of"),
        (["--laps", STEADY, "--flags", "nonsense"], "looks like"),
    ],
)
def test_what_cannot_be_is_refused(args, message):
    with pytest.raises(CommandError, match=message):
        call_command("orp", *args)


def test_no_database_is_started_or_reached():
    """In a process of its own, with an address where no server is."""
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_VERSION"}
    env |= {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "PYTHONWARNINGS": "error"}

    ran = subprocess.run(
        [sys.executable, "manage.py", "orp", "--laps", STEADY, "--json"],
        check=False,
        cwd=settings.BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["status"] == "valid"
