from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.building import FEW, Building, running, sums
from schemas import MINUTE, Candle, Trades
from tests.tapes import MARKET, SIZES, START

COUNT = st.integers(1, 3 * FEW)


def trades(seed: int, count: int, ids: bool = True) -> Trades:
    random = np.random.default_rng(seed)
    return Trades.of(
        MARKET,
        START + np.cumsum(random.integers(0, 3, count)),
        random.uniform(100, 101, count),
        random.choice(SIZES, count),
        random.integers(-1, 2, count).astype(np.int8),
        list(range(7, 7 + count)) if ids else None,
    )


def empty() -> Building:
    return Building(START, START + MINUTE, complete=True)


def made(building: Building) -> Candle:
    return building.candle(MARKET, START + MINUTE, "1m")


def plain(slices: list[Trades]) -> Candle:
    """Sum trade by trade, from the left."""
    rows = [
        row
        for part in slices
        for row in zip(
            part.price.tolist(), part.size.tolist(), part.side.tolist(), part.ts.tolist(),
            [""] * len(part) if part.id is None else map(str, part.id.tolist()), strict=True,
        )
    ]  # fmt: skip
    volume = quote = bought = sold = 0.0
    for price, size, side, _, _ in rows:
        volume += size
        quote += price * size
        bought += size if side > 0 else 0.0
        sold += size if side < 0 else 0.0
    prices, _, sides, times, ids = zip(*rows, strict=True)
    return Candle(
        MARKET, START + MINUTE, "1m", START, START + MINUTE,
        prices[0], max(prices), min(prices), prices[-1], volume, quote / volume, len(rows),
        bought, sold, sides.count(1), sides.count(-1), quote,
        ids[0], ids[-1], times[0], times[-1], True,
    )  # fmt: skip


@given(st.integers(0, 9_999), COUNT, st.booleans(), st.sets(st.integers(1, 3 * FEW)))
def test_slices_of_any_length_add_up_as_trade_by_trade(
    seed: int, count: int, ids: bool, cuts: set[int]
) -> None:
    whole, building = trades(seed, count, ids), empty()
    edges = [0, *sorted(cut for cut in cuts if cut < count), count]
    for a, b in pairwise(edges):
        building.add(whole.cut(a, b))
    assert repr(made(building)) == repr(plain([whole]))


@given(st.integers(0, 9_999), COUNT, st.booleans(), st.sets(st.integers(1, 3 * FEW)))
def test_sums_are_those_of_each_part_alone(
    seed: int, count: int, ids: bool, cuts: set[int]
) -> None:
    block = trades(seed, count + 5, ids)
    whole = block.cut(5, count + 5)
    starts = [0, *sorted(cut for cut in cuts if cut < count)]
    all_at_once = sums(whole, np.array(starts))
    for start, stop, fields in zip(starts, [*starts[1:], count], all_at_once, strict=True):
        alone = plain([whole.cut(start, stop)])
        ours = Candle(MARKET, START + MINUTE, "1m", START, START + MINUTE, *fields, True)
        assert repr(ours) == repr(alone)
        assert repr(made(Building.of(START, START + MINUTE, fields))) == repr(alone)


@given(st.integers(0, 9_999), COUNT, COUNT)
def test_what_was_summed_at_once_goes_on_trade_by_trade(seed: int, first: int, second: int) -> None:
    whole = trades(seed, first + second)
    building = Building.of(START, START + MINUTE, sums(whole.cut(0, first), np.array([0]))[0])
    building.add(whole.cut(first, first + second))
    assert repr(made(building)) == repr(plain([whole]))


@given(st.lists(st.floats(0, 1e9), min_size=1), st.floats(0, 1e9))
def test_a_running_sum_adds_from_the_left(values: list[float], carry: float) -> None:
    total = carry
    for value in values:
        total += value
    assert repr(running(carry, np.array(values))) == repr(total)


def test_nothing_added_is_a_flat_candle_at_the_close_before() -> None:
    building = empty()
    building.add(trades(1, 3))
    last = made(building)
    flat = made(building.next(START + MINUTE, START + 2 * MINUTE, complete=False))
    assert flat == Candle(
        MARKET, START + MINUTE, "1m", START + MINUTE, START + 2 * MINUTE,
        last.close, last.close, last.close, last.close, 0.0, last.close, 0, 0.0, 0.0, 0, 0, 0.0,
        last.last_id, last.last_id, last.last_ts, last.last_ts, False,
    )  # fmt: skip


def test_what_follows_a_flat_candle_forgets_its_close() -> None:
    building = empty()
    building.add(Trades.of(MARKET, [START], [7.0], [1.0]))
    after = building.next(START + MINUTE, START + 2 * MINUTE, complete=True)
    after.add(Trades.of(MARKET, [START + MINUTE], [5.0], [1.0]))
    candle = made(after)
    assert (candle.open, candle.high, candle.low, candle.close) == (5.0, 5.0, 5.0, 5.0)


@pytest.mark.parametrize("count", [1, FEW - 1, FEW, FEW + 1])
def test_a_candle_holds_plain_values(count: int) -> None:
    building = empty()
    building.add(trades(3, count))
    candle = made(building)
    kinds = {type(getattr(candle, name)) for name in Candle.__slots__}
    assert kinds == {str, int, float, bool}
