"""What ingestion saves: one module per thing."""
