"""Recovery stores: what a run needs to go on, whatever became of it."""
