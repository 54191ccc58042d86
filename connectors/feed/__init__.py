"""One market's feed, without I/O: what an exchange sends becomes a tape without unmarked holes."""
