"""A run as history keeps it, to be laid beside another: its settings, positions and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from math import fsum
from typing import Any, NamedTuple

import orjson
from clickhouse_connect.driver.client import Client

from infra.times import write_time
from infra.verify.which import Run
from infra.whatif.values import write
from schemas import Time

_EXACT = Context(prec=76)
_OF_RUN = "flow = {flow:String} AND run = {run:String}"
_HELD = f"""
SELECT
    c.market AS market, toUnixTimestamp64Nano(e.decided) AS decided, c.side AS side,
    toUnixTimestamp64Nano(c.ts) AS closed, c.why AS why, c.pnl AS pnl, c.fees AS fees,
    c.gross_return AS gross_return, c.net_return AS net_return
FROM (
    SELECT * FROM closed FINAL
    WHERE {_OF_RUN} AND ts <= fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')
) AS c
LEFT JOIN (
    SELECT market, position, min(ts) AS decided FROM orders FINAL
    WHERE {_OF_RUN} AND action = 'enter' GROUP BY market, position
) AS e ON c.market = e.market AND c.position = e.position
ORDER BY closed, market, c.position
"""  # noqa: S608 - our names; all values are parameters
_COUNTS = " UNION ALL ".join(
    f"SELECT '{name}' AS kind, toUInt64(count()) AS count FROM {name} FINAL WHERE {_OF_RUN} "  # noqa: S608 - as above
    f"AND ts <= fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')"
    for name in ("signals", "refused", "faults")
)
_LEARNT = f"""
SELECT count(), avg(-log(greatest(if(label, assumeNotNull(odds), 1 - assumeNotNull(odds)), 1e-15)))
FROM outcomes FINAL
WHERE {_OF_RUN} AND odds IS NOT NULL AND ts <= fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')
"""  # noqa: S608 - as above
_NOTED = f"SELECT settings FROM runs FINAL WHERE {_OF_RUN}"  # noqa: S608 - as above
_END = f"SELECT toUnixTimestamp64Nano(max(ts)) FROM candles WHERE {_OF_RUN}"  # noqa: S608 - as above
_EVER: Time = 2**63 - 1


class Held(NamedTuple):
    """A closed position."""

    market: str
    decided: Time
    """When its entry was ordered: the same decision has the same in each run of a tape."""
    side: str
    closed: Time
    why: str
    pnl: Decimal
    fees: Decimal
    gross_return: float
    net_return: float


@dataclass(frozen=True)
class Side:
    """One of the runs that are laid beside each other.

    Parameters
    ----------
    label
        What it is in the comparison.
    run
        Which one it is.
    settings
        By name, as they are written.
    held
        Its closed positions, in the order in which they were closed.
    counts
        How many signals, refusals and faults.
    was
        What other runs had in place of some settings, if they do not tell.
    outcomes, log_loss
        How much its model learnt, and how well it knew; None if it has none.

    """

    label: str
    run: Run
    settings: Mapping[str, str]
    held: Sequence[Held]
    counts: Mapping[str, int]
    was: Mapping[str, str]
    outcomes: int = 0
    log_loss: float | None = None

    @property
    def pnl(self) -> Decimal:
        """What it made, after fees."""
        return _sum([one.pnl for one in self.held])

    @property
    def fees(self) -> Decimal:
        """What it paid."""
        return _sum([one.fees for one in self.held])

    @property
    def won(self) -> float | None:
        """The part of the positions that made something."""
        return sum(one.pnl > 0 for one in self.held) / len(self.held) if self.held else None

    @property
    def gross_return(self) -> float:
        """The sum of the positions' returns before fees, as the closing table has it."""
        return fsum(one.gross_return for one in self.held)

    @property
    def net_return(self) -> float:
        """The same after fees and funding."""
        return fsum(one.net_return for one in self.held)

    @property
    def equity(self) -> list[Decimal]:
        """What it had made behind each position."""
        made, total = [], Decimal(0)
        for one in self.held:
            total = _EXACT.add(total, one.pnl)
            made.append(total)
        return made

    @property
    def drawdown(self) -> Decimal:
        """How far it fell behind the most that it had made."""
        deepest = peak = Decimal(0)
        for made in self.equity:
            peak = max(peak, made)
            deepest = max(deepest, _EXACT.subtract(peak, made))
        return deepest


def _sum(numbers: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def side(run: Run, client: Client, label: str, until: Time | None = None) -> Side:
    """Return a run as history keeps it.

    Parameters
    ----------
    run
        Which one.
    client
        Reads history.
    label
        What it is in the comparison.
    until
        What is behind it is left out.

    """
    of = {"flow": run.flow, "run": run.run, "until": _EVER if until is None else until}
    held = [Held(*row) for row in client.query(_HELD, of).result_rows]
    counts = {str(kind): int(count) for kind, count in client.query(_COUNTS, of).result_rows}
    [(outcomes, loss)] = client.query(_LEARNT, of).result_rows
    rows = client.query(_NOTED, of).result_rows
    noted = orjson.loads(rows[0][0]) if rows else {}
    return Side(
        label, run, settings_of(run, noted), held, counts, noted.get("was", {}),
        outcomes, loss if outcomes else None,
    )  # fmt: skip


def end_of(run: Run, client: Client) -> Time | None:
    """Return how far a run has come on its tape, by its candles; None if it makes none."""
    [(end,)] = client.query(_END, {"flow": run.flow, "run": run.run}).result_rows
    return end or None


def settings_of(run: Run, noted: Mapping[str, Any]) -> dict[str, str]:
    """Return all that a run was set to, by name.

    Examples
    --------
    >>> run = Run("5f0c", "cross", "fork", "ticks.parquet", "e079", 0)
    >>> noted = {"costs": {"fees_bps": 2.0}, "values": {"FAST": "5"}, "set": {"FAST": "7"}}
    >>> settings_of(run, noted)
    {'flow file': 'cross e079', 'FAST': '7', 'COSTS.fees_bps': '2.0'}

    """
    costs = {f"COSTS.{name}": write(value) for name, value in noted.get("costs", {}).items()}
    window = {name: noted[name] for name in ("since", "until", "markets") if noted.get(name)}
    begun = {} if noted.get("at") is None else {"set from": write_time(noted["at"])}
    values = {**noted.get("values", {}), **costs, **noted.get("set", {})}
    return {"flow file": f"{run.flow} {run.code_version}", **window, **begun, **values}
