"""Production starts only with what a person chose."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

GOOD = {
    "DEBUG": "false",
    "SECRET_KEY": "k7Yw0xZ3vN8qR5tB2mC9dF6gH1jL4pS0aE7uI3oP5yT8rW2qXz",
    "ALLOWED_HOSTS": "race.example.org",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "FIELD_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


def check(env: dict) -> subprocess.CompletedProcess:
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
    ]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=base | env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "FIELD_KEYS"])
def test_production_refuses_development_defaults(missing):
    answer = check({name: value for name, value in GOOD.items() if name != missing})

    assert answer.returncode != 0
    assert missing in answer.stderr


def test_a_chosen_production_passes_the_deploy_check():
    answer = check(GOOD)

    assert answer.returncode == 0, answer.stderr


def test_a_key_somebody_could_guess_is_refused():
    answer = check(GOOD | {"SECRET_KEY": "x"})

    assert answer.returncode != 0
    assert "SECRET_KEY is too short" in answer.stderr
