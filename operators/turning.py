"""Other settings from a time on: each machine hands its state to one that was built with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from operators.rows import first_at
from operators.tape import Machine, ShapeChangedError
from schemas import DERIVED, OUTSIDE, Book, Event, Heartbeat, Time, Trades

_ALL: frozenset[type[Event]] = frozenset((*OUTSIDE, *DERIVED))
_CLOCKS = (Book, Heartbeat)
"""What tells the time besides trades; the other kinds may be stamped anyhow."""


class Turning:
    """Be one machine until a time, then the other, which goes on from the state of the first.

    It turns in front of the first trade, book or heartbeat that is stamped then or later, and so
    do all machines of a flow: in front of that nothing differs.

    Parameters
    ----------
    former, then
        The two.
    at
        The tape time.

    Raises
    ------
    ShapeChangedError
        When the second cannot go on from the state of the first.

    """

    reads = _ALL

    def __init__(self, former: Machine, then: Machine, at: Time) -> None:
        if former.shape != then.shape:
            was, would_be = _apart(former.shape, then.shape)
            msg = (
                f"a step was made with {was} and would be with {would_be} from then on, and could "
                f"not use what it has learnt or gathered: set it from the start, without a time"
            )
            raise ShapeChangedError(msg)
        self.present, self._then, self._at = former, then, at
        self._reads, self._over = former.reads, False

    @property
    def shape(self) -> object:
        """That of both."""
        return self.present.shape

    @property
    def state(self) -> Any:  # noqa: ANN401 - as a machine's
        """Whether it has turned, and the state of the one that it is."""
        return self._over, self.present.state

    @state.setter
    def state(self, kept: tuple[bool, Any]) -> None:
        if kept[0]:
            self._turn()
        self.present.state = kept[1]

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return what the machine of the hour makes of an event."""
        if not self._over:
            if type(event) is Trades:
                row = first_at(event, self._at)
                if row is not None and row > 0:
                    return self._cut(event, row)
                if row == 0:
                    self._turn()
            elif isinstance(event, _CLOCKS) and event.ts >= self._at:
                self._turn()
        return self.present(event) if type(event) in self._reads else (event,)

    def _cut(self, trades: Trades, row: int) -> Iterator[Event]:
        former, rest = trades.cut(0, row), trades.cut(row, len(trades))
        yield from self.present(former) if Trades in self._reads else (former,)
        yield from self(rest)

    def _turn(self) -> None:
        self._then.state = self.present.state
        self.present, self._over = self._then, True
        self._reads = self.present.reads


def _apart(one: object, other: object) -> tuple[str, str]:
    """Return what of two shapes is not the same, in words.

    Examples
    --------
    >>> _apart(("candles", 1, "1m"), ("candles", 1, "2m"))
    ('1m', '2m')
    >>> _apart(("averages", 1, "sma5"), ("averages", 1, "sma5", "sma20"))
    ('averages, 1, sma5', 'averages, 1, sma5, sma20')

    """
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return str(one), str(other)
    pairs = [*zip(one, other, strict=False)]
    if len(one) == len(other):
        pairs = [(a, b) for a, b in pairs if a != b]
        one, other = zip(*pairs, strict=True)
    return ", ".join(map(str, one)), ", ".join(map(str, other))


@dataclass(frozen=True)
class Turned:
    """Settings that take effect at a time, step by step.

    Parameters
    ----------
    former
        What makes the machine of each step until then.
    at
        The tape time.

    """

    former: Sequence[Callable[[], Machine]]
    at: Time

    def of(self, step: int, machine: Callable[[], Machine]) -> Callable[[], Machine]:
        """Return what makes the machine of a step.

        Raises
        ------
        ShapeChangedError
            When there was no such step.

        """
        if step >= len(self.former):
            raise ShapeChangedError(
                f"step {step + 1} is there from then on only: let it be there from the start"
            )
        return lambda: Turning(self.former[step](), machine(), self.at)
