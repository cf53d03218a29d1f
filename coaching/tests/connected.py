"""A stand-in of every provider, and people connected to it."""

import contextlib

import pytest

from coaching.connections.fakes import FakeProviders
from coaching.models import Connection
from coaching.services import athlete, connections

BACK = "http://testserver/coaching/athlete/connections/strava/back/"


@contextlib.contextmanager
def stand_ins(settings, **options):
    """The stand-ins, with the site set to talk to them."""
    with FakeProviders(**options) as fake:
        for name, value in fake.settings().items():
            setattr(settings, name, value)
        yield fake


@pytest.fixture
def no_pauses(monkeypatch):
    """A second try comes at once."""
    monkeypatch.setattr("coaching.connections.api.PAUSE_S", 0)


@pytest.fixture
def providers(settings, no_pauses):
    """The stand-ins of all providers, and a site that talks to them."""
    with stand_ins(settings) as houses:
        yield houses


def connect(providers, user, provider) -> Connection:
    """Through the real dance, as a browser would bring the code back."""
    athlete.set_health_consent(by=user, is_given=True)
    if provider == "intervals-key":
        return connections.connect_with_key(by=user, api_key="icu-key")
    house = providers.house(provider)
    asked = list(connections.provider_of(provider).scopes)
    code, given = house.new_code(asked)
    return connections.finish(
        by=user, provider=provider, code=code, redirect_uri=BACK,
        granted=",".join(given) if provider == "strava" else "",
    )  # fmt: skip
