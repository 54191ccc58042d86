"""`deck doctor`: looks at all that can be wrong, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import orjson
import typer
from rich import box
from rich.table import Table
from rich.text import Text

from connectors.scrub import scrub
from infra import screen
from infra.doctor import flows, home, machine, room, servers
from infra.doctor.finding import Finding
from infra.running.problems import explained
from infra.screen import told
from infra.settings import Settings

_STYLES = {"ok": "green", "warn": "yellow", "bad": "red"}


def doctor(
    name: Annotated[
        str, typer.Argument(help="Only this deployment.", show_default="all there is")
    ] = "",
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what is wrong with this machine or a deployment, and what to do; fail if it is bad.

    Nothing is changed, and nothing is started.
    """
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        looked = flows.deployments(settings, name) if name else everything(settings)
        found = [one._replace(says=scrub(one.says)) for one in looked]
    if json_:
        screen.out.print_json(orjson.dumps([one._asdict() for one in found]).decode())
    else:
        screen.out.print(table(found))
    if any(one.state == "bad" for one in found):
        raise typer.Exit(1)


def everything(settings: Settings) -> Iterator[Finding]:
    """Yield what is found, from the machine to what runs on it."""
    yield from machine.python()
    yield from machine.packages()
    yield from room.room(settings.home)
    yield from room.forecast(settings)
    yield from machine.files()
    yield from machine.clock(settings.exchange_urls)
    yield from home.rights(settings.home)
    yield from home.keys(settings.home)
    yield from home.chats(settings.notify)
    yield from home.stores(settings.home)
    yield from home.journals(settings.home)
    yield from servers.logs(settings)
    yield from servers.history(settings)
    yield from servers.kafka(settings)
    yield from servers.supervisor(settings)
    yield from flows.deployments(settings)
    yield from flows.executors(settings)


def table(found: list[Finding]) -> Table:
    """Return findings as a table; what to do stands below what is said."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("check")
    grid.add_column("state", no_wrap=True)
    grid.add_column("what, and what to do")
    for one in found:
        said = Text(one.says)
        if one.remedy:
            said.append(f"\n{one.remedy}", "bold")
        grid.add_row(Text(one.check), Text(one.state, _STYLES[one.state]), said)
    return grid
