"""What commands share: how they speak to the user, and how they tell what is theirs to mend."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from connectors.scrub import scrub
from infra.running.problems import ReplayError
from infra.times import TimeError
from schemas.mendable import Mendable

screen = Console(stderr=True)
# What is not a terminal has no width of its own: wide enough for every table.
out = Console(width=None if sys.stdout.isatty() else 160)


class Misused(ValueError):
    """An option that cannot be; its text shows it, and one that can."""

    status = 1
    """How the command ends."""


@contextmanager
def told() -> Iterator[None]:
    """Tell the user what is theirs to mend, in a line, and end."""
    try:
        yield
    except (Mendable, ReplayError, TimeError, Misused) as error:
        say(f"error: {error}", "red")
        raise typer.Exit(error.status if isinstance(error, Misused) else 1) from None


def say(line: str, style: str) -> None:
    """Print a line for the user, beside the output."""
    screen.print(Text(scrub(line), style), soft_wrap=True)


def bar(title: str, looks_back: float = 30) -> Progress:
    """Return a progress bar; it shows on a terminal only.

    Parameters
    ----------
    title
        What is under way.
    looks_back
        By how many seconds it judges how long the rest takes.

    """
    return Progress(
        TextColumn(title),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=screen,
        speed_estimate_period=looks_back,
        disable=not screen.is_terminal,
    )


@contextmanager
def output(*, alone: bool) -> Iterator[BinaryIO]:
    """Give stdout; `alone`, whatever else is printed, by a flow too, goes to stderr."""
    if not alone:
        yield sys.stdout.buffer
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb") as whole:
        os.dup2(2, 1)
        try:
            yield whole
        finally:
            sys.stdout.flush()
            whole.flush()
            os.dup2(whole.fileno(), 1)
