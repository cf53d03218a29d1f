"""Pages of LiveRC's shape, each a function from facts to HTML. The wording around the tables is our own."""
