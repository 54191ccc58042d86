"""Binance is asked for single trades, and never more of it than it has."""

from collections.abc import Mapping

import pytest

from connectors.exchange.rest_trades import First, HoleError, Traded
from tests.connectors.rest_server import SPOT, SWAP, behind, first


class Binance:
    """Trades 100 to 1599, two each millisecond from 50_000 on; the newest 1,000 on futures."""

    ids = range(100, 1600)

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, path: str, query: Mapping[str, str]) -> object:
        self.asked.append((path, dict(query)))
        limit = int(query.get("limit", 500))
        if path.endswith("/historicalTrades"):
            begin = int(query["fromId"])
            return [self.trade(i) for i in self.ids if i >= begin][:limit]
        if path.endswith("/trades"):
            return [self.trade(i) for i in self.ids[-limit:]]
        assert path.endswith("/aggTrades"), path
        since = int(query["startTime"])
        sums = (
            {"a": 9_000 + i, "f": i, "l": i, "T": self.ms(i), "p": "1", "q": "1", "m": True}
            for i in self.ids
        )
        return [one for one in sums if int(str(one["T"])) >= since][:limit]

    def ms(self, number: int) -> int:
        return 50_000 + (number - 100) // 2

    def trade(self, number: int) -> object:
        return {"id": number, "price": "60123.45000000", "qty": "0.00210000"} | {
            "time": self.ms(number),
            "isBuyerMaker": number % 2 == 0,
            "quoteQty": "126.2",
        }


def test_binance_spot_is_asked_for_single_trades_by_id_without_a_key() -> None:
    binance = Binance()
    assert behind("binance", binance, SPOT, 120, 0, 1500) == [*range(121, 1500)]
    path, query = binance.asked[0]
    assert path == "/api.binance.com/api/v3/historicalTrades"
    assert query == {"symbol": "BTCUSDT", "fromId": "120", "limit": "1000"}


def test_binance_spot_finds_a_time_by_the_first_trade_of_an_aggregate() -> None:
    found = first("binance", Binance(), SPOT, 50_010)
    assert found == First(Traded("120", 50_010_000_000, 60123.45, 0.0021, -1), whole=True)
    assert first("binance", Binance(), SPOT, 99_000) == First(None, whole=True)


def test_binance_futures_have_the_newest_thousand() -> None:
    binance = Binance()
    assert behind("binance", binance, SWAP, 600, 0, 700) == [*range(601, 700)]
    assert binance.asked[0][0] == "/fapi.binance.com/fapi/v1/trades"
    with pytest.raises(HoleError, match="REST reaches back to trade 600"):
        behind("binance", binance, SWAP, 120, 0, 700)
    found = first("binance", Binance(), SWAP, 50_010)
    assert (found.trade and found.trade.id, found.whole) == ("600", False)


def test_with_a_key_older_ones_of_futures_are_looked_up_and_only_if_they_must() -> None:
    binance = Binance()
    assert behind("binance", binance, SWAP, 120, 0, 1500, key="k") == [*range(121, 1500)]
    paths = [path.rpartition("/")[2] for path, _ in binance.asked]
    assert paths == ["trades", "historicalTrades", "trades"]
    found = first("binance", Binance(), SWAP, 50_010, key="k")
    assert (found.trade and found.trade.id, found.whole) == ("120", True)
