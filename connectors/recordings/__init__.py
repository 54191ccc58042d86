"""Recordings: files of ticks, read as tapes and written from a log."""
