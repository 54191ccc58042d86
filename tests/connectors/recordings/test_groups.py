"""Groups: files of one market in order of time, and never two at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.columns import Wanted
from connectors.recordings.files import DataError, find
from connectors.recordings.formats import open_file
from connectors.recordings.groups import Group, group
from connectors.recordings.naming import Markets
from connectors.recordings.parquet import ParquetReader
from connectors.recordings.recording import Recording
from schemas import Heartbeat
from tests.connectors.recording_rig import WRITERS, Row, told, trade

numbers = count()


def grouped(paths: Sequence[Path], market: str | dict[str, str] | None = None) -> list[Group]:
    markets = Markets(market)
    return group([open_file(file, Wanted(), markets) for file in find(paths)], markets)


def names(groups: list[Group]) -> list[list[str]]:
    return [[reader.file.name for reader in part.readers] for part in groups]


def test_a_single_file_is_not_looked_into(tmp_path: Path) -> None:
    path = WRITERS["csv"](tmp_path / "a.csv", [trade(0)])
    [part] = grouped([path])
    assert part.markets is None


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(sorted(WRITERS))), min_size=2, max_size=6
    ),
    st.randoms(),
)
def test_files_that_share_a_market_are_played_in_order_of_time(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str]], random: object
) -> None:
    folder = tmp_path_factory.getbasetemp() / str(next(numbers))
    folder.mkdir()
    paths = []
    for number, (symbol, form) in enumerate(parts):
        rows = [
            trade(0, symbol, ts) for ts in (10 * number + 10, 10 * number + 15, 10 * number + 12)
        ]
        paths.append(WRITERS[form](folder / f"{number}.{form}", rows))
    wanted = [
        [path.name for path, (name, _) in zip(paths, parts, strict=True) if name == symbol]
        for symbol in dict.fromkeys(name for name, _ in parts)
    ]
    random.shuffle(paths)  # type: ignore[attr-defined]
    found = grouped(paths)
    assert sorted(names(found)) == sorted(wanted)


def test_files_joined_by_a_third_are_played_together(tmp_path: Path) -> None:
    one = WRITERS["parquet"](tmp_path / "1.parquet", [trade(0, "A", 10)])
    two = WRITERS["parquet"](tmp_path / "2.parquet", [trade(0, "B", 10)])
    both = WRITERS["parquet"](tmp_path / "3.parquet", [trade(0, "A", 20), trade(0, "B", 20)])
    other = WRITERS["parquet"](tmp_path / "4.parquet", [trade(0, "C", 5)])
    assert names(grouped([both, two, other, one])) == [
        ["2.parquet", "1.parquet", "3.parquet"], ["4.parquet"],
    ]  # fmt: skip


def test_the_same_moment_at_the_seam_is_no_overlap(tmp_path: Path) -> None:
    one = WRITERS["csv"](tmp_path / "1.csv", [trade(0, "A", 10), trade(1, "A", 20)])
    two = WRITERS["csv"](tmp_path / "2.csv", [trade(2, "A", 20), trade(3, "A", 30)])
    assert names(grouped([two, one])) == [["1.csv", "2.csv"]]


@pytest.mark.parametrize("form", WRITERS)
def test_overlapping_files_are_told_with_both_names_and_the_remedy(
    tmp_path: Path, form: str
) -> None:
    second = 10**9
    one = [trade(n, "A", n * second) for n in range(1, 9)]
    two = [trade(n, "A", n * second) for n in range(5, 12)]
    paths = [WRITERS[form](tmp_path / f"{n}.{form}", rows) for n, rows in enumerate((one, two))]
    told_ = (
        rf"0.{form} and .*1.{form} both have file:A from 1970-01-01 00:00:05 to 1970-01-01 "
        rf"00:00:08: if they are two sources, name them apart \(--market 0.{form}=EXCHANGE:SYMBOL "
        rf"--market 1.{form}=EXCHANGE:SYMBOL\), else give one of them"
    )
    with pytest.raises(DataError, match=told_):
        grouped(paths)
    with pytest.raises(DataError, match="both have okx:A"):
        grouped(paths, "okx:A")
    apart = grouped(paths, {f"0.{form}": "okx:A", f"1.{form}": "bybit:A"})
    assert [sorted(part.markets or ()) for part in apart] == [["okx:A"], ["bybit:A"]]


@pytest.mark.parametrize("ts", [0, None, -5])
def test_a_bad_time_does_not_make_files_overlap(tmp_path: Path, ts: int | None) -> None:
    bad = {**trade(0, "A"), "ts_ns": ts}
    one = WRITERS["parquet"](tmp_path / "1.parquet", [trade(0, "A", 10), trade(1, "A", 20)])
    two = WRITERS["parquet"](tmp_path / "2.parquet", [trade(0, "A", 30), bad, trade(1, "A", 40)])
    assert names(grouped([two, one])) == [["1.parquet", "2.parquet"]]


@pytest.mark.parametrize("symbol", [None, "okx:A"])
@pytest.mark.parametrize("form", WRITERS)
def test_other_events_count_too(tmp_path: Path, symbol: str | None, form: str) -> None:
    beat: Row = told(Heartbeat("okx:A", 25), symbol)
    one = WRITERS[form](tmp_path / f"1.{form}", [trade(0, "okx:A", 20), trade(0, "okx:A", 30)])
    two = WRITERS[form](tmp_path / f"2.{form}", [trade(0, "okx:B", 20), beat])
    with pytest.raises(DataError, match="both have okx:A from 1970-01-01 00:00:00 to"):
        grouped([one, two])


def recorded(folder: Path, partition: str, first: int, *stamps: int, market: str = "okx:A") -> Path:
    """Record a heartbeat at each offset from `first` on."""
    folder.mkdir(exist_ok=True)
    recording = Recording(folder, partition, first)
    for ts in stamps:
        recording.add(Heartbeat(market, ts))
    recording.finish(first + len(stamps))
    return recording.path


def test_recordings_of_a_log_are_played_in_its_order_though_their_times_overlap(
    tmp_path: Path,
) -> None:
    late = recorded(tmp_path, "log/0", 3, 15, 16)
    early = recorded(tmp_path, "log/0", 0, 10, 30, 20)
    last = recorded(tmp_path, "log/0", 5, 12)
    other = recorded(tmp_path, "log/1", 0, 1, market="okx:B")
    for order in ([late, early, last, other], [other, last, late, early]):
        found = grouped(order)
        assert {tuple(name) for name in names(found)} == {
            (early.name, late.name, last.name), (other.name,),
        }  # fmt: skip
        assert {part.markets for part in found} == {frozenset({"okx:A"}), frozenset({"okx:B"})}


def test_a_part_of_a_log_that_is_missing_is_named(tmp_path: Path) -> None:
    one, other = recorded(tmp_path, "log/0", 0, 10, 11), recorded(tmp_path, "log/0", 7, 20)
    with pytest.raises(
        DataError,
        match=rf"between {one} and {other}, offsets 2 to 6 of log/0 are missing: give the file",
    ):
        grouped([other, one])


@pytest.mark.parametrize("stamps", [(10, 11), (10, 11, 12)])
def test_a_part_of_a_log_that_is_there_twice_is_named(
    tmp_path: Path, stamps: tuple[int, ...]
) -> None:
    one = recorded(tmp_path / "one", "log/0", 3, 10, 11)
    other = recorded(tmp_path / "other", "log/0", 3, *stamps)
    with pytest.raises(
        DataError, match=rf"{one} and {other} both have offsets 3 to 4 of log/0: give one of them"
    ):
        grouped([other, one] if len(stamps) > 2 else [one, other])


def test_recordings_of_two_logs_that_share_a_market_are_played_in_order_of_time(
    tmp_path: Path,
) -> None:
    new = [recorded(tmp_path, "new/0", 0, 30, 50), recorded(tmp_path, "new/0", 2, 40)]
    old = [recorded(tmp_path, "old/0", 0, 10, 20), recorded(tmp_path, "old/0", 2, 15)]
    assert names(grouped([*new, *old])) == [[path.name for path in (*old, *new)]]
    recorded(tmp_path, "old/0", 3, 45)
    with pytest.raises(DataError, match="both have okx:A"):
        grouped([tmp_path])


def test_recordings_of_a_log_are_not_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = []
    for offset in range(2):
        recording = Recording(tmp_path, "log/0", offset)
        recording.add(Heartbeat("okx:A", 10 - offset))
        recording.add(Heartbeat("okx:B", 5))
        recording.finish(offset + 1)
        paths.append(recording.path)
    readers = [open_file(file, Wanted(), Markets()) for file in find(paths)]
    monkeypatch.delattr(ParquetReader, "blocks")
    [part] = group(readers, Markets({"okx:A": "bybit:A"}))
    assert part.markets == frozenset({"bybit:A", "okx:B"})
