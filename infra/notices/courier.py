"""Brings notices to one chat, in a thread of its own: a few at once, what is more as a digest."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.chat import LONGEST, Chat, UndeliveredError

_LINE, _REST = 900, 150
"""Characters of a notice, and of what is said of those that do not fit."""
ROOM = 1_000
"""Notices that wait, at most."""
_BURST = 10
"""How many are sent one by one, at most, before others are gathered."""
_REFILL_SECONDS = 3.0
"""How often one more may be sent."""
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Notice:
    """What is to be told."""

    kind: str
    text: str
    done: Callable[[], None]
    """Called when it was sent, or cannot be."""


class Courier:
    """Sends notices to a chat, in order, each once; what is not taken now is tried again.

    Parameters
    ----------
    chat
        Takes the messages.

    """

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.outcomes: Counter[str] = Counter()
        """How many were `sent`, `refused` by the chat, or `dropped` because too many waited."""
        self.trouble: str | None = None
        """Why the last message was not taken."""
        self._waiting: deque[Notice] = deque()
        self._tokens, self._counted = float(_BURST), time.monotonic()
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    @property
    def waiting(self) -> int:
        """How many are not sent yet."""
        return len(self._waiting)

    def put(self, notice: Notice) -> None:
        """Take a notice; never waits."""
        if len(self._waiting) >= ROOM:
            self.outcomes["dropped"] += 1
            notice.done()
            return
        self._waiting.append(notice)
        if self._thread.ident is None:
            self._thread.start()
        self._wake.set()

    def close(self, seconds: float) -> None:
        """Send what waits, at once and as one message; give up after some seconds."""
        self._ending.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        failures = 0
        while not (self._ending.is_set() and not self._waiting):
            if not self._waiting:
                self._wake.wait()
                self._wake.clear()
                continue
            self._ending.wait(self._pause())
            try:
                self._send()
            except UndeliveredError as error:
                if self._ending.is_set():
                    return
                delay = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
                failures += 1
                self._ending.wait(max(delay, error.seconds))
            else:
                failures = 0

    def _pause(self) -> float:
        """Return how long to wait until one more may be sent."""
        now = time.monotonic()
        self._tokens += (now - self._counted) / _REFILL_SECONDS
        self._tokens, self._counted = min(self._tokens, float(_BURST)), now
        return max(1.0 - self._tokens, 0.0) * _REFILL_SECONDS

    def _send(self) -> None:
        """Send the first one; all that wait, when no more than one message may go."""
        together = self._tokens < 2 or self._ending.is_set()  # noqa: PLR2004 - the last one
        notices = [*self._waiting] if together else [self._waiting[0]]
        outcome = "sent"
        self._tokens -= 1.0
        try:
            self.chat.send(digest(notices))
        except UndeliveredError as error:
            self.trouble = str(error)
            if error.again:
                raise
            outcome = "refused"
        else:
            self.trouble = None
        self.outcomes[outcome] += len(notices)
        for notice in notices:
            self._waiting.popleft()
            notice.done()


def digest(notices: Sequence[Notice]) -> str:
    """Return notices as one message; what does not fit is counted.

    Examples
    --------
    >>> some = [Notice("fill", f"fill {n} " + "x" * 900, print) for n in range(4)]
    >>> print(digest(some).splitlines()[-1])
    and 3 more: 3 of fill

    """
    lines: list[str] = []
    room = LONGEST - _REST
    for at, notice in enumerate(notices):
        text = notice.text if len(notice.text) <= _LINE else f"{notice.text[:_LINE]}…"
        room -= len(text) + 1
        if lines and room < 0:
            rest = Counter(left.kind for left in notices[at:])
            said = ", ".join(f"{count} of {kind}" for kind, count in rest.most_common(8))
            lines.append(f"and {len(notices) - at} more: {said}")
            break
        lines.append(text)
    return "\n".join(lines)
