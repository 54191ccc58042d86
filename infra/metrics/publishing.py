"""The option `--metrics-port`, and what is published where it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

import typer

from infra.metrics.exporter import Exporter
from infra.metrics.gauges import Gauges
from infra.screen import say
from infra.settings import Settings

_MOST = 65_535

Port: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        min=0,
        max=_MOST,
        help="Publish metrics for Prometheus there, on this machine only; 0 takes a free port.",
        show_default="none",
    ),
]


@contextmanager
def published(
    port: int | None, name: str, label: str, settings: Settings
) -> Iterator[Callable[[list[Gauges]], None]]:
    """Give what publishes gauges, and say where; nowhere without a port.

    Parameters
    ----------
    port
        As it was given.
    name, label
        Whose metrics they are, and what that is called in them.

    Raises
    ------
    ReplayError
        When the port cannot be had.

    """
    if port is None:
        yield _nowhere
        return
    exporter = Exporter(name, port, label, settings)
    say(f"metrics: http://{settings.metrics_host}:{exporter.start()}/metrics", "")
    try:
        yield exporter.say
    finally:
        exporter.close()


def _nowhere(gauges: list[Gauges]) -> None:
    """Nobody asked for them."""
