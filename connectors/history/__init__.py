"""ClickHouse: what goes in, each row once, and how a tape is read from it."""
