"""manage.py plan_run: the same plan from the terminal."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from racecontrol.testing.shared_cases import shared_json
from runplans.models import RunPlan
from runplans.tests.builders import INPUTS

pytestmark = pytest.mark.django_db

CASES = (shared_json("cases/runplans.json") or {"cases": []})["cases"]


def run(*arguments, stdin=None, monkeypatch=None):
    if stdin is not None:
        source = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        monkeypatch.setattr("sys.stdin", source)
    out = io.StringIO()
    code = 0
    try:
        call_command("plan_run", *arguments, stdout=out)
    except SystemExit as ended:
        code = ended.code
    return code, out.getvalue()


def test_options_give_a_plan_in_words():
    code, text = run(
        *["--laps", "25", "--burn", "2,7", "--tank", "60", "--pace", "1:30.6", "--saving"]
    )

    assert code == 0
    assert "25 laps, 67.5 L needed, 1 stop, time 37:45" in text
    assert "+7.5 L" in text
    assert "The tank is empty after lap 25" in text
    assert "2.4 L a lap or less" in text
    assert RunPlan.objects.count() == 0


def test_json_is_what_the_api_gives(stranger, tmp_path, monkeypatch):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(INPUTS))

    from_file = json.loads(run(str(file), "--json")[1])
    from_stdin = run("--json", stdin=json.dumps(INPUTS), monkeypatch=monkeypatch)[1]
    inline = run("--json", json.dumps(INPUTS))[1]

    assert json.loads(from_stdin) == json.loads(inline) == from_file
    assert from_file["inputs"] == INPUTS
    assert from_file["result"]["total_fuel_required_l"] == 67.5


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_owners_cases_at_the_terminal(case, monkeypatch):
    code, text = run("--json", stdin=case["body"], monkeypatch=monkeypatch)

    expected, answer = case["expect"], json.loads(text)
    if expected["status"] == 422:
        assert code == 1
        assert sorted(answer["error"]["fields"]) == sorted(expected["error_fields"])
        return
    notes = answer["result"].pop("notes")
    assert code == 0
    assert answer["result"] == expected["result"]
    assert [note.split(":")[0] for note in notes] == expected["note_codes"]


def test_store_keeps_the_plan_for_its_owner(user):
    _, text = run("--laps", "10", "--burn", "2.5", "--store", "--owner", "sam", "--json")

    plan = RunPlan.objects.get()
    assert json.loads(text)["id"] == str(plan.pk)
    assert plan.owner == user
    assert "stored as" in run("--laps", "10", "--burn", "2.5", "--store")[1]
    assert RunPlan.objects.filter(owner=None).count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--laps", "x", "--burn", "1"], "required_laps: Must be a number"),
        (["--laps", "5"], "fuel_burn_l_per_lap: Required"),
        (["missing.json"], "missing.json cannot be read"),
        (["{}", "--laps", "5"], "not both"),
        (["--laps", "5", "--burn", "1", "--store", "--owner", "nobody"], "no user nobody"),
        (["--laps", "5", "--burn", "1", "--pace", "1:75"], "target_pace_s: Must be a number"),
    ],
)
def test_a_refusal_says_what_to_mend(arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)

    assert RunPlan.objects.count() == 0


def test_a_huge_document_is_refused(tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(INPUTS | {"weather": {"x": "y" * 70_000}}))

    with pytest.raises(CommandError, match="at most 64 KB"):
        run(str(file))
