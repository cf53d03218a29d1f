"""Old races get their session type: by a real command, killed and gone on with, and taken back."""

from io import StringIO

import pglock
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ingestion.models import Race, SessionTypeBackfill, SessionTypeChange
from ingestion.services import session_types
from ingestion.services.races import override_session_type
from ingestion.services.saving.races import infer_type
from ingestion.tests.builders import make_event, make_race
from racecontrol.models import AuditEvent
from racecontrol.shared.errors import NotReady
from racecontrol.testing import workers
from racecontrol.testing.running import until

pytestmark = pytest.mark.django_db
COMMAND = "backfill_session_types"
# A lock held in a test's transaction is a savepoint, and a savepoint forgets what was done in it.
committed = pytest.mark.django_db(transaction=True)


def run(*args: str) -> str:
    out = StringIO()
    call_command(COMMAND, *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def make_history(event=None) -> dict[str, Race]:
    """One race of each kind the command has to tell apart, none with a type."""
    event = event or make_event()
    rows = [
        ("heat", "Buggy (Heat 1/3)", "Qualifier Round 1", "Q"),
        ("practice", "Truggy (Heat 1/3)", "Practice Round 1", "P"),
        ("header only", "Practice Makes Perfect Buggy (Heat 2/3)", "Seeding Round 1", ""),
        ("ladder", "Semi A (Even) Practice A-Main", "Main Events", "M"),
        ("torn", "Buggy (Heat 3/3)", "Qualifier Round 2", "M"),
        ("bare", "Fun Day Race 2", "", ""),
        ("main", "Buggy A-Main", "Main Events", "M"),
    ]
    return {
        name: make_race(event=event, label=label, round_label=header, round_code=code, run_order=at)
        for at, (name, label, header, code) in enumerate(rows, start=1)
    }


def types(races: dict[str, Race]) -> dict[str, tuple]:
    fresh = Race.objects.in_bulk([race.pk for race in races.values()])
    return {
        name: (fresh[race.pk].session_type, fresh[race.pk].session_type_confidence)
        for name, race in races.items()
    }


UNTOUCHED = dict.fromkeys(make_names := (
    "heat", "practice", "header only", "ladder", "torn", "bare", "main"), (None, ""))  # fmt: skip
SURE = UNTOUCHED | {
    "heat": ("qualifying", "high"),
    "practice": ("practice", "high"),
    "header only": ("qualifying", "high"),  # header, and a heat before the first main
    "ladder": (None, "low"),
    "torn": (None, "low"),
    "main": ("race", "high"),
}


def test_only_sure_types_are_written_and_contradictions_go_to_the_review_queue():
    races = make_history()

    said = run()

    assert types(races) == SURE
    assert "7 races without a type read" in said
    assert "2 contradictory" in said
    assert "counts add up: none 7 → none 3, practice 1, qualifying 2, race 1" in said
    queue = Race.objects.filter(session_type_confidence="low", session_type_override="")
    assert {race.pk for race in queue} == {races["torn"].pk, races["ladder"].pk}
    assert {signal["says"] for signal in queue.first().session_type_signals} >= {"race"}


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        ("medium", SURE | {"ladder": ("practice", "medium")}),
        ("low", SURE | {"ladder": ("practice", "medium"), "bare": ("race", "low")}),
    ],
)
def test_less_sure_types_are_written_when_asked_for(least, expected):
    races = make_history()

    run("--min-confidence", least)

    assert types(races) == expected


def test_it_says_what_an_import_would_have_said():
    races = make_history()
    mains = [race.run_order for race in races.values() if race.main]

    run("--min-confidence", "low")

    for name, race in races.items():
        race.refresh_from_db()
        if name != "torn":
            values = infer_type(race, None, first_main_order=min(mains))
            assert {field: getattr(race, field) for field in values} == values


def test_a_practice_session_is_of_a_practice_day():
    race = make_race(label="Sam Smith", round_label="", source=Race.Source.PRACTICE)

    run()

    race.refresh_from_db()
    assert (race.session_type, race.session_type_confidence) == ("practiceday", "high")


def test_a_dry_run_counts_and_writes_nothing():
    races = make_history()

    said = run("--dry-run")

    assert types(races) == UNTOUCHED
    assert "2 qualifying (high)" in said
    assert f"race {races['torn'].pk}, Qualifier Round 2" in said
    assert not SessionTypeBackfill.objects.exists()
    assert not SessionTypeChange.objects.exists()


def test_every_change_has_a_line_with_before_and_after():
    races = make_history()

    run()

    lines = {line.race_id: line for line in SessionTypeChange.objects.all()}
    assert lines.keys() == {races[name].pk for name in make_names if name != "bare"}
    line = lines[races["heat"].pk]
    assert (line.before_type, line.before_confidence) == ("", "")
    assert (line.after_type, line.after_confidence) == ("qualifying", "high")
    verbs = AuditEvent.objects.order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["session_types.backfill_started", "session_types.backfilled"]


def test_again_there_is_nothing_to_do():
    races = make_history()
    run()
    before = list(Race.objects.order_by("pk").values_list("pk", "updated_at"))

    said = run()

    assert "run" in said
    assert "1 races without a type read" in said  # the bare one
    assert types(races) == SURE
    assert list(Race.objects.order_by("pk").values_list("pk", "updated_at")) == before


def test_a_persons_word_and_what_imports_said_stay(staff):
    races = make_history()
    Race.objects.filter(pk=races["main"].pk).update(
        session_type="practice", session_type_confidence="medium"
    )
    override_session_type(race_id=races["heat"].pk, session_type="race", by=staff)

    run()

    assert types(races)["main"] == ("practice", "medium")
    races["heat"].refresh_from_db()
    assert (races["heat"].session_type, races["heat"].kind) == ("qualifying", "race")


class Stopped(Exception):
    pass


def stop_after(steps: int):
    seen = []

    def listen(step):
        seen.append(step)
        if len(seen) == steps:
            raise Stopped

    return listen


@committed
def test_an_interrupted_run_goes_on_where_it_stood():
    races = make_history()
    with pytest.raises(Stopped):
        session_types.backfill(batch=2, on_progress=stop_after(2))
    assert SessionTypeChange.objects.count() == 4

    summary = session_types.backfill(batch=2)

    assert (summary.was_resumed, summary.seen, summary.changed) == (True, 7, 6)
    assert types(races) == SURE
    assert SessionTypeBackfill.objects.get().is_consistent


@committed
def test_an_unfinished_run_is_not_mixed_with_another_confidence():
    make_history()
    with pytest.raises(Stopped):
        session_types.backfill(batch=2, on_progress=stop_after(1))

    with pytest.raises(CommandError, match="--min-confidence high is unfinished"):
        run("--min-confidence", "low")


def test_a_rollback_gives_every_race_back():
    races = make_history()
    before = {race.pk: race.session_type_signals for race in races.values()}
    run()
    run_id = SessionTypeBackfill.objects.get().pk

    said = run("--rollback", str(run_id))

    assert types(races) == UNTOUCHED
    assert {race.pk: race.session_type_signals for race in Race.objects.all()} == before
    assert "6 races are as before" in said
    assert not SessionTypeChange.objects.filter(rolled_back_at=None).exists()
    with pytest.raises(CommandError, match="rolled back already"):
        run("--rollback", str(run_id))
    assert types(races) == UNTOUCHED
    run()
    assert types(races) == SURE


def test_a_rollback_keeps_what_was_changed_since():
    races = make_history()
    run()
    Race.objects.filter(pk=races["main"].pk).update(session_type="practice")

    said = run("--rollback", str(SessionTypeBackfill.objects.get().pk))

    assert types(races)["main"] == ("practice", "high")
    assert "5 races are as before, 1 changed since and kept" in said


@committed
def test_an_interrupted_rollback_goes_on_and_bars_new_runs():
    races = make_history()
    run()
    run_id = SessionTypeBackfill.objects.get().pk
    with pytest.raises(Stopped):
        session_types.roll_back(run_id=run_id, batch=2, on_progress=stop_after(1))

    with pytest.raises(CommandError, match=f"--rollback {run_id}"):
        run()
    run("--rollback", str(run_id))

    assert types(races) == UNTOUCHED


@committed
def test_a_half_done_run_can_be_rolled_back():
    races = make_history()
    with pytest.raises(Stopped):
        session_types.backfill(batch=2, on_progress=stop_after(2))

    run("--rollback", str(SessionTypeBackfill.objects.get().pk))

    assert types(races) == UNTOUCHED


def test_counts_that_do_not_add_up_are_told():
    races = make_history()

    def meddle(step):
        Race.objects.filter(pk=races["bare"].pk).update(session_type="qualifying")

    summary = session_types.backfill(on_progress=meddle)

    assert summary.is_consistent is False
    assert SessionTypeBackfill.objects.get().is_consistent is False


def test_a_race_an_import_reached_first_keeps_the_imports_word(monkeypatch):
    races = make_history()
    real = session_types._write

    def import_meanwhile(row, said):
        Race.objects.filter(pk=races["main"].pk).update(
            session_type="practice", session_type_confidence="high"
        )
        return real(row, said)

    monkeypatch.setattr(session_types, "_write", import_meanwhile)
    summary = session_types.backfill()

    assert summary.overtaken == 1
    assert types(races)["main"] == ("practice", "high")
    assert not SessionTypeChange.objects.filter(race_id=races["main"].pk).exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--batch", "0"], "batch: 1 to 100,000"),
        (["--rollback", "999999"], "There is no run 999999"),
        (["--rollback", "1", "--dry-run"], "does not go with"),
        (["--min-confidence", "certain"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(args, words):
    with pytest.raises(CommandError, match=words):
        run(*args)


@committed
def test_two_at_once_do_not_go():
    make_history()
    other = connection.copy()
    with other.cursor() as cursor:
        lock = pglock.advisory("session_type_backfill")
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock.int_lock_id])
        try:
            with pytest.raises(NotReady, match="Another process"):
                session_types.backfill()
        finally:
            other.close()


CHILD = """
from django.core.management import call_command
call_command("backfill_session_types", batch=50)
"""


@pytest.mark.processes
@committed
def test_a_killed_command_goes_on_and_writes_nothing_twice():
    event = make_event()
    total = 2_000
    sample = make_race(
        event=event, label="Buggy (Heat 1/3)", round_label="Qualifier Round 1", round_code="Q"
    )
    Race.objects.bulk_create(
        Race(
            event=event, race_class=sample.race_class, source_race_id=f"k{number}",
            round_label=sample.round_label, round_code="Q", label=sample.label,
            heat=1, heats=3, run_order=number, state=Race.State.IMPORTED,
        )
        for number in range(1, total)
    )  # fmt: skip
    # The last race is held by somebody, so the command cannot end before it is killed.
    holder = connection.copy()
    last = Race.objects.order_by("-pk").first()
    process = None
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM ingestion_race WHERE id = %s FOR UPDATE", [last.pk])
            process = workers.start(CHILD)
            until(lambda: SessionTypeChange.objects.count() >= 200, "some are changed")
            workers.end(process)
            cursor.execute("ROLLBACK")
    finally:
        holder.close()
        if process:
            workers.end(process)
    until(lambda: not is_held("session_type_backfill"), "its lock is free")
    half = SessionTypeBackfill.objects.get()
    assert half.state == "running"
    assert half.seen == SessionTypeChange.objects.count() < total

    summary = session_types.backfill(batch=50)

    assert (summary.was_resumed, summary.run_id) == (True, half.pk)
    assert (summary.seen, summary.changed, summary.is_consistent) == (total, total, True)
    assert not Race.objects.filter(session_type=None).exists()


def is_held(name: str) -> bool:
    """Does a session of the server still hold the lock? A killed client's goes within seconds."""
    with pglock.advisory(name, timeout=0, side_effect=pglock.Return) as is_free:
        return not is_free


def test_the_admin_shows_the_run_and_its_trail(staff, stranger):
    races = make_history()
    run()
    stranger.force_login(staff)

    page = stranger.get(
        f"/admin/ingestion/sessiontypebackfill/{SessionTypeBackfill.objects.get().pk}/change/"
    )

    assert page.status_code == 200
    assert f"race {races['heat'].pk}: none → qualifying" in page.content.decode()
    assert stranger.get("/admin/ingestion/sessiontypebackfill/").status_code == 200
