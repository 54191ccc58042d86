"""What the files of a recovery store are called."""

from __future__ import annotations

RUN = "run.json"
"""Which run it is, and what it was asked for."""
STARTS = "starts.json"
"""With what code the run was started, each time that changed."""
SNAPSHOTS = "snapshots"
"""Of each process: the engine's own files."""
PARTS = "parts.json"
"""Of each process: the parts of the source that it reads."""
BEGUN = "begun"
"""A process's mark that it has kept a snapshot."""
SHELF = "large"
"""Of all processes: what is too large for snapshots, which they name."""
