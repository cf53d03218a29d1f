"""Files of the tracker this product grew out of: its mission file and its points file."""
