"""Look at timing data and mend it: one module per thing."""

from ingestion.admin import backfill, bumpups, drivers, fetching, practice, timing

__all__ = ["backfill", "bumpups", "drivers", "fetching", "practice", "timing"]
