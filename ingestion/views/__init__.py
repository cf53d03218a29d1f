"""Ingestion's pages: one module per thing."""
