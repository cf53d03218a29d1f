"""Strava, Oura and intervals.icu as stand-ins over real HTTP, for tests, chaos and development."""

from coaching.connections.fakes.server import KINDS, FakeProviders, settings_for

__all__ = ["KINDS", "FakeProviders", "settings_for"]
