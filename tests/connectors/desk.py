"""An account at a stand-in exchange, as ccxt's real client meets it over sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from decimal import Decimal

from connectors.account.account import TradingVenue
from connectors.account.keys import AccountKeys
from connectors.account.orders import Place
from schemas import Aggressor
from tests.standin.account import KEY, PASSWORD, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.engine import Engine
from tests.standin.exchange import StandIn
from tests.standin.okx import OkxStandIn

SPOT, USDM = "spot:BTCUSDT", "usdm:BTCUSDT"
COIN, PERPETUAL = "binance:BTC/USDT", "binance:BTC/USDT:USDT"
OKX = "okx:BTC/USDT"
NAMES = {COIN: SPOT, PERPETUAL: USDM, OKX: SPOT}
"""How the stand-in calls a market."""
KEYS = AccountKeys("main", "binance", KEY, SECRET)
OKX_KEYS = AccountKeys("main", "okx", KEY, SECRET, PASSWORD)
LINES = 600


@contextmanager
def binance(account: Account | None = None, **more: object) -> Iterator[BinanceStandIn]:
    """Give a stand-in with both markets, whose books stand there already."""
    captures = [made(LINES, kind) for kind in ("spot", "usdm")]
    accounts = [account or Account(spot={"USDT": Decimal(1_000_000), "BNB": Decimal(10)})]
    with BinanceStandIn(captures, accounts=accounts, **more) as exchange:  # type: ignore[arg-type]
        exchange.play_until(line=40)
        yield exchange


@contextmanager
def okx(account: Account | None = None) -> Iterator[OkxStandIn]:
    """Give a stand-in of another exchange, whose book stands there already."""
    accounts = [account or Account(spot={"USDT": Decimal(1_000_000)})]
    with OkxStandIn([made(LINES)], accounts=accounts) as exchange:
        exchange.play_until(line=40)
        yield exchange


def exchange_of(market: str, account: Account | None = None) -> AbstractContextManager[StandIn]:
    """Give the stand-in that has a market."""
    return okx(account) if market == OKX else binance(account)


def keys_of(exchange: StandIn) -> AccountKeys:
    """Return the account's keys at an exchange."""
    return OKX_KEYS if isinstance(exchange, OkxStandIn) else KEYS


@asynccontextmanager
async def venue(
    exchange: StandIn, keys: AccountKeys | None = None, sandbox: bool = True
) -> AsyncIterator[TradingVenue]:
    """Give an account's real client, in no need to spare the exchange."""
    found = TradingVenue(keys or keys_of(exchange), exchange.url, sandbox)
    found.client.enableRateLimit = False  # type: ignore[attr-defined]
    try:
        await found.load()
        yield found
    finally:
        await found.close()


def engine(exchange: StandIn, market: str) -> Engine:
    """Return the matching engine of a market."""
    return exchange.trading.engines[NAMES[market]]


def place(
    id_: str,
    market: str = COIN,
    side: Aggressor = "buy",
    amount: str = "1.00",
    **more: object,
) -> Place:
    """Return an order."""
    return Place(id_, market, side, amount=Decimal(amount), **{"kind": "market", **more})  # type: ignore[arg-type]
