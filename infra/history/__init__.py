"""The history server, its tables, and asking it."""
