"""Backing up a home as one, and putting it back."""
