"""Who asks Binance, and whether it may: keys, signatures, time stamps."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from tests.standin.account import Account
from tests.standin.binance_rest import Refusal
from tests.standin.clock import PrivateClock
from tests.standin.trading import Trading

_WINDOW = 5_000
_WIDEST = 60_000
_UNAUTHORIZED = 401


class Signed:
    """Reads requests, and refuses those that are not signed as they should be.

    Parameters
    ----------
    trading
        Knows the accounts.
    clock
        Judges the stamps.

    """

    def __init__(self, trading: Trading, clock: PrivateClock) -> None:
        self._trading, self._clock = trading, clock

    async def request(self, request: web.Request) -> tuple[Account, Mapping[str, str]]:
        """Return whose request it is, and what it says.

        Raises
        ------
        Refusal
            When key, signature or stamp is wrong.

        """
        account = self.key(request)
        text = urlsplit(request.raw_path).query or await request.text()
        payload, _, signature = text.rpartition("&signature=")
        self._check(account, payload, signature)
        told = dict(parse_qsl(payload, keep_blank_values=True))
        self._in_time(told)
        return account, told

    def message(self, told: Mapping[str, object]) -> Account:
        """Return whose the signed parameters of a WebSocket request are."""
        named = {name: str(value) for name, value in sorted(told.items()) if name != "signature"}
        account = self._account(named.get("apiKey"))
        payload = "&".join(f"{name}={value}" for name, value in named.items())
        self._check(account, payload, str(told.get("signature")))
        self._in_time(named)
        return account

    def key(self, request: web.Request) -> Account:
        """Return whose the key of a request is."""
        return self._account(request.headers.get("X-MBX-APIKEY"))

    def _account(self, key: str | None) -> Account:
        if not key:
            raise Refusal(_UNAUTHORIZED, -2014, "API-key format invalid.")
        account = self._trading.account(key)
        if account is None:
            text = "Invalid API-key, IP, or permissions for action."
            raise Refusal(_UNAUTHORIZED, -2015, text)
        return account

    def _check(self, account: Account, payload: str, signature: str) -> None:
        right = hmac.new(account.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, signature):
            raise Refusal(400, -1022, "Signature for this request is not valid.")

    def _in_time(self, told: Mapping[str, str]) -> None:
        if "timestamp" not in told:
            raise Refusal(400, -1102, "Mandatory parameter 'timestamp' was not sent.")
        window = min(int(told.get("recvWindow", _WINDOW)), _WIDEST)
        match self._clock.judge(int(told["timestamp"]), window):
            case "early":
                ahead = "Timestamp for this request was 1000ms ahead of the server's time."
                raise Refusal(400, -1021, ahead)
            case "late":
                outside = "Timestamp for this request is outside of the recvWindow."
                raise Refusal(400, -1021, outside)
