"""What people type, made into values: the garage here, missions in modules of their own."""
