"""Sealed text: unreadable in the database, bound to its column, opened by any key, never by none."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from structlog.testing import capture_logs

from coaching.models import LlmAccount
from racecontrol import checks
from racecontrol.management.commands import web
from racecontrol.shared import secrets

SECRET = "sk-0123456789-very-secret"


@pytest.fixture
def account(user):
    return LlmAccount.objects.create(
        owner=user, base_url="https://api.example.com/v1", model="m", api_key=SECRET
    )


def raw(account) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM coaching_llmaccount WHERE id = %s", [account.pk])
        return cursor.fetchone()[0]


def test_the_database_never_sees_the_value(account):
    assert SECRET not in raw(account)
    assert raw(account).startswith("fk1:")
    assert LlmAccount.objects.get().api_key == SECRET


def test_updates_are_sealed_and_expressions_refused(account):
    LlmAccount.objects.update(api_key="another")
    assert "another" not in raw(account)
    assert LlmAccount.objects.get().api_key == "another"
    account.api_key = "third"
    with pytest.raises(FieldError, match="not an expression"):
        LlmAccount.objects.bulk_update([account], ["api_key"])


def test_a_value_moved_to_another_column_does_not_open():
    stored = secrets.seal(SECRET, context="a.B.c")

    assert secrets.unseal(stored, context="a.B.c") == SECRET
    with pytest.raises(secrets.SealBroken, match="another place"):
        secrets.unseal(stored, context="a.B.d")


def test_what_does_not_open_raises_instead_of_being_shown(account, settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(secrets.SealBroken):
        LlmAccount.objects.get()


def test_plain_text_in_the_column_raises(account):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE coaching_llmaccount SET api_key = 'plain'")
    with pytest.raises(secrets.SealBroken):
        LlmAccount.objects.get()


def test_keys_are_rotated(account, settings):
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]
    assert LlmAccount.objects.get().api_key == SECRET

    assert secrets.rotate() == 1
    assert secrets.rotate() == 0

    settings.FIELD_KEYS = [new]
    assert LlmAccount.objects.get().api_key == SECRET


def test_sealed_columns_cannot_be_searched(account):
    with pytest.raises(FieldError):
        LlmAccount.objects.filter(api_key=SECRET).first()
    with pytest.raises(FieldError):
        LlmAccount.objects.filter(api_key__contains="sk").first()
    assert LlmAccount.objects.filter(api_key__isnull=False).exists()


@pytest.mark.parametrize("keys", [[], ["short"]])
def test_without_a_proper_key_nothing_is_stored(settings, keys):
    settings.FIELD_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS"):
        secrets.seal("x", context="a.B.c")


def test_empty_stays_empty(user):
    account = LlmAccount.objects.create(owner=user, base_url="x", model="m")

    assert LlmAccount.objects.get(pk=account.pk).api_key == ""
    assert raw(account) == ""


def test_the_start_says_when_stored_secrets_do_not_open(account, settings):
    assert secrets.faults() == []
    assert checks.tell_at_start() == 0
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()

    settings.FIELD_KEYS = [new]
    assert "LlmAccount.api_key does not open" in secrets.faults()[0]
    assert checks.tell_at_start() == 1
    assert checks.sealed_values_open(databases=["default"])[0].id == "racecontrol.E001"
    assert SECRET not in secrets.faults()[0]

    settings.FIELD_KEYS = [new, old]
    assert secrets.faults() == []
    settings.FIELD_KEYS = ["short"]
    assert "32 bytes" in secrets.faults()[0]


@pytest.mark.parametrize("is_lost", [True, False])
def test_the_web_server_says_so_too_and_serves(account, settings, monkeypatch, is_lost):
    served = []
    monkeypatch.setattr(web.Leash, "hold", lambda self: None)
    monkeypatch.setattr(web.signal, "signal", lambda *args: None)
    monkeypatch.setattr(web.Server, "run", lambda self: served.append(self.config.port))
    monkeypatch.setattr(web.connection, "close", lambda: None)  # ours is the test's
    if is_lost:
        settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    with capture_logs() as lines:
        call_command("web", port=8123)

    told = [line["fault"] for line in lines if line["event"] == "sealed_values_do_not_open"]
    assert len(told) == is_lost
    assert SECRET not in str(lines)
    assert served == [8123]
