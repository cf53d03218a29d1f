"""Fixtures of this room: a model server of our own, and a client that does not dawdle."""

from coaching.tests.mission_builders import fake, mission, quick  # noqa: F401 - pytest finds fixtures here
from coaching.tests.mission_pages import at  # noqa: F401
