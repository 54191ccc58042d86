"""Lines: whole ones, in blocks, from any line on, however they are compressed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.files import DataError, find
from connectors.recordings.lines import Lines, read_lines


def arrow(kind: str) -> Callable[[bytes], bytes]:
    def pack(raw: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, kind) as stream:
            stream.write(raw)
        return bytes(sink.getvalue())

    return pack


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
    ".zst": arrow("zstd"), ".lz4": arrow("lz4"),
}  # fmt: skip
numbers = count()


def read(path: Path, block: int, first: int = 1) -> list[Lines]:
    return list(read_lines(find([path])[0], block, first))


@given(
    st.lists(st.sampled_from(["", "a", "b,c", "é", "x" * 50]), min_size=1, max_size=30),
    st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 9), st.integers(1, 40),
    st.sampled_from([*PACKERS]),
)  # fmt: skip
def test_all_lines_come_once_with_their_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str], end: str, ended: bool, block: int, first: int, ending: str,
) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / f"{next(numbers)}.csv{ending}"
    text = end.join(lines) + end * ended
    path.write_bytes(PACKERS[ending](text.encode() or b"\n"))
    if text and not ended and not lines[-1]:
        lines = lines[:-1]  # nothing stands behind the last end
    found = read(path, block, first)
    split = [(part.first + i, line) for part in found for i, line in enumerate(part.split())]
    assert split == list(enumerate(lines or [""], 1))[first - 1 :]
    assert all(part.count == block for part in found[:-1])
    assert not found or found[-1].read == path.stat().st_size


def test_a_block_is_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{n:0100d}\n" for n in range(40_000)))
    found = read(path, 15_000, first=100)
    assert [(part.first, part.count) for part in found] == [
        (100, 15_000), (15_100, 15_000), (30_100, 9_901),
    ]  # fmt: skip
    assert [int(line) for part in found for line in part.split()] == list(range(99, 40_000))


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst", ".lz4"])
@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"junk" + raw])
def test_broken_compression_is_told(
    tmp_path: Path, ending: str, damage: Callable[[bytes], bytes]
) -> None:
    text = "".join(f"{n * 7919 % 104729}\n" for n in range(100_000)).encode()
    path = tmp_path / f"a.csv{ending}"
    path.write_bytes(damage(PACKERS[ending](text)))
    with pytest.raises(DataError, match=rf"a.csv{ending}: broken .*; record or download it again"):
        read(path, 1000)


def test_what_has_no_line_ends_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n" + b"x" * (80 << 20))
    with pytest.raises(DataError, match=r"a\.csv: no text: line 2 has no end; check the file"):
        read(path, 10)
