"""The simulated market: its hours follow from its name and a seed, and add up to a market."""

from __future__ import annotations

import ast
import inspect
from typing import TypeGuard

import numpy as np
import pytest

from connectors.simulated import market as sim_market
from connectors.simulated.market import HOUR, Grid, Hour, SimulatedMarket, tail
from schemas import MINUTE

BTC, ETH = "sim:BTC/USDT", "sim:ETH/USDT"
START = 473_352 * HOUR
EXACT = {
    "add", "arange", "concatenate", "diff", "empty", "floor", "maximum", "minimum", "searchsorted",
    "sqrt", "where",
}  # fmt: skip
"""What numpy computes to the last bit on every machine; `exp` or `log` it does not."""
TYPES = {"bool_", "int64", "int8", "random"}
INEXACT = {"dot", "mean", "normal", "exponential", "standard_normal", "sum"}


def hours(market: str, count: int, seed: int = 1, rate: float = 20.0) -> list[Hour]:
    made = SimulatedMarket(market, seed, rate, 0.5)
    return [made.hour(START + n * HOUR) for n in range(count)]


def said(hours: list[Hour]) -> list[list[object]]:
    return [[column.tolist() for column in hour] for hour in hours]


def test_the_same_name_and_seed_give_the_same_hours() -> None:
    assert said(hours(BTC, 3)) == said(hours(BTC, 3))
    assert said(hours(BTC, 1)) != said(hours(BTC, 1, seed=2))
    assert said(hours(BTC, 1)) != said(hours("other:BTC/USDT", 1))


def test_a_longer_run_begins_with_the_shorter_whatever_other_markets_do() -> None:
    markets = [SimulatedMarket(name, 1, 20.0, 0.5) for name in (ETH, BTC)]
    together = [[market.hour(START + n * HOUR) for market in markets] for n in range(4)]
    assert said([btc for _, btc in together[:2]]) == said(hours(BTC, 2))


def test_draws_are_the_same_in_however_many_pieces() -> None:
    whole, pieces = (sim_market._Draws(1, BTC, 0) for _ in range(2))
    assert whole.take(8).tolist() == [*pieces.take(3), *pieces.take(5)]
    assert whole.take(8).tolist() != sim_market._Draws(1, BTC, 1).take(8).tolist()


def test_only_what_is_exact_on_every_machine_is_computed() -> None:
    nodes = list(ast.walk(ast.parse(inspect.getsource(sim_market))))
    assert {node.attr for node in nodes if _of_numpy(node)} <= EXACT | TYPES
    assert not [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in INEXACT]
    powers = [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow)]
    assert all(ast.unparse(power.left) == "10" for power in powers), "whole numbers only"


def _of_numpy(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np"


@pytest.mark.parametrize("rate", [0.02, 20.0, 3_000.0])
def test_an_hour_has_its_trades_in_order_and_at_or_through_its_quotes(rate: float) -> None:
    last = START
    for number, hour in enumerate(hours(BTC, 6, rate=rate)):
        start = START + number * HOUR
        assert ((hour.ts >= max(start, last)) & (hour.ts < start + HOUR)).all()
        assert (np.diff(hour.ts) >= 0).all()
        assert set(hour.side.tolist()) <= {1, -1}
        assert (hour.size > 0).all()
        assert ((hour.bid > 0) & (hour.bid < hour.ask) & (hour.step > 0)).all()
        touch = np.where(hour.side > 0, hour.ask, hour.bid)
        through = (hour.price - touch) * hour.side
        assert (through[hour.opens] == 0).all()
        assert ((through >= 0) & (through <= 4 * hour.step)).all()
        last = int(hour.ts[-1]) if len(hour.ts) else last


def test_the_prints_of_an_order_share_their_time_and_side() -> None:
    for hour in hours(BTC, 3):
        goes_on = ~hour.opens[1:]
        assert goes_on.any()
        assert (np.diff(hour.ts)[goes_on] == 0).all()
        assert (np.diff(hour.side)[goes_on] == 0).all()


def test_trades_come_at_the_rate_on_average() -> None:
    count = sum(len(hour.ts) for hour in hours(ETH, 24 * 10))
    assert count / (240 * HOUR // MINUTE) == pytest.approx(20, rel=0.15)


def test_a_heavy_tail_is_one_on_average() -> None:
    draws = (np.arange(100_000) + 0.5) / 100_000
    assert tail(draws).mean() == pytest.approx(1, rel=0.01)
    assert tail(draws).min() >= 0


@pytest.mark.parametrize("market", [BTC, ETH, "sim:XRP/USDT", "sim:XYZ", "sim:ABC/EUR"])
def test_a_usual_size_is_worth_about_as_much_in_every_market(market: str) -> None:
    grid = Grid.of(market)
    worth = grid.lots * grid.ticks / 10 ** (grid.price_places + grid.size_places)
    assert 750 <= worth < 752


def test_known_markets_are_like_themselves_on_any_exchange() -> None:
    assert Grid.of(BTC) == Grid.of("other:BTC/EUR")
    assert Grid.of(BTC).ticks / 10 ** Grid.of(BTC).price_places == 42_000
