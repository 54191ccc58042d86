"""The market log: everything from outside, in one order for each market."""
