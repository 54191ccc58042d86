"""Misbehaviour at random places of a play: the same seed, the same places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.standin.exchange import StandIn
from tests.standin.order_trouble import Asked, OrderTrouble
from tests.standin.report_trouble import ReportTrouble

_LATER = 50
"""Turns until a mishap is tried again that no client would have felt."""
_MOST = 20
"""Messages that one mishap repeats or skips."""


@dataclass
class Mishaps:
    """How often what happens; `plan` says so to an exchange before it plays.

    Parameters
    ----------
    seed
        What all chance comes from.
    disconnects
        Closed, cut, or cut in the middle of a frame.
    stalls
        All connections fall silent, and stay so until the client gives them up.
    repeats, skips
        Of up to 20 messages of a stream.
    requests
        Of who trades that go wrong: an answer lost after the work or before, an error, a denial.
    reports
        Times that private streams misbehave: closed, or some reports twice, in reverse or not sent.

    """

    seed: int
    disconnects: int = 0
    stalls: int = 0
    repeats: int = 0
    skips: int = 0
    requests: int = 0
    reports: int = 0
    done: list[tuple[int, str]] = field(default_factory=list)
    """Which turn of the play suffered what."""

    @property
    def total(self) -> int:
        streams = self.disconnects + self.stalls + self.repeats + self.skips
        return streams + self.requests + self.reports

    def plan(self, exchange: StandIn) -> None:
        """Put them all at turns of the play, from its second hundredth to its last but one."""
        random = Random(self.seed)
        turns = len(exchange.player.turns)
        places = random.sample(range(turns // 100, turns * 99 // 100), self.total)
        orders = [
            *(self._disconnect(exchange, random) for _ in range(self.disconnects)),
            *(("stall", exchange.trouble.stall) for _ in range(self.stalls)),
            *(_some("repeat", exchange.trouble.repeat, random) for _ in range(self.repeats)),
            *(_some("skip", exchange.trouble.skip, random) for _ in range(self.skips)),
        ]
        private = [
            *(_request(exchange.order_trouble, random) for _ in range(self.requests)),
            *(_report(exchange.report_trouble, random) for _ in range(self.reports)),
        ]
        for place, (name, order) in zip(places, orders, strict=False):
            self._at(exchange, place, name, order)
        for place, (name, order) in zip(places[len(orders) :], private, strict=True):
            self._surely_at(exchange, place, name, order)

    def _surely_at(
        self, exchange: StandIn, place: int, name: str, order: Callable[[], None]
    ) -> None:
        def happen() -> None:
            self.done.append((exchange.player.at, name))
            order()

        exchange.player.plans[place].append(happen)

    def _disconnect(self, exchange: StandIn, random: Random) -> tuple[str, Callable[[], None]]:
        trouble = exchange.trouble
        orders = {"drop": trouble.drop, "abort": trouble.abort, "half": trouble.half_a_frame}
        name = random.choice([*orders])
        return name, orders[name]

    def _at(self, exchange: StandIn, place: int, name: str, order: Callable[[], None]) -> None:
        def happen() -> None:
            if any(connection.listens for connection in exchange.connections):
                self.done.append((exchange.player.at, name))
                order()
            else:
                exchange.player.plans[exchange.player.at + _LATER].append(happen)

        exchange.player.plans[place].append(happen)


def _some(
    name: str, order: Callable[[int, str], None], random: Random
) -> tuple[str, Callable[[], None]]:
    count, stream = random.randint(1, _MOST), random.choice(["trade", "depth"])
    return f"{name} {count} {stream}", lambda: order(count, stream)


def _request(trouble: OrderTrouble, random: Random) -> tuple[str, Callable[[], None]]:
    asked: Asked = random.choice(["place", "place", "cancel", "look up", "read"])
    after, status = random.random() < 0.5, random.choice([429, 500, 503])
    orders: dict[str, Callable[[], None]] = {
        f"lose {asked}": lambda: trouble.lose(asked, after=after),
        f"{status} {asked}": lambda: trouble.fail(status, asked, after=after),
        "deny": trouble.deny,
        "reject": trouble.reject,
    }
    name = random.choice([*orders])
    return name, orders[name]


def _report(trouble: ReportTrouble, random: Random) -> tuple[str, Callable[[], None]]:
    count = random.randint(1, 5)
    orders: dict[str, Callable[[], None]] = {
        "cut": trouble.cut,
        f"repeat {count} reports": lambda: trouble.repeat(count),
        f"reorder {count} reports": lambda: trouble.reorder(count),
        f"skip {count} reports": lambda: trouble.skip(count),
    }
    name = random.choice([*orders])
    return name, orders[name]
