"""Where people read notices: a webhook that takes JSON, or a Telegram chat."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from connectors.scrub import scrub

LONGEST = 1_900
"""Characters of a message: Discord takes 2,000, the others more."""
_SECONDS = 10.0
_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)


class UndeliveredError(Exception):
    """A message was not taken; its text says why, without the address, which is a key.

    Parameters
    ----------
    why
        In few words.
    again
        Whether it may be taken later.
    seconds
        How long the other side wants us to wait before.

    """

    def __init__(self, why: str, again: bool, seconds: float = 0.0) -> None:
        super().__init__(scrub(why))
        self.again, self.seconds = again, seconds


class Chat(Protocol):
    """A place that takes messages."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def send(self, text: str) -> str:
        """Send a message, wait until it is taken, and return what was answered.

        Raises
        ------
        UndeliveredError
            When it is not taken.

        """
        ...


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON by POST; Slack reads `text` of it, Discord `content`.

    Examples
    --------
    >>> Webhook("https://discord.com/api/webhooks/1/x").body("hello")
    {'content': 'hello'}
    >>> Webhook("https://example.org/x").body("hello")
    {'text': 'hello'}

    """

    url: str
    name: str = "webhook"

    def __repr__(self) -> str:
        return "Webhook()"  # the address is a key

    def body(self, text: str) -> dict[str, str]:
        """Return what is sent."""
        host = urlsplit(self.url).hostname or ""
        return {"content" if host.endswith(("discord.com", "discordapp.com")) else "text": text}

    def send(self, text: str) -> str:
        """Send a message."""
        return _post(self.url, self.body(text))


@dataclass(frozen=True)
class Telegram:
    """A chat that a bot writes to.

    Parameters
    ----------
    token
        The bot's.
    chat
        Its number, or `@` and its name.
    url
        Where Telegram is.

    """

    token: str
    chat: str
    url: str
    name: str = "telegram"

    def __repr__(self) -> str:
        return "Telegram()"  # all of it is secret

    def send(self, text: str) -> str:
        """Send a message."""
        body = {"chat_id": self.chat, "text": text}
        return _post(f"{self.url}/bot{self.token}/sendMessage", body)


def _post(url: str, body: dict[str, str]) -> str:
    try:
        answer = urllib3.request("POST", url, json=body, timeout=_SECONDS, retries=False)
    except HTTPError as error:
        raise UndeliveredError(_reason(error), again=True) from None
    said = scrub(f"{answer.status} {answer.data[:200].decode(errors='replace')}".strip())
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return said
    again = answer.status in _LATER or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise UndeliveredError(said, again, _wait(answer.headers.get("Retry-After", "")))


def _wait(said: str) -> float:
    return float(said) if said.replace(".", "", 1).isdigit() else 0.0


def _reason(error: BaseException) -> str:
    """Return why nobody answers, without the address: a pool's error begins with it."""
    return str(error).rpartition(": ")[2] or type(error).__name__
