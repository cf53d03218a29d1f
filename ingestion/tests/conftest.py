"""A stand-in of the timing site, and settings that point at it."""

import pytest

from ingestion.fake_liverc.server import FakeLiveRC
from ingestion.services import bumpups, fetching
from ingestion.tests.bumpup_builders import make_night
from racecontrol.shared import flags
from racecontrol.testing.people import switch_on


@pytest.fixture
def site(settings, monkeypatch):
    """A running stand-in; the request budget is wide, and back-off takes no time."""
    with FakeLiveRC() as fake:
        settings.LIVERC_URL_TEMPLATE = fake.url_template
        settings.LIVERC_CATALOGUE_URL = fake.catalogue_url
        settings.LIVERC_PER_MINUTE = settings.LIVERC_PER_DAY = 10_000
        monkeypatch.setattr(fetching, "FIRST_PAUSE_S", 0.001)
        yield fake


@pytest.fixture
def event(db):
    """A club night whose moves from main to main are found."""
    event = make_night()
    bumpups.detect_for_event(event.pk)
    return event


@pytest.fixture
def practice_on(db):
    """Practice days are on for everybody."""
    switch_on(flags.ENABLE_PRACTICE_DAYS)
