"""Everything that writes: teams, events and signups, formation, plans."""
