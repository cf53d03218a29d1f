"""A race under way as calculation: what was heard in, what it means out. No clock, no database."""
