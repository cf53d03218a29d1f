"""Shapes of ingestion's JSON: one module per thing."""
