"""What workers do for coaching; queued by these names."""

from coaching.tasks.athlete import read_athlete_upload

__all__ = ["read_athlete_upload"]
