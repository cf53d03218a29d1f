"""Mail is sent once: what the server may have is not sent again, and tries share an id."""

import smtplib

import pytest

from racecontrol.shared import jobs, mail
from racecontrol.testing.smtp import MailServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    settings.PUBLIC_URL = "https://race.example.org"
    with MailServer() as server:
        settings.EMAIL_BACKEND = "racecontrol.shared.mail.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server


def post(key="job:12"):
    return mail.post("Stint", "Box in five.", ["sam@example.org"], key=key)


def test_a_connection_lost_at_the_farewell_is_a_mail_that_was_sent(server):
    server.loses = "at quit"

    assert post() is True
    assert len(server.got) == 1


def test_a_connection_lost_once_the_server_has_it_is_no_reason_to_send_again(server):
    server.loses = "after data"

    assert post() is False
    assert len(server.got) == 1


def test_a_connection_lost_before_is_told_and_the_next_try_has_the_same_id(server):
    server.loses = "before data"
    with pytest.raises(smtplib.SMTPServerDisconnected):
        post()
    assert server.got == []

    server.loses = ""
    for key in ("job:12", "job:12", "job:13"):
        assert post(key)
    first, again, another = [one["Message-ID"] for one in server.got]
    assert first == again != another
    assert first == "<job.12@race.example.org>"


def test_a_mail_job_whose_server_may_have_it_is_done(server, user):
    server.loses = "after data"
    job = jobs.enqueue("strategy.tasks.mail", user.pk, "New plan", "You drive.", title="Mail")

    jobs.run_now(job)

    assert (job.state, job.attempts, len(server.got)) == ("done", 1, 1)
    assert str(job.pk) in server.got[0]["Message-ID"]


def test_a_mail_job_that_is_tried_again_sends_the_same_mail(server, user):
    server.loses = "before data"
    job = jobs.enqueue("strategy.tasks.mail", user.pk, "New plan", "You drive.", title="Mail")
    jobs.run_now(job)
    job.refresh_from_db()
    assert (job.state, server.got) == ("queued", [])

    server.loses = ""
    jobs.run_now(job)
    assert [one["Message-ID"] for one in server.got] == [mail.message_id(f"job:{job.pk}")]
