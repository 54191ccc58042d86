"""Serve a stand-in exchange for demonstrations: `python -m tests.standin --speed 5`."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

from connectors.simulated.simulate import simulate
from tests.standin.account import KEY, PASSWORD, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture
from tests.standin.exchange import StandIn
from tests.standin.okx import OkxStandIn
from tests.standin.trouble import CONTROL

_DATA = Path(__file__).parents[3] / "shared" / "data" / "wire"
_MONEY = {"USDT": Decimal(1_000_000), "BTC": Decimal(10), "ETH": Decimal(100)}
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
    account = Account(withdraws=asked.withdraws, spot=_MONEY)
    with served(captures, asked.speed, asked.port, accounts=[account]) as exchange:
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
    parser.add_argument("--withdraws", action="store_true", help="let the key withdraw money")
    parser.add_argument("--data", type=Path, default=_DATA, help="a directory of captures")
    return parser


def _tell(name: str, exchange: StandIn) -> None:
    lines = [f"{name} stands at {exchange.url}; Ctrl-C ends it"]
    for market in exchange.markets.values():
        capture = market.capture
        lines.append(f"  {name}:{capture.unified}  {len(capture.trades):,} trades")
    keys = {"EXCHANGE": name, "KEY": KEY, "SECRET": SECRET, "PASSWORD": PASSWORD}
    lines += [f"export TAPEDECK_ACCOUNT_MAIN_{what}={value}" for what, value in keys.items()]
    lines.append(f"# what account main did: curl {exchange.url}{CONTROL}accounts/main")
    lines.append(f"# lose an answer: curl -d '{{}}' {exchange.url}{CONTROL}order/lose")
    lines.append(f"export EXCHANGE_URLS={name}={exchange.url}")
    print(*lines, sep="\n", flush=True)  # noqa: T201 - it is what is asked for


if __name__ == "__main__":
    main()
