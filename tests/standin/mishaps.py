"""Misbehaviour at random places of a play: the same seed, the same places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.standin.exchange import StandIn

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

    """

    seed: int
    disconnects: int = 0
    stalls: int = 0
    repeats: int = 0
    skips: int = 0
    done: list[tuple[int, str]] = field(default_factory=list)
    """Which turn of the play suffered what."""

    @property
    def total(self) -> int:
        return self.disconnects + self.stalls + self.repeats + self.skips

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
        for place, (name, order) in zip(places, orders, strict=True):
            self._at(exchange, place, name, order)

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
