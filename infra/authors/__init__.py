"""For authors of flows: a flow to begin with, and what is wrong with one."""
