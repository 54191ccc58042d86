"""Let things go wrong, many times: `make chaos ARGS="--class behind --seeds 1-100"`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.chaos.trying import CLASSES, Tried, attempt


def main(arguments: Sequence[str] | None = None) -> int:
    """Try seeds, print what became of each, and return 1 if one failed."""
    asked = _options().parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    kinds = [*CLASSES] if asked.kind == "both" else [asked.kind]
    screen = Console(width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="chaos") as name:
        tried = list(_watched(screen, kinds, seeds, Path(name), asked.at_once))
    for one in sorted(tried):
        if one.why:
            screen.print(f"{one.kind} {one.seed}", style="bold red")
            screen.print(one.why, markup=False, highlight=False)
    screen.print(_table(sorted(tried)))
    failed = sum(bool(one.why) for one in tried)
    screen.print(f"{len(tried) - failed} of {len(tried)} held", style="red" if failed else "green")
    return 1 if failed else 0


def _watched(
    screen: Console, kinds: Sequence[str], seeds: Sequence[int], directory: Path, at_once: int
) -> Iterator[Tried]:
    """Try all, some at a time, and show how far that is."""
    with ExitStack() as held:
        bar = held.enter_context(Progress(console=screen, transient=True))
        pool = held.enter_context(ProcessPoolExecutor(at_once, get_context("spawn")))
        task = bar.add_task("chaos", total=len(kinds) * len(seeds))
        for future in as_completed(
            pool.submit(attempt, kind, seed, directory) for seed in seeds for kind in kinds
        ):
            yield future.result()
            bar.advance(task)


def _table(tried: Sequence[Tried]) -> Table:
    grid = Table("class", "seed", "what went wrong", "starts again", "s", "rows")
    for kind, seed, lived, why in tried:
        if lived is None:
            grid.add_row(kind, str(seed), why.strip().splitlines()[-1][:60], style="red")
            continue
        rows = sum(map(len, lived.rows.values()))
        struck = ", ".join(lived.struck)
        grid.add_row(
            kind, str(seed), struck, str(lived.restarts), f"{lived.seconds:.0f}", f"{rows:,}"
        )
    return grid


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    kinds = (*CLASSES, "both")
    parser.add_argument("--class", dest="kind", choices=kinds, default="both")
    parser.add_argument("--seeds", default="1-10", help="the first and the last")
    parser.add_argument("--at-once", type=int, default=2, help="how many are tried at a time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
