"""Binance's signed REST: money, positions, rights, and the settings of perpetuals."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from aiohttp import web

from tests.standin.account import Account
from tests.standin.binance_asks import Told
from tests.standin.binance_orders import Answer, BinanceOrders, respond
from tests.standin.binance_paths import rest
from tests.standin.binance_rest import Refusal
from tests.standin.binance_signed import Signed
from tests.standin.binance_words import text
from tests.standin.capture import Json
from tests.standin.margin import Position
from tests.standin.trading import Trading
from tests.standin.trouble import Handler


class BinanceAccount:
    """What signed requests about an account are answered.

    Parameters
    ----------
    trading
        Knows prices.
    signed
        Tells whose request it is.
    orders
        Serves signed requests.
    now
        The exchange's time, ms.

    """

    def __init__(
        self, trading: Trading, signed: Signed, orders: BinanceOrders, now: Callable[[], int]
    ) -> None:
        self._trading, self._signed, self._orders, self._now = trading, signed, orders, now

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        read: dict[tuple[str, str], Answer] = {
            ("spot", "/api/v3/account"): self._money,
            ("spot", "/sapi/v1/account/apiRestrictions"): self._rights,
            ("spot", "/sapi/v1/capital/config/getall"): _nothing,
            ("spot", "/sapi/v1/margin/allPairs"): _nothing,
            ("spot", "/sapi/v1/margin/isolated/allPairs"): _nothing,
            ("usdm", "/fapi/v2/account"): self._wallet,
            ("usdm", "/fapi/v3/account"): self._wallet,
            ("usdm", "/fapi/v2/positionRisk"): self._positions,
            ("usdm", "/fapi/v3/positionRisk"): self._positions,
            ("usdm", "/fapi/v1/leverageBracket"): self._brackets,
            ("usdm", "/fapi/v1/symbolConfig"): self._settings,
            ("usdm", "/fapi/v1/positionSide/dual"): self._mode,
            ("usdm", "/fapi/v1/income"): self._incomes,
        }
        write = {
            "/fapi/v1/positionSide/dual": self._set_mode,
            "/fapi/v1/leverage": self._set_leverage,
            "/fapi/v1/marginType": self._set_margin,
        }
        served = self._orders.served
        key = rest("usdm", "/fapi/v1/listenKey")
        return [
            *(
                web.get(rest(kind, path), served(kind, "read", a))
                for (kind, path), a in read.items()
            ),
            *(web.post(rest("usdm", p), served("usdm", "read", a)) for p, a in write.items()),
            web.post(key, self._listen_key()),
            web.put(key, self._listen_key()),
        ]

    def _listen_key(self) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            async def work() -> Json:
                return {"listenKey": listen_key(self._signed.key(request))}

            return await respond(request, "usdm", "read", work())

        return handle

    def _money(self, _kind: str, account: Account, _told: Told) -> Json:
        purse = account.spot
        balances = [
            {"asset": name, "free": text(purse.free(name)), "locked": text(purse.held(name))}
            for name in sorted(purse.totals)
        ]
        rights = {"canTrade": account.trades, "canWithdraw": account.withdraws, "canDeposit": True}
        return {"accountType": "SPOT", "updateTime": self._now(), **rights, "balances": balances}

    def _rights(self, _kind: str, account: Account, _told: Told) -> Json:
        return {
            "ipRestrict": False,
            "createTime": 1_698_645_219_000,
            "enableReading": True,
            "enableSpotAndMarginTrading": account.trades,
            "enableFutures": account.trades,
            "enableWithdrawals": account.withdraws,
            "enableInternalTransfer": account.withdraws,
            "permitsUniversalTransfer": account.withdraws,
            "enableMargin": False,
            "enableVanillaOptions": False,
        }

    def _wallet(self, _kind: str, account: Account, _told: Told) -> Json:
        purse = account.futures
        used = purse.needed()
        assets = [
            {
                "asset": name,
                "walletBalance": text(total),
                "marginBalance": text(total),
                "initialMargin": text(used if name == "USDT" else Decimal(0)),
                "maintMargin": "0",
                "unrealizedProfit": "0",
                "crossWalletBalance": text(total),
                "availableBalance": text(total - used if name == "USDT" else total),
                "updateTime": self._now(),
            }
            for name, total in sorted(purse.totals.items())
        ]
        return {"assets": assets, "positions": []}

    def _positions(self, _kind: str, account: Account, told: Told) -> list[Json]:
        return [
            self._position(account, name, position)
            for name, position in account.futures.positions.items()
            if position.amount and told.get("symbol", name.partition(":")[2]) in name
        ]

    def _position(self, account: Account, name: str, position: Position) -> Json:
        mark = self._trading.engines[name].last
        worth = mark * position.amount
        margin = abs(worth) / account.futures.leverage
        return {
            "symbol": name.partition(":")[2],
            "positionSide": "BOTH",
            "positionAmt": text(position.amount),
            "entryPrice": text(position.entry),
            "breakEvenPrice": text(position.entry),
            "markPrice": text(mark),
            "unRealizedProfit": text(worth - position.cost),
            "liquidationPrice": "0",
            "isolatedMargin": "0",
            "isolatedWallet": "0",
            "notional": text(worth),
            "marginAsset": account.futures.rules[name].quote,
            "marginType": "isolated" if account.isolated else "cross",
            "leverage": str(account.futures.leverage),
            "initialMargin": text(margin),
            "maintMargin": "0",
            "positionInitialMargin": text(margin),
            "openOrderInitialMargin": "0",
            "updateTime": self._now(),
        }

    def _brackets(self, _kind: str, account: Account, _told: Told) -> list[Json]:
        bracket = {"bracket": 1, "initialLeverage": 125, "notionalFloor": 0, "notionalCap": 1e8}
        return [
            {"symbol": symbol, "brackets": [bracket | {"maintMarginRatio": 0.004, "cum": 0.0}]}
            for symbol in _symbols(account)
        ]

    def _settings(self, _kind: str, account: Account, told: Told) -> list[Json]:
        return [
            {
                "symbol": symbol,
                "marginType": "ISOLATED" if account.isolated else "CROSSED",
                "isAutoAddMargin": "false",
                "leverage": account.futures.leverage,
                "maxNotionalValue": "100000000",
            }
            for symbol in _symbols(account)
            if told.get("symbol", symbol) == symbol
        ]

    def _mode(self, _kind: str, account: Account, _told: Told) -> Json:
        return {"dualSidePosition": account.hedged}

    def _set_mode(self, _kind: str, account: Account, told: Told) -> Json:
        hedged = told["dualSidePosition"].lower() == "true"
        if hedged == account.hedged:
            raise Refusal(400, -4059, "No need to change position side.")
        account.hedged = hedged
        return {"code": 200, "msg": "success"}

    def _set_leverage(self, _kind: str, account: Account, told: Told) -> Json:
        account.futures.leverage = int(told["leverage"])
        most = {"maxNotionalValue": "100000000", "symbol": told["symbol"]}
        return {"leverage": account.futures.leverage, **most}

    def _set_margin(self, _kind: str, account: Account, told: Told) -> Json:
        isolated = told["marginType"] == "ISOLATED"
        if isolated == account.isolated:
            raise Refusal(400, -4046, "No need to change margin type.")
        account.isolated = isolated
        return {"code": 200, "msg": "success"}

    def _incomes(self, _kind: str, account: Account, told: Told) -> list[Json]:
        if told.get("incomeType", "FUNDING_FEE") != "FUNDING_FEE":
            return []
        start, end = int(told.get("startTime", 0)), int(told.get("endTime", 1 << 62))
        return [
            {
                "symbol": income.market.partition(":")[2],
                "incomeType": "FUNDING_FEE",
                "income": text(income.amount),
                "asset": income.currency,
                "info": "FUNDING_FEE",
                "time": income.time,
                "tranId": income.id,
                "tradeId": "",
            }
            for income in account.futures.incomes
            if told.get("symbol", "") in income.market and start <= income.time <= end
        ]


def _nothing(_kind: str, _account: Account, _told: Told) -> list[Json]:
    return []


def listen_key(account: Account) -> str:
    """Return what opens an account's private stream."""
    return f"listen-{account.name}"


def _symbols(account: Account) -> list[str]:
    names = (name.partition(":") for name in account.futures.rules)
    return [symbol for kind, _, symbol in names if kind == "usdm"]
