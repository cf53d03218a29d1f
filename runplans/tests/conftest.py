"""The room is behind a flag, which its tests switch on."""

import pytest
from waffle.models import Flag

from racecontrol.shared import flags
from racecontrol.testing.people import switch_on


@pytest.fixture
def feature(db) -> Flag:
    """Run plans are on for everybody."""
    switch_on(flags.RUN_PLANS_V1)
    return Flag.objects.get(name=flags.RUN_PLANS_V1)
