"""Pages of strategy: teams, events and signups, formations, strategies."""
