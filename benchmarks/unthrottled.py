"""The `deck` command whose executor asks as often as it wants, for limits are no speed."""

from __future__ import annotations

from connectors.account.account import TradingVenue
from connectors.account.keys import AccountKeys
from infra import deck
from infra.executor import executing


class Unthrottled(TradingVenue):
    """An account whose client never waits before it asks."""

    def __init__(self, keys: AccountKeys, url: str | None = None, sandbox: bool = True) -> None:
        super().__init__(keys, url, sandbox)
        self.client.enableRateLimit = False  # type: ignore[attr-defined]


if __name__ == "__main__":
    executing.TradingVenue = Unthrottled  # type: ignore[attr-defined]
    deck.main()
