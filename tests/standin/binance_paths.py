"""Where Binance serves what: its own hosts, and those where one trades without money."""

from __future__ import annotations

import re

_REST = {
    "spot": ("api.binance.com", "testnet.binance.vision", "demo-api.binance.com"),
    "usdm": ("fapi.binance.com", "testnet.binancefuture.com", "demo-fapi.binance.com"),
    "coinm": ("dapi.binance.com", "testnet.binancefuture.com", "demo-dapi.binance.com"),
}
SOCKETS = {
    "stream.binance.com": "spot",
    "stream.testnet.binance.vision": "spot",
    "demo-stream.binance.com": "spot",
    "ws-api.binance.com": "spot",
    "ws-api.testnet.binance.vision": "spot",
    "demo-ws-api.binance.com": "spot",
    "fstream.binance.com": "usdm",
    "fstream.binancefuture.com": "usdm",
}
"""The kind of market behind each host of streams."""


def rest(kind: str, path: str) -> str:
    """Return the route of a path at any host of a kind of markets."""
    return f"/{{host:{'|'.join(map(re.escape, _REST[kind]))}}}{path}"
