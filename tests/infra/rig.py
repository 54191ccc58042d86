"""Run `deck` as users do, in processes of its own, watch it, kill it, and compare what it left."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from clickhouse_connect.driver.client import Client

from schemas import (
    SECOND,
    Book,
    Command,
    Event,
    Gap,
    Heartbeat,
    Instrument,
    Report,
    Trades,
    Value,
)
from schemas.tables import BORN_ON_TAPE, table
from schemas.wire import encode
from tests.infra import nursery
from tests.infra.nursery import Started

ROOT = Path(__file__).parents[2]
SMA, LEARNED = ROOT / "flows" / "sma_cross.py", ROOT / "flows" / "learned_cross.py"
HASTY = Path(__file__).with_name("hasty_deck.py")
_START = 1_700_000_040 * SECOND

Arguments: TypeAlias = "str | Path | int"


@dataclass
class Said:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass
class Rig:
    """A home of its own, and the command in it."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def deck(self, *arguments: Arguments, status: int | None = 0, into: str | None = None) -> Said:
        """Run a command to its end; it reads `into`."""
        with self.started(*arguments, into=into or "") as process:
            out, err = process.communicate()
            said = Said(process.wait(), out, err)
        if status is not None:
            assert said.status == status, said
        return said

    @contextmanager
    def started(self, *arguments: Arguments, into: str = "") -> Iterator[Started]:
        """Start a command that reads `into`, and see that it is over at the end."""
        with TemporaryDirectory() as place:
            text, out, err = (Path(place, name) for name in ("into", "out", "err"))
            text.write_text(into)
            for path in (out, err):
                path.touch()
            process = nursery.start(
                arguments, self.home, self._environment, into=text, out=out, err=err
            )
            try:
                yield Started(process, out, err)
            finally:
                process.kill()
                process.join()

    @property
    def _environment(self) -> dict[str, str]:
        return nursery.at_home(self.home, self.environment)


def until(process: Started | subprocess.Popen[str], seen: Callable[[], bool]) -> bool:
    """Look until something is seen, or the process is over; whether it was seen."""
    while not seen():
        try:
            process.wait(0.005)
        except subprocess.TimeoutExpired:
            continue
        return False
    return True


def written(store: Path) -> int:
    """Return the bytes of events that a run has kept so far."""
    total = 0
    for path in store.glob("*/events/*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def history_of(client: Client, run: str) -> dict[str, list[Any]]:
    """Return all rows of a run, by table, but for its id."""
    found = {}
    for kind in BORN_ON_TAPE:
        name = table(kind)
        query = f"SELECT * EXCEPT run FROM {name} WHERE run = {{run:String}} ORDER BY market, seq"
        rows = list(client.query(query, {"run": run}).result_rows)
        if rows:
            found[name] = rows
    return found


def recording(path: Path, markets: tuple[str, ...] = ("sim:A/USD", "sim:B/USD")) -> Path:
    """Write a recording in wire form, with every kind of outside event among its trades."""
    random = Random(5)
    with path.open("wb") as file:
        for second in range(0, 9_000, 3):
            for number, market in enumerate(markets):
                for event in _moment(random, market, _START + second * SECOND, second, number):
                    file.write(encode(event) + b"\n")
    return path


def _moment(random: Random, market: str, ts: int, second: int, number: int) -> Iterator[Event]:
    wave = (second + 500 * number) % 1_800
    price = 100 + (wave if wave < 900 else 1_800 - wave) / 900 + random.gauss(0, 0.02)
    if second == 0:
        yield Instrument(market, ts, Decimal("0.01"), Decimal("0.001"), Decimal(5), Decimal(1))
    if second % 9 == 0:
        bids = [(price - 0.01, 3.0), (price - 0.02, 50.0)]
        asks = [(price + 0.01, 3.0), (price + 0.02, 50.0)]
        yield Book(market, ts + random.randrange(SECOND), bids, asks)
    if second % 30 == 0:
        yield Heartbeat(market, ts + random.randrange(2 * SECOND))
    if second % 600 == 0:
        yield Value(market, ts, "funding", 0.0001 * second)
    if second == 3_000:
        yield Gap(market, ts, "disconnect", ts - SECOND, ts)
        yield Report(market, ts, "main", "sma_cross", "x1", "filled", Decimal("100.5"))
    if second in (6_000, 6_600):
        yield Command(market, ts, "halt" if second == 6_000 else "resume", "", "me")
    count = random.randrange(1, 5)
    stamps = sorted(ts + random.randrange(2 * SECOND) for _ in range(count))
    first = second * 10
    yield Trades.of(
        market, stamps, [round(price + random.gauss(0, 0.01), 4) for _ in range(count)],
        [random.choice([0.1, 0.7, 3.0]) for _ in range(count)],
        [random.choice([1, -1]) for _ in range(count)],
        [f"t{first + i}" for i in range(count)],
    )  # fmt: skip
