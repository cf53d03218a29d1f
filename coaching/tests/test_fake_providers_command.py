"""The stand-ins as a command: faults by name, and nothing of it in production."""

import pytest
from django.core.management import CommandError, call_command

from coaching.connections.fakes.faults import Fault
from coaching.management.commands.fake_providers import read_fault


@pytest.mark.parametrize("fault", ["boom", "429xmany", ""])
def test_a_fault_nobody_knows_is_refused(fault):
    with pytest.raises(CommandError, match="--fault"):
        call_command("fake_providers", port=0, fault=[fault])


def test_faults_by_name_count_and_place():
    assert read_fault("429x2@activities") == Fault("429", 2, "activities")
    assert read_fault("drip-headers") == Fault("drip-headers", -1, "")


def test_production_knows_no_stand_ins(settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="development"):
        call_command("fake_providers", port=0)
