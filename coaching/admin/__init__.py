"""Look and mend, for operators."""

from coaching.admin import garage, missions

__all__ = ["garage", "missions"]
