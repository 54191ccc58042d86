"""`deck explain`: the story of a position, or of a signal, in words and as a picture."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from connectors.scrub import scrub
from infra import screen
from infra.history.history import History
from infra.settings import Settings
from infra.stories.as_json import as_json
from infra.stories.gather import of_position, of_signal
from infra.stories.latest import latest
from infra.stories.names import Name
from infra.stories.story import Story
from infra.stories.tape import Tape
from infra.stories.telling import Line, heading, lines
from infra.stories.words import clock, day

_NARROW, _WIDE = 80, 100


def explain(
    name: Annotated[
        str,
        typer.Argument(
            help="A position, RUN:MARKET:N, as the list names it; or only RUN, to list those of a "
            "run. RUN is its id, how that begins, or the name of a flow or a deployment.",
            show_default=False,
        ),
    ] = "",
    signal: Annotated[
        bool, typer.Option("--signal", help="The name is a signal's, perhaps a refused one's.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(help="Where the picture goes, .png or .svg.", show_default="in the home"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, with every event.")] = False,
) -> None:
    """Tell how a position came about, what became of it, and what the model learned from it.

    Without a name: which positions there are.
    """
    settings = Settings.from_environment()
    with screen.told(), closing(History(settings).client("reader")) as client:
        if ":" not in name:
            _list(client, settings, name, signals=signal)
            return
        story = (of_signal if signal else of_position)(client, settings.home, Name.read(name))
        if json:
            typer.echo(as_json(story))
        else:
            _say(story)
        if picture or not json:
            drawn = _draw(client, story, picture or settings.home / "pictures" / _file(story.name))
            if drawn and not json:
                screen.out.print(Text(f"\npicture: {drawn}"), soft_wrap=True)


def _list(client: Client, settings: Settings, run: str, *, signals: bool) -> None:
    found = latest(client, settings.home, run, signals=signals)
    screen.out.print(found.table)
    screen.out.print(Text(found.next), soft_wrap=True)


def _say(story: Story) -> None:
    """Print a story that fits on 80 columns."""
    screen.out.print(Text(str(story.name), "bold"), soft_wrap=True)
    told = [*lines(story)]
    first = next((line.ts for line in told if line.ts is not None), None)
    on = f"{day(first)}, UTC · " if first is not None else ""
    screen.out.print(Text(scrub(on + heading(story))))
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    shown = on[:10]
    for line in told:
        if line.ts is not None and day(line.ts) != shown:
            shown = day(line.ts)
            grid.add_row(shown, "", "")
        grid.add_row(_when(line), line.what, escape(scrub(line.says)))
    screen.out.print(grid, width=max(_NARROW, min(screen.out.width, _WIDE)))


def _when(line: Line) -> str:
    return "" if line.ts is None else clock(line.ts)


def _draw(client: Client, story: Story, path: Path) -> Path | None:
    from infra.pictures.style import check, save  # noqa: PLC0415 - a second, and not all want it
    from infra.stories.picture import picture  # noqa: PLC0415

    check(path)
    tape = Tape(client, story.run.flow, story.run.run, story.name.market)
    drawn = picture(tape, story)
    if drawn is None:
        return None
    save(drawn, path)
    return path


def _file(name: Name) -> str:
    """Return a name for a file: markets have characters that paths have not."""
    return re.sub(r"[^\w.-]+", "-", str(name)) + ".png"
