"""One market's tape in a run, as history keeps it: the events themselves, typed and numbered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from clickhouse_connect.driver.client import Client

from connectors.history.rows import records_of
from schemas import Event
from schemas.tables import columns, table

E = TypeVar("E", bound=Event)
WHOSE = "flow = {flow:String} AND run = {run:String} AND market = {market:String}"
"""What rows of a tape fulfil, in SQL."""


@dataclass(frozen=True)
class Placed(Generic[E]):
    """An event, and its number on its market's tape."""

    seq: int
    event: E


@dataclass(frozen=True)
class Tape:
    """What history keeps of one market in a run.

    Parameters
    ----------
    client
        Reads history.
    flow, run, market
        Whose tape it is.

    """

    client: Client
    flow: str
    run: str
    market: str

    def of(self, kind: type[E], test: str, limit: int = 0, /, **given: object) -> list[Placed[E]]:
        """Return events of one kind in their order.

        Parameters
        ----------
        kind
            Which.
        test
            What they must fulfil, in SQL; it names values as `{name:Type}`.
        limit
            At most so many: the last; below 0, the first. 0 is all.
        given
            The values.

        """
        whole = cast(type[Event], kind)
        names = ", ".join(f"`{name}`" for name in columns(whole))
        order = "seq DESC" if limit > 0 else "seq"
        query = f"SELECT {names} FROM `{table(whole)}` WHERE {WHOSE} AND ({test}) ORDER BY {order}"  # noqa: S608 - our names
        query += f" LIMIT {abs(limit):d}" if limit else ""
        rows = self.client.query_arrow(query, {**self.whose, **given}, use_strings=True)
        found = [
            Placed(seq, cast(E, event))
            for batch in rows.combine_chunks().to_batches()
            for seq, event in records_of(whole, batch)
        ]
        return found[::-1] if limit > 0 else found

    def last(self, kind: type[E], before: int, test: str = "true", /, **given: object) -> E | None:
        """Return the last event of a kind in front of a place, if there is one."""
        found = self.of(kind, f"seq < {{before:Int64}} AND ({test})", 1, before=before, **given)
        return found[0].event if found else None

    @property
    def whose(self) -> dict[str, object]:
        """What says whose tape it is, as values of a query."""
        return {"flow": self.flow, "run": self.run, "market": self.market}
