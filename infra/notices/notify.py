"""Tells people what they should know, wherever they asked for it; nobody ever waits for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from typing_extensions import Self

from connectors.chat import Chat, Telegram, Webhook
from connectors.scrub import keep_secret, scrub
from infra.metrics.gauges import Gauges, Labels
from infra.notices.courier import Courier, Notice
from infra.notices.settings import NotifySettings
from infra.settings import Settings


class Notifier:
    """Sends notices to all chats; it never blocks and never raises.

    Parameters
    ----------
    source
        Who tells: it stands in front of each text.
    chats
        Where to; without any, nothing is told.

    Examples
    --------
    >>> with_nobody = Notifier("demo", [])
    >>> with_nobody.tell("fill", "okx:A/B: bought 2 at 100")
    >>> with_nobody.listens
    False

    """

    def __init__(self, source: str, chats: Sequence[Chat]) -> None:
        self._source = source
        self._couriers = [Courier(chat) for chat in chats]

    @classmethod
    def from_environment(cls, source: str, settings: Settings | None = None) -> Self:
        """Return one that sends where the environment says."""
        notify = (settings or Settings.from_environment()).notify
        keep_secret(*notify.secrets)
        return cls(source, chats(notify))

    @property
    def listens(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._couriers)

    def tell(self, kind: str, text: str, done: Callable[[], None] | None = None) -> None:
        """Tell something, soon.

        Parameters
        ----------
        kind
            One word, by which a digest counts.
        text
            A line; what is secret in it is hidden.
        done
            Is called from another thread when a chat has it, or it cannot be told there.

        """
        notice = Notice(kind, scrub(f"{self._source} · {text}"), done or _nothing)
        for courier in self._couriers:
            courier.put(notice)

    def gauges(self) -> Gauges:
        """Return how many notices were sent, refused and dropped, and how many wait."""
        if not self._couriers:
            return Gauges()
        outcomes: Counter[str] = Counter(sent=0, refused=0, dropped=0)
        for courier in self._couriers:
            outcomes.update(dict(courier.outcomes))
        values: dict[Labels, float] = {(name,): float(n) for name, n in outcomes.items()}
        waiting = sum(courier.waiting for courier in self._couriers)
        return Gauges(
            {"tapedeck_notices_total": values, "tapedeck_notices_waiting": {(): float(waiting)}}
        )

    def close(self, seconds: float = 5.0) -> None:
        """Send what waits, if that can be done soon."""
        for courier in self._couriers:
            courier.close(seconds)


def chats(notify: NotifySettings) -> list[Chat]:
    """Return the chats that settings name."""
    found: list[Chat] = []
    if notify.webhook:
        found.append(Webhook(notify.webhook))
    if "telegram" in notify.ways:
        found.append(Telegram(notify.telegram_token, notify.telegram_chat, notify.telegram_url))
    return found


def _nothing() -> None:
    """Nobody wants to know."""
