"""Look and mend, for operators."""

from coaching.admin import garage

__all__ = ["garage"]
