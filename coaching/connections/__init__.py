"""The athlete's other services: one small client per provider, and stand-ins of each for tests."""
