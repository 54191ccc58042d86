"""The history behind the page: a run of many candles, which goes on. ClickHouse makes it itself."""

from __future__ import annotations

from collections.abc import Iterator

MARKET = "bench:M000/USDT"
RUN = "be" * 16
PAST = 1_000_000
"""Candles that there are at first; each has averages and an outcome, every fiftieth a position."""
EACH = 400
"""Trades of a minute."""
START = 1_640_995_200_000_000_000
"""2022-01-01."""


def run() -> str:
    """Return the statement that begins the run: it reads the market log, and goes on."""
    return f"""
        INSERT INTO runs SELECT '{RUN}', 'bench', '0.1.0', '{{}}', 'log bench', 'paper', 'running',
            {_time(0)}, NULL, '{{}}', 1
    """


def minutes(first: int, many: int) -> Iterator[str]:
    """Yield the statements that make some minutes of it.

    Parameters
    ----------
    first, many
        From which number on, and how many.

    """
    for table, (columns, which) in _TABLES.items():
        yield (
            f"INSERT INTO {table} WITH number AS n, {_PRICES} SELECT 'bench', '{RUN}', '{MARKET}', "  # noqa: S608 - numbers of ours
            f"{columns} FROM numbers({first}, {many}) WHERE {which}"
        )


def _time(minute: object) -> str:
    return f"fromUnixTimestamp64Nano(toInt64({START} + ({minute}) * 60000000000), 'UTC')"


def _price(minute: str) -> str:
    return f"round(60000 + 300 * sin(({minute}) / 40) + 90 * sin(({minute}) / 7), 1)"


_PRICES = f"{_price('n')} AS open_, {_price('n + 1')} AS close_"
_HELD = "n % 50 = 49"
_MONEY = "toDecimal256(toString({}), 38)"
_TABLES = {
    "candles": (
        f"n * 10, {_time('n + 1')}, '1m', {_time('n')}, {_time('n + 1')}, open_, "
        f"greatest(open_, close_) + 1, least(open_, close_) - 1, close_, {EACH / 100}, open_, "
        f"{EACH}, 2, 2, {EACH // 2}, {EACH // 2}, open_ * {EACH / 100}, toString(n * {EACH} + 1), "
        f"toString((n + 1) * {EACH}), {_time('n')}, {_time('n + 1')}, true",
        "true",
    ),
    "averages": (
        f"n * 10 + 1, {_time('n + 1')}, map("
        f"'sma5', {_price('n - 2')}, 'sma20', {_price('n - 10')}, 'sma60', {_price('n - 30')})",
        "true",
    ),
    "outcomes": (
        f"n * 10 + 7, {_time('n + 1')}, n, 'long', 100, if(n % 2 = 0, 100.3, 99.8), "
        f"{_time('n + 1')}, if(n % 2 = 0, 'take', 'stop'), if(n % 2 = 0, 0.002, -0.003), "
        "n % 2 = 0, 0.3 + n % 401 / 1000, NULL, "
        "map('log_loss', 0.69, 'base_log_loss', 0.693, 'count', toFloat64(n))",
        "true",
    ),
    "opened": (
        f"n * 10 + 5, {_time('n')}, intDiv(n, 50) + 1, 'long', {_MONEY.format('0.1')}, "
        f"{_MONEY.format('open_')}, open_ * 0.998, open_ * 1.003, NULL, {_time('n + 30')}",
        _HELD,
    ),
    "closed": (
        f"n * 10 + 9, {_time('n + 1')}, intDiv(n, 50) + 1, 'long', {_MONEY.format('0.1')}, "
        f"{_MONEY.format('open_')}, {_MONEY.format('close_')}, {_time('n')}, 'deadline', "
        f"{_MONEY.format('0.12')}, ({_MONEY.format('close_')} - {_MONEY.format('open_')}) / 10, "
        f"close_ / open_ - 1, close_ / open_ - 1.0002, {_MONEY.format('0')}, ''",
        _HELD,
    ),
}  # fmt: skip
"""What each table gets of a minute that is numbered `n`, and of which minutes."""
