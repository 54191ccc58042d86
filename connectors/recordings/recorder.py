"""Keep what a log has in Parquet files, which replay plays as the log itself."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from connectors.disk import kept
from connectors.log.follow import Follower
from connectors.log.log import Entry, Log, LostError
from connectors.log.messages import said
from connectors.log.positions import note, noted
from connectors.recordings.files import DataError
from connectors.recordings.market_ids import settled
from connectors.recordings.recording import Recording
from connectors.recordings.stretch import archived, slug
from schemas import Command, Outside, Report, Trades

ROWS = 1_000_000
SECONDS = 3_600.0
_BEGUN = "begun.json"


class Recorder:
    """Records the partitions of a share of a log, each into files of its own.

    A file appears when it is whole and safe on disk. What a crash left unfinished is recorded
    again from the log, so that nothing is missing and nothing is there twice.

    Parameters
    ----------
    log
        What is recorded.
    directory
        Where to; recordings of this log that are there are gone on with.
    share
        `(k, n)`: only the partitions that process `k` of `n` has.
    private
        Record reports and commands, too.
    from_end
        Leave out what the log has already, unless the directory is gone on with.
    rows, seconds
        A file is finished when it has so many rows, or is so old.

    Raises
    ------
    DataError
        When a recording in the directory is damaged, or further than the log.
    DiskError
        When the disk does not take it.

    """

    def __init__(
        self,
        log: Log,
        directory: Path,
        share: tuple[int, int] = (0, 1),
        private: bool = False,
        from_end: bool = False,
        rows: int = ROWS,
        seconds: float = SECONDS,
    ) -> None:
        with kept("recordings", directory):
            directory.mkdir(parents=True, exist_ok=True)
        begun = _begun(log, directory / _BEGUN, from_end=from_end)
        self._follower = Follower(log, share, {**begun, **archived(directory)})
        for partition, position in self._follower.positions.items():
            _check(log, partition, position)
            for torn in directory.glob(f"{slug(partition)}.*.part"):
                torn.unlink()
        self._tracks = {
            partition: _Track(directory, partition, position, private, rows, seconds)
            for partition, position in self._follower.positions.items()
        }

    def step(self) -> list[Outside]:
        """Record what the log has got, and return it; nothing when there is nothing new.

        Raises
        ------
        LostError
            When the log does not keep any more what comes next.
        LogError
            When it cannot be read.
        DiskError
            When the disk does not take it.

        """
        events: list[Outside] = []
        try:
            for partition, entries in self._follower.read():
                track = self._tracks[partition]
                events += [event for entry in entries for event in track.take(entry)]
        except LostError as error:
            msg = f"{error}; record into another directory to go on with what is kept"
            raise LostError(msg) from error
        for track in self._tracks.values():
            track.finish_old()
        return events

    def behind(self) -> int:
        """Return how many offsets of the log stand ahead."""
        return self._follower.behind()

    def finish(self) -> None:
        """Finish all files, so that they can be replayed."""
        for track in self._tracks.values():
            track.finish()

    def close(self) -> None:
        """Finish all files; the log stays open."""
        try:
            self.finish()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of all files that are not finished."""
        for track in self._tracks.values():
            track.discard()
        self._follower.close()


def _begun(log: Log, path: Path, *, from_end: bool) -> dict[str, int]:
    """Return where the recording was begun, of partitions that were not at their beginning."""
    begun = noted(path)
    if from_end:
        ends = {name: log.bounds(name).end for name in log.partitions() if name not in begun}
        begun |= ends
        if ends:
            note(path, begun)
    return begun


def _check(log: Log, partition: str, position: int) -> None:
    end = log.bounds(partition).end
    if position > end:
        msg = (
            f"partition {partition} was recorded up to offset {position}, but the log ends at "
            f"{end}: an older copy of it was put back; record into another directory"
        )
        raise DataError(msg)


class _Track:
    """One partition: the file that is being recorded, and where the next one begins."""

    def __init__(
        self,
        directory: Path,
        partition: str,
        position: int,
        private: bool,
        rows: int,
        seconds: float,
    ) -> None:
        self._directory, self._partition, self._private = directory, partition, private
        self._rows, self._seconds = rows, seconds
        self._begin = self._end = position
        self._file: Recording | None = None
        self._born = 0.0
        self._texts: set[str] = set()

    def take(self, entry: Entry) -> list[Outside]:
        """Record a message, and return the event, unless it is left out."""
        event, readable = said(entry, self._partition)
        if isinstance(event, (Report, Command)) and not self._private:
            self._end = entry.offset + 1
            return []
        parts = [*settled(event, self._texts)] if isinstance(event, Trades) else [event]
        message = entry.message if readable and not isinstance(event, Trades) else None
        file = self._open()
        for part in parts:
            file.add(part, message)
        self._end = entry.offset + 1
        if file.rows >= self._rows:
            self.finish()
        return [event]

    def _open(self) -> Recording:
        """Return the file that goes on: a new one at the first text among whole numbers."""
        if self._texts and self._file is not None and not self._file.holds_texts():
            self.finish()
        if self._file is None:
            self._file = Recording(self._directory, self._partition, self._begin)
            self._born = monotonic()
            if self._texts:
                self._file.holds_texts()
        return self._file

    def finish_old(self) -> None:
        """Finish the file, if it is old enough."""
        if self._file is not None and monotonic() - self._born >= self._seconds:
            self.finish()

    def finish(self) -> None:
        """Finish the file, if there is one; the next one begins behind it."""
        if self._file is not None:
            self._file.finish(self._end)
            self._file, self._begin = None, self._end

    def discard(self) -> None:
        """Let the unfinished file go."""
        if self._file is not None:
            self._file.discard()
            self._file = None
