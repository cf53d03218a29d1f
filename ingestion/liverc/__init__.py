"""Everything that knows LiveRC: its addresses, its pages, and the only client that calls it."""
