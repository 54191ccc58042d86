"""Gather the story of a position, or of a signal, from what history keeps of its run."""

from __future__ import annotations

from pathlib import Path

from clickhouse_connect.driver.client import Client

from infra.stories.books import book_of
from infra.stories.names import Name, StoryError
from infra.stories.story import Act, Decision, Lesson, Reach, Story
from infra.stories.tape import Placed, Tape
from infra.verify.which import which
from schemas import (
    Averages,
    Candle,
    Closed,
    Fill,
    Opened,
    Order,
    Outcome,
    Prediction,
    Refused,
    Side,
    Signal,
    Time,
)  # fmt: skip

_OURS = "position = {position:Int64}"
_THEN = "ts = fromUnixTimestamp64Nano({then:Int64}, 'UTC')"
_CLOSE_BEHIND = "seq > {at:Int64} AND seq <= {at:Int64} + 3"
"""So close behind a signal stands what it became: an order, a refusal, or both."""


def of_position(client: Client, home: Path, name: Name) -> Story:
    """Return the story of a position.

    Parameters
    ----------
    client
        Reads history.
    home
        Where deployments are known, one of which may name the run.
    name
        Of the position.

    Raises
    ------
    StoryError
        When history has no such position.

    """
    run = which(name.run, client, home)
    tape, name = Tape(client, run.flow, run.run, name.market), name._replace(run=run.run)
    orders = tape.of(Order, _OURS, position=name.number)
    opened = [at.event for at in tape.of(Opened, _OURS, position=name.number)]
    if not orders:
        raise StoryError(_unknown(tape, name, "orders", "position"))
    entry, closed = orders[0], tape.of(Closed, _OURS, position=name.number)
    over = closed[0].event if closed else None
    side: Side = "long" if entry.event.side == "buy" else "short"
    acts, besides = _acts(tape, orders, name.number)
    return Story(
        name, run, side,
        _cause(tape, entry),
        acts, besides, [at.event for at in orders if at.event.action == "protect"],
        opened, over,
        _reach(tape, opened[0], over) if opened else None,
        _lesson(tape, entry.seq, entry.event.ts),
        None if over else tape.last(Candle, 2**62),
    )  # fmt: skip


def of_signal(client: Client, home: Path, name: Name) -> Story:
    """Return the story of a signal: of the position that it became, if it became one.

    Parameters
    ----------
    client, home
        As above.
    name
        With the signal's place on the tape of its run.

    Raises
    ------
    StoryError
        When history has no signal there.

    """
    run = which(name.run, client, home)
    tape, name = Tape(client, run.flow, run.run, name.market), name._replace(run=run.run)
    found = tape.of(Signal, "seq = {seq:Int64}", seq=name.number)
    if not found:
        raise StoryError(_unknown(tape, name, "signals", "seq"))
    signal = found[0].event
    if position := _became(tape, found[0]):
        return of_position(client, home, name._replace(number=position))
    decision = _decision(tape, found[0])
    lesson = _lesson(tape, name.number, signal.ts)
    return Story(name, run, None, decision, [], [], [], [], None, None, lesson, None)


def _became(tape: Tape, signal: Placed[Signal]) -> int | None:
    """Return the position that a signal entered, or left, if it did."""
    wanted = signal.event
    bare_exit = wanted.action == "exit" and not wanted.reason
    found = tape.of(
        Order, f"{_THEN} AND {_CLOSE_BEHIND} AND why = {{why:String}}", -1, at=signal.seq,
        then=wanted.ts, why=wanted.action if bare_exit else wanted.reason,
    )  # fmt: skip
    return found[0].event.position if found else None


def _unknown(tape: Tape, name: Name, table: str, column: str) -> str:
    query = (
        f"SELECT toString(groupUniqArray(3)(market)), toString(max(`{column}`)) FROM `{table}` "  # noqa: S608 - our names
        "WHERE flow = {flow:String} AND run = {run:String}"
    )
    [(markets, latest)] = tape.client.query(query, tape.whose).result_rows
    there = f"its latest number is {latest}, its markets are such as {markets}"
    return f"{name}: history keeps no such {table[:-1]} of the run; {there}"


def _cause(tape: Tape, entry: Placed[Order]) -> Decision | None:
    """Return where an entry came from: the second half of a reverse comes later than its signal."""
    found = tape.of(
        Signal, "seq < {before:Int64} AND action != 'exit' AND reason = {why:String}", 1,
        before=entry.seq, why=entry.event.why,
    )  # fmt: skip
    return _decision(tape, found[0]) if found else None


def _decision(tape: Tape, signal: Placed[Signal]) -> Decision:
    at = signal.seq
    averages = tape.of(Averages, "seq < {before:Int64}", 2, before=at)
    refused = tape.of(
        Refused, f"{_THEN} AND {_CLOSE_BEHIND}", -1,
        at=at, then=signal.event.ts,
    )  # fmt: skip
    return Decision(
        signal,
        tape.last(Candle, at),
        averages[-1].event if averages else None,
        averages[0].event if len(averages) > 1 else None,
        tape.last(Prediction, at),
        refused[0].event.why if refused else "",
    )


def _acts(tape: Tape, orders: list[Placed[Order]], position: int) -> tuple[list[Act], list[Fill]]:
    """Return what was ordered with its fills, and the fills of no order, if nothing ended it.

    A resting stop may fill while the flow orders the same: then they are told behind that order.
    """
    fills = [at.event for at in tape.of(Fill, _OURS, position=position)]
    ours = [at.event for at in orders if at.event.action in ("enter", "exit")]
    besides = [fill for fill in fills if not fill.order]
    acts = [
        Act(order, book_of(tape, order), [fill for fill in fills if fill.order == order.order])
        for order in ours
    ]
    if acts[-1].order.action == "exit":
        acts[-1].fills.extend(besides)
        besides = []
    return acts, besides


def _lesson(tape: Tape, place: int, then: Time) -> Lesson | None:
    """Return what was learned from the decision that is nearest to a place, at its very time."""
    near = tape.of(Prediction, _THEN, then=then)
    if not near:
        return None
    decision = min(near, key=lambda at: abs(at.seq - place)).event.decision
    found = tape.of(Outcome, "decision = {decision:Int64}", decision=decision)
    if not found:
        return None
    return Lesson(found[0].event, tape.last(Outcome, found[0].seq))


def _reach(tape: Tape, opened: Opened, over: Closed | None) -> Reach | None:
    """Return how far a position went, by the candles that lie wholly in it."""
    query = (
        "SELECT count(), max(high), min(low) FROM candles WHERE flow = {flow:String} "
        "AND run = {run:String} AND market = {market:String} AND count > 0 "
        "AND start >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') "
        "AND `end` <= fromUnixTimestamp64Nano({until:Int64}, 'UTC')"
    )
    until = over.ts if over else 2**62
    given = {**tape.whose, "since": opened.ts, "until": until}
    [(count, high, low)] = tape.client.query(query, given).result_rows
    if not count:
        return None
    entry = float((over or opened).entry)
    up, down = high / entry - 1, low / entry - 1
    return Reach(up, down) if opened.side == "long" else Reach(-down, -up)
