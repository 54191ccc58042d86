"""Whether a replay gives what history keeps of a run, event by event."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson
from clickhouse_connect.driver.client import Client

from connectors.events_file import line
from connectors.history.rows import records_of
from schemas import Event
from schemas.forms import FORMS, forms
from schemas.tables import BORN_ON_TAPE, columns, table
from schemas.wire import decimals

_ROWS = 20_000
"""Compared at once."""
_KINDS = {kind.__name__: kind for kind in BORN_ON_TAPE}
_DECIMALS = (FORMS["Decimal"], FORMS["Decimal | None"])
_OF_RUN = "flow = {flow:String} AND run = {run:String}"

Told: TypeAlias = dict[str, Any]
"""An event as its line tells it, with decimals as numbers."""


class Difference(NamedTuple):
    """The first event that is not the same."""

    replayed: Told | None
    kept: Told | None
    before: Told | None
    """The last one in front of it that is."""

    def lines(self) -> Iterator[str]:
        """Yield what there is to see."""
        for name, one in (
            ("the same still", self.before),
            ("in history", self.kept),
            ("replayed", self.replayed),
        ):
            yield f"{name:>14}: {'nothing' if one is None else text_of(one)}"


@dataclass(frozen=True)
class Parity:
    """What became of a comparison.

    Parameters
    ----------
    events
        How many were replayed.
    digest
        A hash of all of them.
    more
        How many history has besides: of a run that was killed, or goes on, some are not in its
        last snapshot.
    difference
        The first, if there is one.

    """

    events: int
    digest: str
    more: int = 0
    difference: Difference | None = None


def compare(replayed: Path, client: Client, flow: str, run: str) -> Parity:
    """Compare the events of a replay with what history keeps.

    Parameters
    ----------
    replayed
        The file of the events, by market, then seq.
    client
        Reads history.
    flow, run
        Whose events they are.

    """
    kept = Kept(client, {"flow": flow, "run": run})
    digest, events, kinds = hashlib.sha256(), 0, kept.kinds()
    with replayed.open("rb") as file:
        for text in file:
            digest.update(text)
            events += 1
        file.seek(0)
        for market, own in groupby(map(told, file), lambda one: str(one["market"])):
            if found := _first(own, kept, market, [*kinds]):
                return Parity(events, digest.hexdigest(), difference=found)
    return Parity(events, digest.hexdigest(), sum(kinds.values()) - events)


def _first(
    replayed: Iterator[Told], kept: Kept, market: str, kinds: list[type[Event]]
) -> Difference | None:
    """Return the first event of a market that is not the same."""
    before: Told | None = None
    while page := list(islice(replayed, _ROWS)):
        there = kept.between(market, page[0]["seq"], page[-1]["seq"], kinds)
        for one in page:
            if there.get(one["seq"]) != one:
                return Difference(one, there.get(one["seq"]), before)
            before = one
    return None


class Kept(NamedTuple):
    """What history keeps of a run."""

    client: Client
    whose: dict[str, str]

    def kinds(self) -> dict[type[Event], int]:
        """Return how many there are of each kind that has any."""
        query = " UNION ALL ".join(
            f"SELECT {number} AS kind, count() FROM `{table(kind)}` WHERE {_OF_RUN}"  # noqa: S608
            for number, kind in enumerate(BORN_ON_TAPE)
        )
        rows = self.client.query(query, self.whose).result_rows
        return {BORN_ON_TAPE[number]: count for number, count in sorted(map(tuple, rows)) if count}

    def between(
        self, market: str, first: int, last: int, kinds: Iterable[type[Event]]
    ) -> dict[int, Told]:
        """Return the events of a market from one number to another."""
        given = {**self.whose, "market": market, "first": first, "last": last}
        found: dict[int, Told] = {}
        for kind in kinds:
            names = ", ".join(f"`{name}`" for name in columns(kind))
            rows = self.client.query_arrow(
                f"SELECT {names} FROM `{table(kind)}` WHERE {_OF_RUN} "  # noqa: S608 - our names
                "AND market = {market:String} AND seq BETWEEN {first:Int64} AND {last:Int64}",
                given,
            )
            for batch in rows.combine_chunks().to_batches():
                for one in records_of(kind, batch):
                    made = told(line(one))
                    # Two of one number: whatever was replayed, it is not the same.
                    found[one.seq] = {**made, "also": found[one.seq]} if one.seq in found else made
        return found


def told(text: bytes) -> Told:
    """Return an event as a line of JSON tells it."""
    made: Told = orjson.loads(text)
    for name, form in forms(_KINDS[made["type"]]).items():
        if form in _DECIMALS and made[name] is not None:
            made[name] = Decimal(made[name])  # equal, whatever zeros it was written with
    return made


def text_of(one: Told) -> str:
    """Return an event as people read it."""
    return orjson.dumps(one, default=decimals).decode()
