"""Laps from a file and to a file."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from coaching.models import LapFile, OrpScore, RunLog
from coaching.queries import garage as queries
from coaching.services import garage, lap_files, laps
from coaching.services.lap_files import BadRows
from coaching.tasks import prune_lap_files
from coaching.tests.builders import STEADY, drive, make_session
from coaching.uploads.lap_csv import BadRow, CsvLap, read_lap_csv
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput

HEAD = "heat_name,lap_number,lap_time,confidence_rating,flag,kind\n"
IMPROVING = [61.0, 60.71, 60.12, 59.85, 59.28, 59.09, 58.6, 58.31]


def read(text: str) -> list:
    return list(read_lap_csv(io.StringIO(text)))


def csv_of(times, heat="Q1") -> str:
    return HEAD + "".join(f"{heat},{n},{time},,,\n" for n, time in enumerate(times, start=1))


# -- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "heat_name,lap_number,lap_time\nQ1,1,58.1\n",
        "lap_time,heat_name,lap_number\r\n58.1,Q1,1\r\n",
        "heat_name;lap_number;lap_time\nQ1;1;58,1\n",
        "\ufeffHeat_Name, Lap_Number ,lap_time\nQ1,1,0:58.1\n\n",
        'heat_name,lap_number,lap_time,note\n"Q1",1,58.100,hello\n',
    ],
)
def test_files_as_spreadsheets_write_them(text):
    assert [(lap.heat_name, lap.lap_number, lap.lap_ms) for lap in read(text)] == [
        ("Q1", 1, 58_100)
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Q1,1,fast,,,", "not a lap time"),
        ("Q1,1,0,,,", "above zero"),
        ("Q1,1,3600,,,", "below one hour"),
        ("Q1,x,58.1,,,", "lap number"),
        ("Q1,0,58.1,,,", "lap number"),
        ("Q1,-1,58.1,,,", "lap number"),
        ("Q1,100001,58.1,,,", "lap number"),
        (",1,58.1,,,", "No heat name"),
        (f"{'x' * 101},1,58.1,,,", "100 characters"),
        ("Q1,1,58.1,6,,", "Confidence"),
        ("Q1,1,58.1,,crash,", "no flag"),
        ("Q1,1,58.1,,,sprint", "no kind"),
        ("Q1,1,58.1", "3 cells"),
    ],
)
def test_a_bad_row_says_its_line_and_why(row, reason):
    good, bad = read(f"{HEAD}Q1,9,58.1,,,\n{row}\n")

    assert isinstance(good, CsvLap)
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert reason in bad.reason


@pytest.mark.parametrize(
    "text", ["", "hello\n", "heat_name,lap_time\nQ1,58.1\n", "\x00\x01", "x" * 5000]
)
def test_what_is_no_lap_file_is_refused(text):
    with pytest.raises(InvalidInput) as refusal:
        read(text)

    assert "file" in refusal.value.fields


# -- storing --------------------------------------------------------------------------------------


def load(session, text, **how):
    return lap_files.import_laps(
        io.StringIO(text), by=session.profile.user, session_id=session.pk, **how
    )


@pytest.mark.django_db
def test_a_file_becomes_laps_in_driven_order_and_scores(session):
    """The forerunner's file store sorted laps by time; an improving run fell from 98.4 to 93.2."""
    report = load(session, csv_of(IMPROVING))

    assert (report.rows, report.stored, report.heats) == (8, 8, 1)
    assert [lap.lap_ms / 1000 for lap in queries.laps_of(session)] == IMPROVING
    score = session.scores.get(heat__name="Q1", formula="v2")
    assert (score.result["fade_label"], score.score) == ("improving", 98.7)
    assert session.scores.get(heat__name="Q1", formula="v1").score == 98.4
    session.refresh_from_db()
    assert session.status == "active"


@pytest.mark.django_db
def test_a_second_import_changes_nothing(session):
    load(session, csv_of(STEADY))
    before = list(RunLog.objects.order_by("pk").values())
    hashes = list(OrpScore.objects.order_by("pk").values_list("inputs_hash", flat=True))

    report = load(session, csv_of(STEADY))

    assert (report.stored, report.there, report.different) == (0, 12, 0)
    assert list(RunLog.objects.order_by("pk").values()) == before
    assert list(OrpScore.objects.order_by("pk").values_list("inputs_hash", flat=True)) == hashes


@pytest.mark.django_db
def test_rows_may_come_in_any_order(session):
    load(session, HEAD + "Q1,2,58.2,,,\nQ2,1,57.1,,,\nQ1,1,58.1,4,,\nQ1,3,75.2,,out,race\n")

    rows = [(lap.heat.name, lap.lap_number, lap.flag) for lap in queries.laps_of(session)]
    assert rows == [("Q1", 1, ""), ("Q1", 2, ""), ("Q1", 3, "out"), ("Q2", 1, "")]
    assert session.heats.get(name="Q1").kind == "race"


@pytest.mark.django_db
def test_bad_rows_are_named_by_line_and_nothing_is_stored(session):
    text = HEAD + "Q1,1,58.1,,,\nQ1,2,fast,,,\nQ1,3,58.3,9,,\n"

    with pytest.raises(BadRows, match=r"2 of 3 rows .* line 3: .*line 4:") as refusal:
        load(session, text)

    assert [row["line"] for row in refusal.value.report.bad_rows] == [3, 4]
    assert not RunLog.objects.exists()
    report = load(session, text, skip_bad=True)
    assert (report.stored, report.bad) == (1, 2)


@pytest.mark.django_db
def test_a_lap_twice_in_a_file_must_agree(session):
    same = HEAD + "Q1,1,58.1,,,\nQ1,1,58.1,,,\n"
    other = HEAD + "Q2,1,58.1,,,\nQ2,1,59.9,,,\n"

    assert load(session, same).stored == 1
    with pytest.raises(BadRows, match="another time in line 2"):
        load(session, other)


@pytest.mark.django_db
def test_a_logged_lap_with_another_time_stays_and_is_told(session):
    drive(session, "Q1", [58.1])

    report = load(session, csv_of([59.9, 58.2]))

    assert (report.stored, report.there, report.different) == (1, 1, 1)
    assert queries.laps_of(session)[0].lap_ms == 58_100


@pytest.mark.django_db
def test_rows_name_sessions_of_their_owner_only(user, other, session):
    theirs = make_session(other)
    closed = make_session(user, name="Closed")
    garage.close_session(session_id=closed.pk, by=user)
    lines = [f"{pk},Q1,1,58.1" for pk in (session.pk, theirs.pk, closed.pk)]
    text = "session_id,heat_name,lap_number,lap_time\n" + "\n".join([*lines, ",Q1,2,58.2"])

    with pytest.raises(BadRows) as refusal:
        lap_files.import_laps(io.StringIO(text), by=user)

    reasons = [row["reason"] for row in refusal.value.report.bad_rows]
    assert reasons[0] == f"There is no session {theirs.pk}."
    assert "closed" in reasons[1]
    assert "No session" in reasons[2]


@pytest.mark.django_db
def test_what_is_exported_is_imported_without_a_change(client, user, session):
    drive(session, "=Q1", [*STEADY[:3], 75.2], confidence=4)
    drive(session, "A-Main", [57.0, 62.345])
    lap = RunLog.objects.get(lap_ms=75_200)
    laps.flag_lap(session_id=session.pk, lap_id=lap.pk, by=user, flag="pit")
    answer = client.get(f"/coaching/sessions/{session.pk}/laps.csv")
    text = b"".join(answer.streaming_content).decode()
    assert "attachment" in answer["Content-Disposition"]
    assert ",'=Q1," in text  # no formula for a spreadsheet

    again = lap_files.import_laps(io.StringIO(text), by=user)
    copy = make_session(user, name="Copy")
    moved = text.replace(f"\r\n{session.pk},", f"\r\n{copy.pk},")
    lap_files.import_laps(io.StringIO(moved), by=user)

    assert (again.stored, again.there, again.different) == (0, 6, 0)

    def told(one):
        return [
            (row.heat.name, row.heat.kind, row.lap_number, row.lap_ms, row.confidence, row.flag)
            for row in queries.laps_of(one)
        ]

    assert told(copy) == told(session)


# -- through page, worker and terminal ------------------------------------------------------------


def send(client, session, content: bytes, **more):
    return client.post(
        f"/coaching/sessions/{session.pk}/laps/file/",
        {"file": SimpleUploadedFile("laps.csv", content)} | more,
    )


@pytest.mark.django_db
def test_an_upload_is_read_by_the_worker_once(client, session, queued, run_jobs):
    answer = send(client, session, csv_of(STEADY).encode())

    file = LapFile.objects.get()
    assert answer["Location"] == f"/coaching/lap-files/{file.pk}/"
    assert queued() == [("coaching.tasks.import_lap_file", (file.pk,))]
    assert not RunLog.objects.exists()
    assert "being read" in client.get(answer["Location"]).text

    run_jobs()
    file.refresh_from_db()
    assert (file.report["stored"], file.content) == (12, None)
    assert "12" in client.get(answer["Location"]).text
    job = jobs.Job.objects.get()
    assert (job.state, job.result["stored"]) == ("done", 12)


@pytest.mark.django_db
def test_a_refused_upload_shows_the_lines(client, session, run_jobs):
    answer = send(client, session, (HEAD + "Q1,1,58.1,,,\nQ1,2,fast,,,\n").encode())
    run_jobs()

    page = client.get(answer["Location"]).text
    assert "“fast” is not a lap time" in page
    assert jobs.Job.objects.get().state == "failed"
    assert not RunLog.objects.exists()

    skipped = send(client, session, (HEAD + "Q1,1,58.1,,,\nQ1,2,fast,,,\n").encode(), skip_bad="on")
    run_jobs()
    assert RunLog.objects.count() == 1
    assert "Rows that cannot be used" in client.get(skipped["Location"]).text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00bad", b"heat_name\n", b"\x89PNG\r\n\x1a\n\x00\x00"]
)
def test_a_file_of_another_kind_is_refused_with_a_reason(client, session, run_jobs, content):
    send(client, session, content)
    run_jobs()

    job = jobs.Job.objects.get()
    assert job.state == "failed"
    assert job.message
    assert LapFile.objects.get().report["bad"] == 1


@pytest.mark.django_db
def test_an_upload_without_a_file_says_so(client, session):
    answer = client.post(f"/coaching/sessions/{session.pk}/laps/file/", {})

    assert answer.status_code == 422
    assert not LapFile.objects.exists()


@pytest.mark.django_db
def test_somebody_else_may_not_upload_read_or_export(session, other, client):
    file, _ = lap_files.request_import(
        by=session.profile.user, name="a.csv", content=[b""], session_id=session.pk
    )
    client.force_login(other)

    assert send(client, session, b"").status_code == 404
    assert client.get(f"/coaching/lap-files/{file.pk}/").status_code == 404
    assert client.get(f"/coaching/sessions/{session.pk}/laps.csv").status_code == 404


@pytest.mark.django_db
def test_the_command_does_the_same(session, user, tmp_path, capsys):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(csv_of(STEADY))
    bad.write_text(csv_of([58.1, "fast"], heat="Q2"))

    call_command("import_run_logs", str(good), user=user.email, session=session.pk)
    assert "12 laps stored, 0 were there" in capsys.readouterr().out
    with pytest.raises(CommandError, match="line 3"):
        call_command("import_run_logs", str(bad), user=user.username, session=session.pk)
    call_command("import_run_logs", str(bad), user=user.username, session=session.pk, skip_bad=True)
    assert RunLog.objects.count() == 13
    with pytest.raises(CommandError, match="nobody"):
        call_command("import_run_logs", str(good), user="nobody-here")
    with pytest.raises(CommandError):
        call_command("import_run_logs", str(tmp_path / "none.csv"), user=user.username)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_storing_leaves_nothing_and_the_next_one_finishes(user, monkeypatch):
    session = make_session(user)
    file, _ = lap_files.request_import(
        by=user, name="laps.csv", content=[csv_of(STEADY).encode()], session_id=session.pk
    )

    def die(*args):
        raise SystemExit

    monkeypatch.setattr(lap_files, "activate", die)
    with pytest.raises(SystemExit):
        lap_files.read_file(file)
    assert not RunLog.objects.exists()

    monkeypatch.undo()
    file.refresh_from_db()
    assert lap_files.read_file(file).stored == 12


@pytest.mark.django_db
def test_old_files_go_and_their_laps_stay(client, session, run_jobs):
    send(client, session, csv_of(STEADY).encode())
    run_jobs()
    send(client, session, csv_of(STEADY).encode())
    old = LapFile.objects.last()
    LapFile.objects.filter(pk=old.pk).update(created_at=now() - timedelta(days=31))

    assert prune_lap_files() == 1
    assert not LapFile.objects.filter(pk=old.pk).exists()
    assert RunLog.objects.count() == 12
