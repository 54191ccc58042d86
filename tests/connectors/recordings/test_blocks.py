"""Blocks: every format gives the same ones, from any beginning; and which symbols may be left."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.recordings.blocks import Block, of_share
from connectors.recordings.columns import Wanted
from connectors.recordings.files import find
from connectors.recordings.formats import open_file
from connectors.recordings.naming import Markets, Share
from tests.connectors.recording_rig import SYMBOLS, WRITERS, trade

ROWS = [trade(n, SYMBOLS[n % 2]) for n in range(23)]


def prices(blocks: list[Block]) -> list[float]:
    return [float(cell) for block in blocks for cell in block.columns["price"].to_pylist()]


def numbers(blocks: list[Block]) -> list[int]:
    return [number for block in blocks for number in block.numbers]


@pytest.mark.parametrize("form", WRITERS)
def test_reading_goes_on_where_any_block_began(tmp_path: Path, form: str) -> None:
    [file] = find([WRITERS[form](tmp_path / f"a.{form}", ROWS)])
    reader = open_file(file, Wanted(), Markets())
    blocks = list(reader.blocks(rows=5))
    assert prices(blocks) == [row["price"] for row in ROWS]
    assert all(0 < len(block) <= 5 for block in blocks)
    assert [block.read for block in blocks] == sorted(block.read for block in blocks)
    for place, block in enumerate(blocks):
        again = list(reader.blocks(first=block.first, rows=5))
        assert prices(again) == prices(blocks[place:])
        assert numbers(again) == numbers(blocks[place:])
        assert (again[0].first, len(again[0]) >= len(block)) == (block.first, True)


def test_a_block_is_as_long_as_it_has_rows() -> None:
    assert len(Block(7, [8, 9, 11], {}, str, 99)) == 3


def test_a_share_skips_exactly_the_symbols_whose_markets_are_not_its_own() -> None:
    for k in range(3):
        share = Share(k, 3)
        skip = of_share(share, "okx:{}".format)
        assert skip is not None
        for symbol in map(str, range(50)):
            assert skip(symbol) == (not share.has(f"okx:{symbol}"))


def test_who_replays_all_markets_skips_none() -> None:
    assert of_share(Share(), str) is None
