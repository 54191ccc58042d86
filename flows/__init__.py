"""One strategy a file, each a deterministic function of the tape."""
