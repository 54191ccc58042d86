"""Flows that run unattended, under a name."""
