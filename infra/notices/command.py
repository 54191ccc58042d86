"""`deck notify`: where notices go, and whether they arrive."""

from __future__ import annotations

from typing import Annotated

import typer

from connectors.chat import UndeliveredError
from infra import screen
from infra.notices.notify import chats
from infra.screen import Misused, say, told
from infra.settings import Settings

_TEST = "tapedeck · this is a test: notices arrive"


def notify(
    test: Annotated[
        bool, typer.Option("--test", help="Send one notice to each, and say what came back.")
    ] = False,
) -> None:
    """Say where notices of fills, halts and deaths go; --test sends one."""
    with told():
        found = chats(Settings.from_environment().notify)
        if not found:
            raise Misused(
                "nobody is told: set TAPEDECK_NOTIFY_WEBHOOK to an address that takes JSON, or "
                "TAPEDECK_NOTIFY_TELEGRAM_TOKEN and TAPEDECK_NOTIFY_TELEGRAM_CHAT"
            )
        failed = False
        for chat in found:
            if not test:
                screen.out.print(f"{chat.name}: set; deck notify --test tries it", highlight=False)
                continue
            try:
                screen.out.print(f"{chat.name}: taken, {chat.send(_TEST)}", highlight=False)
            except UndeliveredError as error:
                say(f"{chat.name}: not taken: {error}", "red")
                failed = True
    if failed:
        raise typer.Exit(1)
