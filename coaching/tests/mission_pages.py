"""What tests of mission pages share: the clock they read, their addresses, the wizard's answers."""

import importlib

import pytest
from django.urls import reverse

from coaching.models import MissionDraft
from coaching.tests.mission_builders import MORNING

EVENT = {
    "event_name": "Coast Ride", "mission_type": "road_stage_race", "event_start": "2026-07-04",
    "event_end": "2026-07-06", "timezone": "Europe/Berlin", "goals": "Enjoy it.",
}  # fmt: skip
CLOCKS = (
    "api.missions",
    "views.missions",
    "views.mission_today",
    "views.mission_wizard",
    "views.mission_settings",
    "tasks.missions",
)


@pytest.fixture
def at(monkeypatch):
    """Sets the clock the pages, the API and tasks read."""

    def set_to(moment):
        for module in CLOCKS:
            found = importlib.import_module(f"coaching.{module}")
            monkeypatch.setattr(found, "now", lambda: moment)

    set_to(MORNING)
    return set_to


def page(name, mission, **kwargs):
    return reverse(f"coaching:{name}", kwargs={"mission_id": mission.pk} | kwargs)


def wizard(client, **answers) -> MissionDraft:
    response = client.post(reverse("coaching:mission_new"), EVENT | answers)
    assert response.status_code == 302, response.content
    return MissionDraft.objects.get()


def step(draft, name):
    return reverse("coaching:mission_draft", args=[draft.pk, name])
