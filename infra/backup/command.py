"""`deck backup` and `deck restore`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from infra.backup.backup import back_up
from infra.backup.restore import restore, when
from infra.running.problems import explained
from infra.screen import out, say, told
from infra.settings import Settings


def backup_command(
    directory: Annotated[
        Path, typer.Argument(help="Where it goes; it must not be there yet.", show_default=False)
    ],
) -> None:
    """Copy history, logs, stores and outboxes as one, while everything runs.

    Keys and passwords are not in it; recordings, and stores that --recovery put elsewhere, neither.
    """
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        begun = time.monotonic()
        saved = back_up(settings, directory)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("part")
    grid.add_column("MB", justify="right")
    for part, size in saved.parts.items():
        grid.add_row(part, f"{size / 1e6:,.1f}")
    grid.add_section()
    grid.add_row("all", f"{sum(saved.parts.values()) / 1e6:,.1f}")
    out.print(grid)
    if saved.note.history == "elsewhere":
        say("history is another server's: back it up there now, behind this", "yellow")
    seconds = time.monotonic() - begun
    out.print(f"backed up in {seconds:.1f} s: deck restore {directory}", highlight=False)


def restore_command(
    directory: Annotated[Path, typer.Argument(help="The backup.", show_default=False)],
) -> None:
    """Put a backup back, into a home (TAPEDECK_HOME) where nothing is yet.

    Runs go on where they were with the same commands. Accounts enter nothing until deck resume.
    """
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        note = restore(settings, directory)
    made = f"the backup of {when(note)} is in {settings.home}"
    out.print(f"{made}; accounts.ini is not: it holds keys", highlight=False, soft_wrap=True)
    if note.history == "elsewhere":
        say("history is another server's: restore it there, too", "yellow")
    out.print(
        "deck restart --all lets run what ran; deck resume --all lets accounts enter again",
        highlight=False,
        soft_wrap=True,
    )
