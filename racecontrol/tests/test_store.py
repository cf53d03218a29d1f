"""One file store for all hosts: a host that sees another one keeps its hands off and says so."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils.timezone import now

from racecontrol import checks
from racecontrol.models import Job, PersonExport, StoreMark
from racecontrol.personal import export
from racecontrol.shared import jobs, store
from racecontrol.testing.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(settings, tmp_path):
    """`host("a")`: from now on we are that host, with a folder of its own."""

    def be(name: str) -> None:
        settings.MEDIA_ROOT = str(tmp_path / name)
        store._seen.clear()

    be("a")
    yield be
    store._seen.clear()


def test_the_first_who_keeps_a_file_marks_the_store(host):
    assert store.faults() == []  # a site without files has no store yet
    assert checks.store_is_ours(databases=["default"]) == []

    name = store.files().save("athlete/one.fit", ContentFile(b"one"))

    assert store.files().exists(name)
    assert StoreMark.objects.count() == 1
    assert store.faults() == []


def test_a_host_with_a_folder_of_its_own_neither_writes_nor_deletes(host):
    store.files()
    host("b")

    with pytest.raises(store.StoreAway, match="does not see the site's file store"):
        store.files()
    assert "MEDIA_ROOT" in store.faults()[0]
    assert [fault.id for fault in checks.store_is_ours(databases=["default"])] == [
        "racecontrol.E002"
    ]

    host("a")
    assert store.faults() == []


def test_an_upload_at_such_a_host_is_refused_in_words_and_leaves_nothing(host, user):
    store.files()
    host("b")
    row = PersonExport.objects.create(
        owner=user, stored_as="exports/x.zip", expires_at=now() + timedelta(hours=1)
    )
    client = signed_in(user)

    answer = client.get(f"/account/data/{row.pk}.zip")

    assert answer.status_code == 503
    assert "does not see the site" in answer.content.decode()


def test_a_job_there_is_handed_on_and_done_by_a_host_that_sees_the_files(host, user):
    store.files()
    row = export.request_export(by=user)
    host("b")

    job = jobs.run_now(row.job)

    assert (job.state, job.attempts) == (Job.State.PAUSED, 0)
    assert "file store" in job.message
    assert job.run_at > now()

    host("a")
    job = jobs.run_now(job)

    row.refresh_from_db()
    assert job.state == Job.State.DONE
    assert store.files().exists(row.stored_as)


def test_a_lost_store_is_left_behind_only_on_purpose(host):
    store.files()
    host("new")
    call_command("sync_setup", verbosity=0)
    assert store.faults() != []

    call_command("sync_setup", "--new-store", verbosity=0)

    assert store.faults() == []
    assert store.files()


def test_a_store_that_was_given_up_is_not_believed_when_it_turns_up_again(host):
    store.files()
    host("new")
    call_command("sync_setup", "--new-store", verbosity=0)

    host("a")

    with pytest.raises(store.StoreAway):
        store.files()


def test_a_restored_database_can_be_migrated_before_the_files_are_back(host, monkeypatch):
    store.files()
    host("restored")
    assert checks.store_is_ours(databases=["default"]) != []

    monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])

    assert checks.store_is_ours(databases=["default"]) == []
