"""Where notices go: a webhook, a Telegram chat, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from typing_extensions import Self

TELEGRAM_URL = "https://api.telegram.org"


@dataclass(frozen=True)
class NotifySettings:
    """What is needed to send notices; all of it is secret, and the repr shows none of it.

    Parameters
    ----------
    webhook
        An address that takes JSON, such as one of Slack's or Discord's; it is a key, too.
    telegram_token, telegram_chat
        A bot's, and the chat it writes to.
    telegram_url
        Where Telegram is.

    Examples
    --------
    >>> NotifySettings("https://example.org/hooks/abcdef").secrets
    ('https://example.org/hooks/abcdef', '/hooks/abcdef')

    """

    webhook: str = ""
    telegram_token: str = ""
    telegram_chat: str = ""
    telegram_url: str = TELEGRAM_URL

    def __repr__(self) -> str:
        return f"NotifySettings(ways={self.ways})"

    @property
    def ways(self) -> tuple[str, ...]:
        """How notices are sent."""
        telegram = self.telegram_token and self.telegram_chat
        found = ("webhook" if self.webhook else "", "telegram" if telegram else "")
        return tuple(way for way in found if way)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen anywhere."""
        path = self.webhook and urlsplit(self.webhook).path.rstrip("/")
        found = (self.webhook, path, self.telegram_token, self.telegram_chat)
        return tuple(value for value in found if value)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the `TAPEDECK_NOTIFY_...` variables; empty is none.

        Examples
        --------
        >>> NotifySettings.from_environment({"TAPEDECK_NOTIFY_WEBHOOK": "https://example.org/x"})
        NotifySettings(ways=('webhook',))

        """

        def said(name: str) -> str:
            return environment.get(f"TAPEDECK_NOTIFY_{name}", "").strip()

        return cls(
            said("WEBHOOK"),
            said("TELEGRAM_TOKEN"),
            said("TELEGRAM_CHAT"),
            said("TELEGRAM_URL").rstrip("/") or TELEGRAM_URL,
        )
