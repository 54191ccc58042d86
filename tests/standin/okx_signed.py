"""Who asks OKX, and whether it may: keys, passwords, signatures, time stamps."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web

from tests.standin.account import Account
from tests.standin.clock import PrivateClock
from tests.standin.trading import Trading

_HOST = "/www.okx.com"
_WINDOW = 30_000


class DeniedError(Exception):
    """A request that OKX does not answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class OkxSigned:
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

    async def request(self, request: web.Request) -> tuple[Account, str]:
        """Return whose request it is, and its body.

        Raises
        ------
        DeniedError
            When key, password, signature or stamp is wrong.

        """
        body, told = await request.text(), request.headers
        stamp = told.get("OK-ACCESS-TIMESTAMP", "")
        account = self._account(told.get("OK-ACCESS-KEY"), told.get("OK-ACCESS-PASSPHRASE"))
        path = request.raw_path.removeprefix(_HOST)
        signed = f"{stamp}{request.method}{path}{body}"
        self._check(account, signed, told.get("OK-ACCESS-SIGN", ""))
        moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        self._in_time(round(moment.timestamp() * 1_000))
        return account, body

    def login(self, told: Mapping[str, str]) -> Account:
        """Return whose login on a WebSocket it is."""
        account = self._account(told.get("apiKey"), told.get("passphrase"))
        stamp = told.get("timestamp", "")
        self._check(account, f"{stamp}GET/users/self/verify", told.get("sign", ""))
        self._in_time(int(stamp) * 1_000)
        return account

    def _account(self, key: str | None, password: str | None) -> Account:
        account = self._trading.account(key)
        if account is None:
            raise DeniedError("50111", "Invalid OK-ACCESS-KEY")
        if password != account.password:
            raise DeniedError("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.')
        return account

    def _check(self, account: Account, signed: str, signature: str) -> None:
        digest = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(digest).decode(), signature):
            raise DeniedError("50113", "Invalid Sign")

    def _in_time(self, stamp: int) -> None:
        if self._clock.judge(stamp, _WINDOW) is not None:
            raise DeniedError("50102", "Timestamp request expired")
