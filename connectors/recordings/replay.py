"""Replay recorded ticks: files of any of our formats as strips of each market's tape."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from typing_extensions import override

from connectors.recordings.ahead import Ahead
from connectors.recordings.blocks import BLOCK_ROWS, WIDE_ROWS, Reader
from connectors.recordings.columns import Wanted
from connectors.recordings.files import DataError, find
from connectors.recordings.formats import open_file
from connectors.recordings.groups import group
from connectors.recordings.naming import UNKNOWN, Markets, Share
from connectors.recordings.replay_state import VERSION, State, begin, file_of, joined, only
from connectors.recordings.strips import Strip, Strips
from connectors.recordings.tracks import Counts, Item, Progress, Tracks
from connectors.window import ALL, Window
from schemas.sealed import sum_of

_OTHER = "so this replay cannot go on from where it was: give it the same files, or start it afresh"
FEW_GROUPS = 8
"""With more groups of files than this, each reads smaller blocks, so that memory stays the same."""


class Replay(FixedPartitionedSource[Item, State]):
    """Recorded ticks as strips of each market's tape, in the order of the files.

    Parameters
    ----------
    files
        Parquet, CSV or JSONL files, and directories of them. Files of one market are played one
        after the other, in order of time.
    market
        The full name of the one market, or for each symbol (or file name) its market's;
        else the symbol itself where it is a full name, else `file:SYMBOL`.
    columns
        Our column names to the files'; a time's unit behind a colon: `{"ts": "timestamp:ms"}`.
    batch
        How many trades of a market are handed out at once, at most.
    share
        `(k, n)`: only the markets that process `k` of `n` has.
    block
        How many rows are read at once.
    window
        What of them is let through.

    Raises
    ------
    DataError
        When the data cannot be used; its text says what to do.

    Examples
    --------
    >>> Replay(["ticks.parquet"])
    Traceback (most recent call last):
    connectors.recordings.files.DataError: ticks.parquet: no such file; check the path

    """

    def __init__(
        self,
        files: Iterable[str | Path],
        market: str | Mapping[str, str] | None = None,
        columns: Mapping[str, str] | None = None,
        batch: int = BLOCK_ROWS,
        share: tuple[int, int] = (0, 1),
        block: int | None = None,
        window: Window = ALL,
    ) -> None:
        if batch < 1:
            msg = f"batch {batch}: at least one trade is handed out at once"
            raise ValueError(msg)
        self.batch, self.share, self._market = batch, Share(*share), market
        self._window = window
        wanted, markets = Wanted(columns), Markets(market)
        readers = [open_file(file, wanted, markets) for file in find(files)]
        groups = group(readers, markets)
        block = block or (WIDE_ROWS if all(map(_only_trades, readers)) else BLOCK_ROWS)
        self._block = block if len(groups) <= FEW_GROUPS else max(block // FEW_GROUPS, 1)
        self._groups = {
            part.readers[0].file.name: part.readers
            for part in groups
            if not part.markets or any(map(self.share.has, part.markets))
        }
        self._known = {part.readers[0].file.name: part.markets for part in groups}
        self._stopped = threading.Event()
        self.progress = Progress(
            sum(reader.file.size for part in self._groups.values() for reader in part)
        )

    def list_parts(self) -> list[str]:
        """Return the name of each group of files that share a market: that of its first file."""
        return list(self._groups)

    def build_part(
        self, step_id: str, for_part: str, resume_state: State | None
    ) -> StatefulSourcePartition[Item, State]:
        """Return the partition that plays a group of files, from where it was on.

        Raises
        ------
        DataError
            When the files are not those that were being played.

        """
        state = resume_state or begin(self._block)
        counts = Counts(*state["counts"])
        self.progress.parts[for_part] = counts
        readers = self._groups[for_part]
        markets, share = self._naming(for_part)
        played = _played(readers, state)
        blocks = _blocks(readers, markets, share, self._window, state, played)
        return _Partition(blocks, self.batch, state, counts, self._stopped)

    def owner(self, part: str, market: str, processes: int) -> int:
        """Return which of so many processes has a market of a part."""
        share = self._naming(part)[1]
        return next(k for k in range(processes) if share.of(k, processes).has(market))

    def divided(self, part: str, states: Sequence[State], processes: int) -> dict[int, State]:
        """Return what each of so many processes goes on from, in place of those that were."""
        whole, known = joined(states), self._known[part] or frozenset()
        markets = known.union(whole["markets"])
        owner = {name: self.owner(part, name, processes) for name in markets}
        numbers = sorted(set(owner.values())) if known else range(processes)
        return {
            k: only(whole, {m for m in owner if owner[m] == k}, counted=k == numbers[0])
            for k in numbers
        }

    def _naming(self, part: str) -> tuple[Markets, Share]:
        """Return how a group names its markets, and which of them are wanted.

        What is of no known market has one for each group, else two groups would write on one tape.
        It goes where the group's first market goes, so that no other process must look for it.
        """
        known = self._known[part]
        if known is None:
            return Markets(self._market), self.share
        unknown = f"{UNKNOWN}:{part}"
        home = {unknown: min(known)} if known else {}
        return Markets(self._market, unknown), Share(self.share.k, self.share.n, home)

    def stop(self) -> None:
        """Let all partitions end where they are, so that the engine drains and keeps its state."""
        self._stopped.set()


def _only_trades(reader: Reader) -> bool:
    return reader.file.format == "parquet" and "event" not in reader.layout.names


class _Strips(NamedTuple):
    """A block, ready to be handed out, and the position in front of it."""

    files: list[tuple[str, str]]
    first: int
    texts: list[str]
    rows: int
    read: int
    strips: dict[str, Strip]


def _blocks(
    readers: Sequence[Reader],
    markets: Markets,
    share: Share,
    window: Window,
    state: State,
    files: list[tuple[str, str]],
) -> Generator[_Strips, None, None]:
    """Read a group's files one after the other, from a state on; these `files` are done."""
    first, texts = state["first"], set(state["texts"])
    read = sum(reader.file.size for reader in readers[: len(files)])
    for reader in readers[len(files) :]:
        files.append((reader.file.name, reader.file.fingerprint()))
        strips = Strips(reader.file, reader.layout, markets, share, texts, window)
        for block in reader.blocks(first, state["block"], skip=_skipped(reader, markets, share)):
            known = sorted(texts)
            of = strips.of(block)
            yield _Strips([*files], block.first, known, len(block), read + block.read, of)
        first, read = 0, read + reader.file.size


def _skipped(reader: Reader, markets: Markets, share: Share) -> Callable[[str], bool] | None:
    """Return which symbols are not wanted, unless all are."""
    if share.n == 1:
        return None
    return lambda symbol: not share.has(markets.of(symbol, reader.file))


def _played(readers: Sequence[Reader], state: State) -> list[tuple[str, str]]:
    """Return the files that are done, having seen that none has changed."""
    for reader, (name, fingerprint) in zip(readers, state["files"], strict=False):
        if reader.file.name != name:
            raise DataError(f"{reader.file.path}: new in front of {name}, {_OTHER}")
        if reader.file.fingerprint() != fingerprint:
            raise DataError(f"{reader.file.path}: its content has changed, {_OTHER}")
    if len(readers) < len(state["files"]):
        missing = state["files"][len(readers)][0]
        raise DataError(f"{missing}: not given any more, {_OTHER}")
    return state["files"][:-1]


class _Partition(StatefulSourcePartition[Item, State]):
    def __init__(
        self,
        blocks: Generator[_Strips, None, None],
        batch: int,
        state: State,
        counts: Counts,
        stopped: threading.Event,
    ) -> None:
        self._batch, self._state, self._counts, self._stopped = batch, state, counts, stopped
        self._block: _Strips | None = None
        self._tracks = Tracks({}, state["done"])
        self._file, self._handed = file_of(state), dict(state["handed"])
        self._ahead, self._markets = dict(state["ahead"]), set(state["markets"])
        self._before = (counts.rows, counts.read)
        self._blocks = Ahead(blocks)

    @override
    def next_batch(self) -> list[Item]:
        if self._stopped.is_set():
            raise StopIteration
        while not self._tracks.left:
            self._open(next(self._blocks))
            if self._stopped.is_set():  # what is let through may be far away
                raise StopIteration
        items = self._tracks.items(self._batch, self._counts)
        self._note_done()
        return items

    def _open(self, block: _Strips) -> None:
        self._before = (self._counts.rows, self._counts.read)
        owed = self._go_on(len(block.files) - 1)
        self._block = block
        further = self._ahead
        strips = {name: strip for name, strip in block.strips.items() if name not in further}
        self._tracks = Tracks(strips, owed)
        self._markets.update(block.strips)
        self._note_done()

    def _go_on(self, file: int) -> dict[str, int]:
        """Count what was handed out; return how much stands in the next block, or behind it."""
        if file == self._file:
            if self._block is None:
                return self._state["done"]
            owed = self._tracks.owed
            for market, done in self._tracks.done.items():
                self._handed[market] = self._handed.get(market, 0) + done - owed.get(market, 0)
            return owed
        self._file, self._handed = file, {}
        come = {name: count for name, (at, count) in self._ahead.items() if at == file}
        self._ahead = {name: place for name, place in self._ahead.items() if place[0] > file}
        return come

    def _note_done(self) -> None:
        """Count the block when nothing of it is left."""
        if not self._tracks.left and self._block is not None:
            self._counts.rows += self._block.rows
            self._counts.read = self._block.read

    @override
    def snapshot(self) -> State:
        block, counts = self._block, self._counts
        if block is None:
            return State({**self._state, "sum": sum_of(self._state)})
        state = State(
            version=VERSION,
            block=self._state["block"],
            files=block.files,
            first=block.first,
            done=self._tracks.done,
            handed=dict(self._handed),
            ahead=dict(self._ahead),
            texts=block.texts,
            counts=(counts.trades, counts.rejects, *self._before),
            markets=sorted(self._markets),
            sum="",
        )
        return State({**state, "sum": sum_of(state)})

    @override
    def close(self) -> None:
        self._blocks.close()
