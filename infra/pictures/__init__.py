"""Pictures for people: pure functions from numbers to a figure, all in one style."""
