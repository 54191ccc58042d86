"""`deck check`: says what is wrong with a flow, in seconds."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer
from rich.text import Text

from connectors.scrub import scrub
from infra import screen
from infra.authors.found import Found
from infra.authors.looks import looks
from infra.authors.market import simulated
from infra.listed import listed
from infra.options import FlowFile
from infra.screen import told


def check(
    flow: FlowFile,
    markets: Annotated[
        str, typer.Option(help="Names of the simulated markets, with commas between.")
    ] = "sim:BTC/USDT,sim:ETH/USDT",
    hours: Annotated[float, typer.Option(min=0.1, help="How long they are.")] = 6.0,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what is wrong with a flow, where, and what to do; fail if anything is.

    It runs on a simulated market, again and again: with traps set, cut, and in other pieces.
    """
    found: list[Found] = []
    with told(), screen.output(alone=json_) as out:
        names = listed(markets)
        for one in looks(flow, simulated(names, hours)):
            found.append(one._replace(says=scrub(one.says)))
            if not json_:
                say(found[-1])
        if json_:
            out.write(orjson.dumps([one._asdict() for one in found]) + b"\n")
    if not all(one.good for one in found):
        raise typer.Exit(1)


def say(one: Found) -> None:
    """Print a line for what is good; the place and the remedy below what is not."""
    line = Text(f"{'✓' if one.good else '✗'} ", "green" if one.good else "red")
    line.append(f"{one.check:<10} ", "bold").append(one.says, "")
    screen.out.print(line, soft_wrap=True)
    for more in (one.place, one.remedy):
        if more:
            screen.out.print(Text(f"{'':13}{more}", "dim"), soft_wrap=True)
