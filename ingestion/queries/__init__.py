"""What ingestion reads, for its pages, the API and the other apps: one module per thing."""
