"""Markets that are made up: the same seed gives the same ticks."""
