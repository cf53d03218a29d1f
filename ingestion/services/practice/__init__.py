"""Practice days: discovered, imported, kept in step, corrected, archived. The one way for every door."""
