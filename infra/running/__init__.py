"""Running a flow: its tape, its processes, and what is told of it."""
