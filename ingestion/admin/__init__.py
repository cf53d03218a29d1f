"""Look at timing data and mend it: one module per thing."""

from ingestion.admin import bumpups

__all__ = ["bumpups"]
