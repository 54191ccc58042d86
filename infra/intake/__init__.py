"""Taking markets in: ingest, record, backfill, values."""
