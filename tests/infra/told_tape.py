"""What a flow's tape says of its orders and positions, read as it grows, through crashes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tests.infra.trading_rig import Seen


@dataclass
class ToldTape:
    """The events of a run in one market; what was once said must be said again, byte by byte.

    Parameters
    ----------
    store
        The run's.

    """

    store: Path
    events: Seen = field(default_factory=list)
    fills: dict[str, Decimal] = field(default_factory=dict)
    """What each trade id has changed."""
    opened: dict[int, dict[str, object]] = field(default_factory=dict)
    """What was said last of each open position."""
    order: int = 0
    """The count of the entry that was asked for last."""
    orders: int = 0
    """How many orders were asked for."""
    _text: bytes = b""

    @property
    def held(self) -> Decimal:
        """What all fills come to."""
        return sum(self.fills.values(), Decimal(0))

    def read(self) -> None:
        """Take in what is new; a crash may have cut off an end that is yet to be said again."""
        text = b"".join(path.read_bytes() for path in self.store.glob("0/events/*"))
        text = text[: text.rfind(b"\n") + 1]
        if not text.startswith(self._text):
            assert self._text.startswith(text), "the tape says something else than before"
            return
        for line in text[len(self._text) :].splitlines():
            self._take(json.loads(line))
        self._text = text

    def _take(self, event: dict[str, object]) -> None:
        self.events.append(event)
        match event["type"]:
            case "Order":
                self.orders += 1
                if event["action"] == "enter":
                    self.order = int(str(event["order"]))
            case "Fill":
                sign = 1 if event["side"] == "buy" else -1
                trade_id = str(event["trade_id"])
                assert trade_id not in self.fills
                self.fills[trade_id] = sign * Decimal(str(event["amount"]))
            case "Opened":
                self.opened[int(str(event["position"]))] = event
            case "Closed":
                position = int(str(event["position"]))
                self.opened.pop(position, None)  # nothing is opened that is being left already
