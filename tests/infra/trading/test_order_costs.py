"""What orders cost beside what was expected: history's answer against plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from uuid import uuid4

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from schemas import Event, Fill, Order
from schemas.tables import Record, block, table

M = "okx:A/B"


def ask(number: int, action: str, side: str, mid: float, bps: float | None) -> Order:
    sign = 1 if side == "buy" else -1
    expected = None if bps is None else Decimal(repr(round(mid * (1 + sign * bps / 1e4), 8)))
    return Order(
        M, number, number, number, action, side, Decimal(3), "test",  # type: ignore[arg-type]
        expected=expected, slippage_bps=bps,
    )  # fmt: skip


def test_each_order_with_fills_has_what_it_was_to_cost_and_what_it_did(
    writer: Client, reader: Client
) -> None:
    random, run = Random(3), uuid4().hex
    orders, fills, plain = [], [], {}
    for number in range(1, 30):
        side, mid = random.choice(["buy", "sell"]), random.uniform(1, 70_000)
        bps = random.choice([None, random.uniform(0, 30)])
        orders.append(ask(number, random.choice(["enter", "exit"]), side, mid, bps))
        parts = [
            (round(mid * random.uniform(0.999, 1.001), 8), random.randrange(1, 9) / 8)
            for _ in range(random.randrange(4))
        ]
        for price, amount in parts:
            fee = random.choice([("", "0.25"), ("BNB", "0.001")])
            fills.append(
                Fill(
                    M,
                    number,
                    number,
                    number,
                    side,  # type: ignore[arg-type]
                    Decimal(repr(price)),
                    Decimal(repr(amount)),
                    Decimal(fee[1]),
                    fee[0],
                )
            )
        if parts:
            filled = sum(amount for _, amount in parts)
            realised = sum(price * amount for price, amount in parts) / filled
            sign = 1 if side == "buy" else -1
            cost = None if bps is None else sign * (realised / mid - 1) * 1e4
            fees = sum(f.fee for f in fills if f.order == number and not f.fee_currency)
            plain[number] = (filled, realised, bps, cost, fees)
    orders.append(ask(1, "cancel", "buy", 7.0, None))  # it is the entry's count, and no order
    both: list[tuple[type[Event], Sequence[Event]]] = [(Order, orders), (Fill, fills)]
    for kind, events in both:
        records = [Record(1_000 * (kind is Fill) + n, e) for n, e in enumerate(events)]
        rows = pa.Table.from_batches([block("demo", run, kind, records)])
        writer.insert_arrow(table(kind), rows)
    query = (
        "SELECT `order`, filled, realised, expected_bps, realised_bps, fees, worse_bps, other_fees "
        "FROM order_costs WHERE run = {run:String} ORDER BY `order`"
    )
    found = reader.query(query, {"run": run}).result_rows
    assert [row[0] for row in found] == list(plain)
    for number, filled, realised, expected, cost, fees, worse, other in found:
        wanted = plain[number]
        assert (filled, realised) == pytest.approx(wanted[:2])
        assert expected == wanted[2]
        assert cost == (None if wanted[3] is None else pytest.approx(wanted[3], abs=1e-3))
        assert worse == (None if cost is None else pytest.approx(cost - expected))
        assert fees == wanted[4]
        count = sum(fill.order == number and fill.fee_currency == "BNB" for fill in fills)
        assert other == ({"BNB": count * Decimal("0.001")} if count else {})
