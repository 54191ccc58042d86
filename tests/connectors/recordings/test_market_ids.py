"""The ids of a market: numbers, texts or none, and what became texts stays so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.market_ids import MarketIds
from connectors.recordings.trades import Mask
from schemas.trades import Ids, as_ids

IDS = st.lists(st.sampled_from(["1", "2", "30", "007", "x", "", None]))


def column(cells: Sequence[str | None]) -> tuple[Ids | None, Mask | None]:
    """Return ids as they are read: what is missing stands as 0, and is told apart."""
    if all(cell is None for cell in cells):
        return None, None
    ids = as_ids(["0" if cell is None else cell for cell in cells])
    missing = np.array([cell is None for cell in cells])
    return ids, missing if missing.any() else None


def wanted(cells: Sequence[str | None], texts: bool) -> list[int | str | None]:
    """Return what each row's id should be, the slow way."""
    found: list[int | str | None] = []
    for cell in cells:
        texts = texts or (cell is not None and not (cell.isdigit() and str(int(cell)) == cell))
        found.append(cell if texts or cell is None else int(cell))
    return found


def read(cells: Sequence[str | None], texts: bool) -> tuple[list[int | str | None], bool]:
    """Return the id of each row of one block, run by run, and whether they are texts now."""
    ids = MarketIds(*column(cells), texts)
    found: list[int | str | None] = []
    starts = [0, *ids.edges]
    for start, stop in zip(starts, [*ids.edges, len(cells)], strict=True):
        run = ids.of(start, stop)
        found += [None] * (stop - start) if run is None else run.tolist()
    return found, ids.texts


@given(IDS, st.sets(st.integers(1, 20)))
def test_ids_are_the_same_however_their_rows_are_cut(
    cells: Sequence[str | None], cuts: set[int]
) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(cells)), len(cells)]
    found: list[int | str | None] = []
    texts = False
    for start, stop in pairwise(edges):
        part, texts = read(cells[start:stop], texts)
        found += part
    assert found == wanted(cells, False)


def test_ids_that_became_texts_stay_so() -> None:
    assert read(["1", "x", "2"], texts=False) == ([1, "x", "2"], True)
    assert read(["3", "4"], texts=True) == (["3", "4"], True)
    assert read(["3", "4"], texts=False) == ([3, 4], False)


def test_trades_without_any_id_change_nothing() -> None:
    assert read([None, None], texts=False) == ([None, None], False)
    assert read([None, None], texts=True) == ([None, None], True)


def test_there_is_an_edge_wherever_the_kind_changes_and_nowhere_else() -> None:
    cells = ["1", None, None, "2", "x", "3", None]
    assert MarketIds(*column(cells), texts=False).edges == [1, 3, 4, 6]
    assert MarketIds(*column(cells), texts=True).edges == [1, 3, 6]


def test_what_stands_for_a_missing_id_makes_no_texts() -> None:
    ids = np.array(["7", "n/a", "8"], object)
    made = MarketIds(ids, np.array([False, True, False]), texts=False)
    assert not made.texts
    assert [run if run is None else run.tolist() for run in map(made.of, (0, 1, 2), (1, 2, 3))] == [
        [7],
        None,
        [8],
    ]
