"""`deck dashboard`: the live page, until Ctrl-C."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from infra.history.history import History
from infra.history.home import HistoryError
from infra.page.house import House
from infra.page.keys import Keys
from infra.page.serving import PORT, Serving, listening
from infra.screen import out, say, told
from infra.settings import Settings

_ODD = "yellow"


def dashboard(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            help="Where on this machine; 0 takes any that is free.",
            show_default=f"{PORT}, or the next that is free",
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Look only: no halt, resume or flatten.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show flows, markets and money on a live page, on this machine only, until Ctrl-C."""
    with told():
        settings = Settings.from_environment()
        keys = Keys.of(settings.home)
        try:
            History(settings).start()
        except HistoryError as error:
            say(f"{error}; the page says so, and tries again", _ODD)
        serving = Serving(House(settings, keys, read_only=read_only), listening(port))
        out.print(serving.address, highlight=False, soft_wrap=True)
        only = "; it shows, and changes nothing" if read_only else ""
        say(f"open this address: whoever has it may look and command{only}", "dim")
        if open_:
            webbrowser.open(serving.address_once())
        serving.serve_all()
