"""Everything of a person handed out, then deleted, then searched for in every table and store."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils.timezone import now

from coaching.connections.fakes import FakeProviders
from coaching.models import (
    Activity,
    ActivityDetail,
    AthleteUpload,
    CheckIn,
    Connection,
    DailyMetric,
    Revocation,
)
from ingestion.models import FavouriteTrack, Track
from racecontrol.models import AuditEvent, Job, PersonDeletion, PersonExport, User
from racecontrol.personal import belongings, deletion, export
from racecontrol.shared import audit, jobs, tokens
from racecontrol.shared.errors import InvalidInput, NotAllowed
from racecontrol.testing.leftovers import files_in, places_of
from racecontrol.testing.matrix import rooms_matrix
from racecontrol.testing.people import program, signed_in
from strategy.models import Membership, Team

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_storage")]
ID = 918_273_645
PASSWORD = "pass-word-1"
JSON = "application/json"


@pytest.fixture
def leaver(db):
    """Somebody with things in every room, whose number and names occur nowhere else."""
    person = User.objects.create_user(
        pk=ID, username="zebulon-quirk", email="zebulon@quirk.example", password=PASSWORD,
        display_name="Zebulon Quirk",
    )  # fmt: skip
    rooms_matrix(person)
    ride = Activity.objects.filter(owner=person).first()
    ActivityDetail.objects.update_or_create(
        activity=ride, defaults={"title": "To the lighthouse", "curves": {"bpm": [150]}}
    )
    upload = AthleteUpload.objects.filter(owner=person).first()
    upload.stored_as = default_storage.save("athlete/zebulon-quirk.zip", ContentFile(b"raw health"))
    upload.save()
    CheckIn.objects.update_or_create(
        owner=person, local_date=now().date(),
        defaults={"values": {"readiness": 61}, "note": "slept badly", "at": now()},
    )  # fmt: skip
    track = Track.objects.first() or Track.objects.create(slug="quiet", name="Quiet")
    FavouriteTrack.objects.get_or_create(user=person, track=track)
    tokens.make(by=person, name="bridge of zebulon-quirk", scope="read")
    return person


NEEDLES = (str(ID), "zebulon", "quirk")


def packed(person) -> zipfile.ZipFile:
    row = export.request_export(by=person)
    jobs.run_now(row.job)
    row.refresh_from_db()
    with default_storage.open(row.stored_as, "rb") as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


# -- export ------------------------------------------------------------------------------------


def test_an_export_holds_every_row_of_every_room(leaver):
    box = packed(leaver)

    names = set(box.namelist())
    for table in belongings.owned():
        count = table.rows(leaver).count()
        if count and table.model not in (PersonExport,):
            rows = json.loads(box.read(f"yours/{table.label}.json"))
            assert len(rows) == count, table.label
    rooms = {name.split("/")[1].split(".")[0] for name in names if name.startswith("yours/")}
    assert rooms >= {"racecontrol", "ingestion", "runplans", "strategy", "coaching"}
    assert "mentioned/racecontrol.job.json" in names
    assert box.read("files/athlete/zebulon-quirk.zip") == b"raw health"
    assert box.testzip() is None


def test_what_lies_sealed_is_readable_and_what_opens_doors_is_left_out(leaver):
    box = packed(leaver)

    check_ins = json.loads(box.read("yours/coaching.checkin.json"))
    assert check_ins[-1]["note"] == "slept badly"
    details = json.loads(box.read("yours/coaching.activitydetail.json"))
    assert "To the lighthouse" in [row["title"] for row in details]
    connections = json.loads(box.read("yours/coaching.connection.json"))
    assert connections
    assert all("access_token" not in row for row in connections)
    account = json.loads(box.read("yours/racecontrol.user.json"))
    assert (account[0]["email"], "password" in account[0]) == ("zebulon@quirk.example", False)


def test_an_export_holds_nothing_of_anybody_else(leaver, other):
    Activity.objects.create(
        owner=other, source="FIT file", starts_at=now(), on=now().date(), elapsed_s=4711,
        moving_s=4711,
    )  # fmt: skip

    rows = json.loads(packed(leaver).read("yours/coaching.activity.json"))

    assert {row["owner_id"] for row in rows} == {ID}


def test_a_large_history_is_packed_in_little_memory(user):
    import tracemalloc

    DailyMetric.objects.bulk_create(
        DailyMetric(owner=user, metric="steps", on=now().date() - timedelta(days=n % 3000),
                    source=f"s{n // 3000}", value=n, unit="count")
        for n in range(3_000)
    )  # fmt: skip
    target = io.BytesIO()
    tracemalloc.start()
    try:
        assert export.pack(user, target) >= 3_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_500_000, peak


def test_only_the_owner_fetches_and_only_for_a_day(leaver, other):
    packed(leaver)
    row = PersonExport.objects.filter(owner=leaver, job__isnull=False).get()
    url = f"/account/data/{row.pk}.zip"
    owner, somebody = Client(), Client()
    owner.force_login(leaver)
    somebody.force_login(other)

    answer = owner.get(url)
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    assert somebody.get(url).status_code == 404

    PersonExport.objects.update(expires_at=now())
    assert owner.get(url).status_code == 404
    assert export.drop_old() >= 1
    assert not files_in("exports")


def test_asking_twice_packs_once(user):
    assert export.request_export(by=user) == export.request_export(by=user)


# -- deletion ----------------------------------------------------------------------------------


def test_export_then_delete_leaves_nothing_anywhere(leaver, other, settings):
    team = Membership.objects.filter(user=leaver).first().team
    Membership.objects.create(team=team, user=other, role="driver")
    client = signed_in(leaver)
    packed(leaver)
    audit.record(
        by=leaver, verb="team.created", obj=team, after={"user": ID, "name": "Zebulon Quirk"}
    )
    cache.set("zebulon-quirk", 1)
    assert len(places_of(*NEEDLES)) > 20  # the search finds what there is
    assert files_in("missions")  # reasoning logs, too

    answer = client.post("/account/data/leave/", {"password": PASSWORD, "is_sure": "on"})
    assert answer["Location"] == "/account/left/"
    assert client.get("/account/").status_code == 302  # locked at once
    job = Job.objects.get(func="racecontrol.personal.tasks.purge_person")
    jobs.run_now(job)

    job.refresh_from_db()
    assert (job.state, job.message) == ("done", "")
    assert places_of(*NEEDLES) == []
    assert files_in("") == files_in("marks")  # by which the site knows its store
    receipt = PersonDeletion.objects.get()
    assert (receipt.user_id, receipt.rows > 100) == (None, True)
    line = AuditEvent.objects.get(verb="account.deleted")
    assert line.object_id == str(receipt.pk)
    assert set(line.after) == {"rows", "files"}
    # what is the team's stays, with an owner
    assert Team.objects.filter(pk=team.pk).exists()
    assert "owner" in Membership.objects.filter(team=team).values_list("role", flat=True)


def test_a_second_delivery_does_nothing(leaver):
    row = deletion.request_deletion(by=leaver, password=PASSWORD)

    assert deletion.purge(deletion_id=row.pk)["rows"] > 100
    assert deletion.purge(deletion_id=row.pk) == {}
    assert AuditEvent.objects.filter(verb="account.deleted").count() == 1


def test_a_purge_that_breaks_keeps_the_account_locked_and_can_be_repeated(leaver, monkeypatch):
    row = deletion.request_deletion(by=leaver, password=PASSWORD)
    with monkeypatch.context() as broken:
        broken.setattr(deletion, "_delete_rows", lambda user: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deletion.purge(deletion_id=row.pk)
    leaver.refresh_from_db()
    assert not leaver.is_active
    assert Activity.objects.filter(owner=leaver).exists()

    deletion.purge(deletion_id=row.pk)

    assert places_of(*NEEDLES) == []


def test_work_under_way_is_waited_for(leaver):
    job = jobs.enqueue("racecontrol.tests.work.count", 1, owner=leaver)
    Job.objects.filter(pk=job.pk).update(state="running", started_at=now())
    row = deletion.request_deletion(by=leaver, password=PASSWORD)
    assert Job.objects.get(pk=job.pk).is_cancel_requested

    with pytest.raises(jobs.Later):
        deletion.purge(deletion_id=row.pk)

    PersonDeletion.objects.update(requested_at=now() - timedelta(minutes=11))
    deletion.purge(deletion_id=row.pk)
    assert not User.objects.filter(pk=ID).exists()


def test_permissions_are_given_back_after_the_person_is_gone(user, settings):
    from coaching.tests.connected import connect, stand_ins

    with stand_ins(settings) as fake:
        assert isinstance(fake, FakeProviders)
        connect(fake, user, "oura")
        token = Connection.objects.get().access_token
        row = deletion.request_deletion(by=user, password=PASSWORD)
        fake.fail("503", path="/revoke")
        deletion.purge(deletion_id=row.pk)
        assert (Connection.objects.count(), Revocation.objects.count()) == (0, 1)

        for _ in range(2):
            Job.objects.filter(func="coaching.tasks.give_back").update(state="queued", run_at=now())
            jobs.run_now(Job.objects.get(func="coaching.tasks.give_back"))

        assert fake.oura.revoked == [token]
        assert Revocation.objects.count() == 0


def test_nothing_of_others_is_touched(leaver, other):
    mine = Activity.objects.create(
        owner=other, source="FIT file", starts_at=now(), on=now().date(), elapsed_s=1, moving_s=1
    )
    before = AuditEvent.objects.create(
        verb="x", object_type="coaching.activity", object_id=str(mine.pk), object_name="a ride"
    )
    row = deletion.request_deletion(by=leaver, password=PASSWORD)

    deletion.purge(deletion_id=row.pk)

    before.refresh_from_db()
    assert before.object_name == "a ride"
    assert Activity.objects.get() == mine
    assert other.is_active


def test_a_wrong_password_deletes_nothing(leaver):
    client = signed_in(leaver)

    answer = client.post("/account/data/leave/", {"password": "guess", "is_sure": "on"})

    assert answer.status_code == 422
    assert "not your password" in answer.text
    with pytest.raises(InvalidInput):
        deletion.request_deletion(by=leaver, password="")
    leaver.refresh_from_db()
    assert leaver.is_active


def test_the_last_administrator_stays(staff):
    with pytest.raises(NotAllowed, match="last administrator"):
        deletion.request_deletion(by=staff, password=PASSWORD)


def test_a_person_is_taken_out_of_what_others_keep():
    told = {"drivers": [{"user_id": 7, "name": "Ann"}, {"user_id": 8, "name": "Bo"}], "by": "7",
            "laps": [7, 7], "note": "Ann drives"}  # fmt: skip

    assert deletion.scrubbed(told, user_id=7, names=["ann"]) == {
        "drivers": [{"user_id": None, "name": "somebody who left"}, {"user_id": 8, "name": "Bo"}],
        "by": None, "laps": [7, 7], "note": "Ann drives",
    }  # fmt: skip


def test_every_table_that_names_a_person_is_known():
    """A table with a key to people is somebody's or mentions them; none is forgotten."""
    known = {table.model for table in [*belongings.owned(), *belongings.mentioning()]}

    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if field.related_model is User:
                assert model in known, model


# -- over the API ------------------------------------------------------------------------------


def test_a_program_packs_fetches_and_deletes(leaver, run_jobs):
    api, at = program(leaver), "/api/v1/me/exports"
    asked = api.post(at)
    assert (asked.status_code, asked.json()["is_ready"]) == (202, False)
    assert api.post(at).json()["id"] == asked.json()["id"]
    run_jobs()

    row = api.get(f"{at}/{asked.json()['id']}").json()
    assert row["is_ready"]
    assert api.get(at).json()[0] == row
    answer = api.get(f"{at}/{row['id']}/file")
    assert answer["Content-Type"] == "application/zip"
    box = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert "yours/coaching.checkin.json" in box.namelist()
    assert "no-store" in answer["Cache-Control"]

    left = api.post(
        "/api/v1/me/deletion", {"password": PASSWORD, "is_sure": True}, content_type=JSON
    )
    assert left.status_code == 202
    assert api.get("/api/v1/me").status_code == 401  # the token ended with the answer
    run_jobs()
    assert not User.objects.filter(pk=ID).exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "wrong", "is_sure": True}, "password"),
        ({"password": PASSWORD, "is_sure": False}, "is_sure"),
        ({"password": PASSWORD}, "is_sure"),
        ({"is_sure": True}, "password"),
    ],
    ids=["wrong password", "not sure", "not said", "no password"],
)
def test_a_program_must_bring_both_answers_of_the_page(leaver, body, field):
    answer = program(leaver).post("/api/v1/me/deletion", body, content_type=JSON)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
    leaver.refresh_from_db()
    assert leaver.is_active


def test_the_password_cannot_be_guessed_here(leaver):
    api, guess = program(leaver), {"password": "wrong", "is_sure": True}
    answers = [
        api.post("/api/v1/me/deletion", guess, content_type=JSON).status_code for _ in range(12)
    ]
    assert answers.count(422) <= 2 * deletion.TRIES_A_MINUTE  # the minute may turn meanwhile
    assert answers.count(429) >= 2
    leaver.refresh_from_db()
    assert leaver.is_active


def test_an_export_of_another_is_not_to_be_had(leaver, user, run_jobs):
    row = export.request_export(by=leaver)
    run_jobs()

    for rest in ("", "/file"):
        assert program(user).get(f"/api/v1/me/exports/{row.pk}{rest}").status_code == 404
