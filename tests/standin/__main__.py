"""Serve a stand-in exchange for demonstrations: `python -m tests.standin --speed 5`."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
import time
from pathlib import Path

from connectors.simulate import simulate
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture
from tests.standin.exchange import StandIn
from tests.standin.okx import OkxStandIn

_DATA = Path(__file__).parents[3] / "shared" / "data" / "wire"
_SIMULATED = "sim:BTC/USDT"
_SIMULATED_DAYS = 1 / 72


def main() -> None:
    """Serve until Ctrl-C."""
    asked = _arguments().parse_args()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    captures = recorded(asked.data) or [simulated()]
    if asked.exchange == "okx":
        captures = [capture for capture in captures if capture.kind == "spot"]
    served = {"binance": BinanceStandIn, "okx": OkxStandIn}[asked.exchange]
    with served(captures, asked.speed, asked.port) as exchange:
        if asked.now:
            exchange.trouble.clock(time.time_ns() // 1_000_000 - exchange.now())
        _tell(asked.exchange, exchange)
        exchange.play()
        over.wait()


def recorded(directory: Path) -> list[Capture]:
    """Return the captures of a directory; none where there is no such directory."""
    return [Capture.read(path) for path in sorted(directory.glob("*.gz"))]


def simulated() -> Capture:
    """Return a market that no one recorded."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "simulated.parquet"
        simulate(path, [_SIMULATED], _SIMULATED_DAYS, rate=600, book_every=None)
        return Capture.of_parquet(path, "spot", "BTCUSDT", _SIMULATED)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.standin", description=__doc__)
    parser.add_argument("--exchange", choices=["binance", "okx"], default="binance")
    parser.add_argument("--speed", type=float, default=1.0, help="of the recording")
    parser.add_argument("--now", action="store_true", help="stamp it all as if it began now")
    parser.add_argument("--port", type=int, default=0, help="any free one by default")
    parser.add_argument("--data", type=Path, default=_DATA, help="a directory of captures")
    return parser


def _tell(name: str, exchange: StandIn) -> None:
    print(f"{name} stands at {exchange.url}; Ctrl-C ends it")  # noqa: T201 - it is what is asked for
    for market in exchange.markets.values():
        capture = market.capture
        print(f"  {name}:{capture.unified}  {len(capture.trades):,} trades")  # noqa: T201
    print(f"export EXCHANGE_URLS={name}={exchange.url}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
