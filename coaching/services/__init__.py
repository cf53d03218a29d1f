"""Everything coaching writes: the garage's half here, missions in modules of their own."""
