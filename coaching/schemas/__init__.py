"""Shapes of what the API takes and gives."""
