"""The parity receipt: whether a replay of the log gives what a run concluded."""
