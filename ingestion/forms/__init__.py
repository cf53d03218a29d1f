"""Ingestion's forms: one module per thing."""
