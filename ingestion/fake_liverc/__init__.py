"""A LiveRC of our own: pages of the same shape, made from races that never were.

Tests, the demo and a person without a network talk to it over real HTTP. Nothing of a real page,
driver or club is in here.
"""

from ingestion.fake_liverc.server import FakeLiveRC

__all__ = ["FakeLiveRC"]
