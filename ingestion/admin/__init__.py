"""Look at timing data and mend it: one module per thing."""

from ingestion.admin import bumpups, drivers, fetching, timing

__all__ = ["bumpups", "drivers", "fetching", "timing"]
