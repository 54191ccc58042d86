"""Flows that run unattended: asked for by name, kept running, watched and stopped."""
