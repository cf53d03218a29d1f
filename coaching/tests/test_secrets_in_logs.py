"""Connecting, refreshing, failing and leaving: whatever the level, no log line holds a secret."""

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.timezone import now

from coaching.models import Connection, ProviderLimit
from coaching.services import athlete, connections
from coaching.tests.connected import stand_ins
from racecontrol.shared.jobs import Job
from racecontrol.shared.log_masks import masked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_pauses")]
HOME = "/coaching/athlete/connections/"
HOOK_SECRET = "s3cret-of-the-hook"
GIVEN = re.compile(r"\b(?:at|rt)-[0-9a-f]{24}|\bcode-[0-9a-f]{16}")  # as the stand-ins make them


class Everything(logging.Handler):
    """Each record in every form the site writes its log."""

    def __init__(self, formatters):
        super().__init__(logging.DEBUG)
        self.formatters = formatters
        self.lines: list[str] = []

    def emit(self, record):
        self.lines += [formatter.format(record) for formatter in self.formatters]


@pytest.fixture
def heard(settings):
    """All that is logged, debug lines of libraries included."""
    told = [dict(formatter) for formatter in settings.LOGGING["formatters"].values()]
    ears = Everything([formatter.pop("()")(**formatter) for formatter in told])
    root = logging.getLogger()
    before = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    yield ears.lines
    root.removeHandler(ears)
    root.setLevel(before)


def there_and_back(client, fake, provider) -> list[str]:
    """The dance of a browser; the secrets that passed through addresses."""
    there = client.get(f"{HOME}{provider}/connect/")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(there["Location"]).query).items()}
    code, given = fake.house(provider).new_code(asked["scope"].replace(",", " ").split())
    back = {"code": code, "state": asked["state"], "scope": ",".join(given)}
    assert client.get(f"{HOME}{provider}/back/", back).status_code == 302
    return [code, asked["state"]]


@pytest.mark.parametrize("provider", ["strava", "oura", "intervals"])
def test_a_season_with_a_provider_leaves_no_secret_in_the_logs(
    client, user, settings, run_jobs, heard, provider
):
    settings.STRAVA_WEBHOOK_SECRET = HOOK_SECRET
    athlete.set_health_consent(by=user, is_given=True)
    with stand_ins(settings) as fake:
        secrets = [HOOK_SECRET, *(v for k, v in fake.settings().items() if k.endswith("_SECRET"))]
        secrets += there_and_back(client, fake, provider)
        run_jobs()
        row = Connection.objects.get()
        secrets += [row.access_token, row.refresh_token]

        fake.house(provider).expire()  # the next fetch renews
        connections.request_sync(by=user, provider=provider)
        run_jobs()
        for kind in ("500", "garbled", "cut", "429-silent", "401", "redirect"):
            fake.fail(kind, times=2)
            client.post(f"{HOME}{provider}/test/")
            run_jobs()
            fake.faults.clear()
        Job.objects.update(state="done")
        ProviderLimit.objects.all().delete()  # else it is left alone after the 429

        connect_again(fake, client, provider, secrets)
        fake.house(provider).expire()
        fake.fail("invalid-grant", times=-1, path="token")  # the refresh fails for good
        client.post(f"{HOME}{provider}/fetch/")
        run_jobs()
        fake.faults.clear()
        assert Connection.objects.get().needs_reconnect or provider == "intervals"

        client.post(f"/coaching/hooks/strava/{HOOK_SECRET}/", "{}", content_type="application/json")
        client.get(f"/coaching/hooks/strava/{HOOK_SECRET}/", {"hub.verify_token": HOOK_SECRET})
        client.get(f"{HOME}{provider}/back/", {"code": "code-" + "0" * 16, "state": "x" * 43})
        connect_again(fake, client, provider, secrets)
        fake.fail("500", times=1, path="revoke")
        fake.fail("500", times=1, path="deauthorize")
        connections.disconnect(by=user, provider=provider)
        run_jobs()
        Job.objects.filter(state="paused").update(state="queued", run_at=now())
        run_jobs()

        assert fake.calls("/token") >= (3 if provider == "intervals" else 5)
    assert len(heard) > 100
    said = "\n".join(heard)
    leaks = {secret for secret in secrets if secret and secret in said} | set(GIVEN.findall(said))
    assert leaks == set()
    told = str(list(Job.objects.values_list("message", "error", "result", "title")))
    assert not GIVEN.search(told)


def connect_again(fake, client, provider, secrets):
    secrets += there_and_back(client, fake, provider)
    row = Connection.objects.get()
    secrets += [row.access_token, row.refresh_token]


def test_a_person_s_own_key_stays_out_of_the_logs(client, user, settings, run_jobs, heard):
    athlete.set_health_consent(by=user, is_given=True)
    with stand_ins(settings) as fake:
        for key in ("wrong-key-of-mine", "icu-key"):
            client.post(f"{HOME}key/", {"api_key": key})
        run_jobs()
        fake.fail("500", times=-1)
        connections.request_sync(by=user, provider="intervals")
        run_jobs()

    said = "\n".join(heard)
    assert len(heard) > 5
    assert "icu-key" not in said
    assert "wrong-key-of-mine" not in said


def test_addresses_that_open_doors_are_masked_and_others_stay_readable():
    doors = {
        "GET /coaching/athlete/connections/oura/back/?code=c0de&state=st4te&scope=daily": "c0de st4te",
        "POST /coaching/hooks/strava/hook-secret-1/": "hook-secret-1",
        "/accounts/password/reset/key/1-abcdef-0123456789/": "abcdef",
        "/run-plans/shared/0b9f7f0e-7f1b-4d2a-9c43-8b7a3c1f2d10/": "0b9f7f0e",
        "/strategy/sign-up/5d1c7f0e-7f1b-4d2a-9c43-8b7a3c1f2d10/": "5d1c7f0e",
        "/api/v1/sign-up-links/6e1c7f0e-7f1b-4d2a-9c43-8b7a3c1f2d10/participation": "6e1c7f0e",
        'http://h "POST /oauth/revoke?access_token=at-1 HTTP/1.1" 200': "at-1",
    }
    for address, secrets in doors.items():
        shown = masked(address)
        assert not any(secret in shown for secret in secrets.split()), shown
    assert "scope=daily" in masked(next(iter(doors)))
    plain = "GET /timing/events/7/?cursor=abc&q=code HTTP/1.1"
    assert masked(plain) == plain


def test_the_words_of_a_fault_are_masked_too(settings):
    steps = settings.LOGGING["formatters"]["json"]["processors"]
    try:
        raise OSError("no connection: https://x.example/subscriptions?client_secret=open-sesame")
    except OSError as fault:
        line = {"event": "broke", "exc_info": fault, "_record": None, "_from_structlog": True}
    for step in steps:
        line = step(None, "error", line)

    assert "client_secret=***" in line
    assert "open-sesame" not in line
