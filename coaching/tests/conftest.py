"""Fixtures of this room: a day at the track, a model server of our own, stand-ins of the providers."""

import pytest

from coaching.models import Session
from coaching.tests.athletes import athlete  # noqa: F401 - pytest finds fixtures here
from coaching.tests.builders import make_session
from coaching.tests.connected import no_pauses, providers  # noqa: F401
from coaching.tests.mission_builders import fake, mission, quick  # noqa: F401
from coaching.tests.mission_pages import at  # noqa: F401


@pytest.fixture
def session(user) -> Session:
    return make_session(user)
