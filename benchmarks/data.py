"""The markets the benchmarks run on: simulated, the same on every machine, kept between runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.simulated.simulate import simulate
from infra.settings import Settings


@dataclass(frozen=True)
class Market:
    """One kind of market data."""

    name: str
    trades: int
    """About how many, in all markets together."""
    markets: int
    rate: float
    """Trades a candle of one minute, on average."""

    def path(self) -> Path:
        """Return the file, made if it is not there yet."""
        path = Settings.from_environment().home / "benchmarks" / f"{self.name}.parquet"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            days = self.trades / self.markets / self.rate / 1440
            names = [f"sim:M{number:03}/USDT" for number in range(self.markets)]
            partial = path.with_suffix(".partial")
            simulate(
                partial, names, days, 1, rate=self.rate, book_every=None, heartbeat_every=None,
                uncompressed=True,
            )  # fmt: skip
            partial.rename(path)
        return path


DENSE = Market("dense", 4_000_000, 1, 1_000)
WIDE = Market("wide", 4_000_000, 100, 120)
THIN = Market("thin", 1_000_000, 100, 10)
LIVE_ONE = Market("live-one", 200_000, 1, 120)
LIVE_TEN = Market("live-ten", 400_000, 10, 120)
GROWING = tuple(
    Market(f"dense-{millions}M", millions * 1_000_000, 1, 1_000) for millions in (1, 10, 100)
)
