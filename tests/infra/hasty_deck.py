"""The `deck` command with snapshots ten times a second, also in its processes."""

from __future__ import annotations

from datetime import timedelta

from infra import deck
from infra.running import engine

engine.SNAPSHOT_EVERY = timedelta(milliseconds=100)

if __name__ == "__main__":
    deck.main()
