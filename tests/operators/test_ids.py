from __future__ import annotations

import pickle
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise
from time import process_time
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.ids import SeenIds
from schemas import as_ids
from schemas.trades import Ids
from tests.tapes import EVERYWHERE, cuts

REMEMBERED = 40


@pytest.fixture(autouse=True, scope="module")
def forgetful() -> Iterator[None]:
    with patch("operators.ids.REMEMBERED", REMEMBERED):
        yield


@st.composite
def numbers(draw: st.DrawFn) -> list[int]:
    """Build ids that mostly go up by one, skip some, come back to old ones, or jump anyhow."""
    ids: list[int] = []
    top = draw(st.sampled_from([0, 7, 10**15]))
    for kind, count in draw(st.lists(st.tuples(st.sampled_from("+++^-?"), st.integers(1, 60)))):
        if kind == "+":
            ids += range(top + 1, top + 1 + count)
            top += count
        elif kind == "^":
            top += count + 1
            ids.append(top)
        elif kind == "-":
            ids.append(max(top - count, 0))
        else:
            ids += [top + count + 3, top + count + 1]
            top += count + 3
    return ids


def verdicts(seen: SeenIds, ids: Ids) -> Iterator[object]:
    """Tell of each id whether it is repeated, or which are missing in front of it."""
    if seen.calm(ids):
        seen.add_all(ids)
        yield from [None] * len(ids)
        return
    if len(ids) > 1:
        yield from verdicts(seen, ids[: len(ids) // 2])
        yield from verdicts(seen, ids[len(ids) // 2 :])
        return
    id_ = ids.item(0)
    if seen.follow(id_):
        yield None
    elif seen.repeated(id_):
        yield "repeated"
    else:
        yield seen.hole(id_)
        seen.add_all(ids)


def read(ids: Ids, cut: Container[int] = (), restarts: Container[int] = ()) -> list[object]:
    seen, out = SeenIds(), list[object]()
    edges = [0, *(row for row in range(1, len(ids)) if row in cut), len(ids)]
    for number, (a, b) in enumerate(pairwise(edges)):
        if number in restarts:
            seen = pickle.loads(pickle.dumps(seen))
        if b > a:
            out += verdicts(seen, ids[a:b])
    return out


def plain(ids: Sequence[int | str]) -> list[object]:
    """Do the same as plainly as can be."""
    seen: list[object] = []
    out: list[object] = []
    top: int | None = None
    trust = 0
    for id_ in ids:
        if id_ in seen[-REMEMBERED:]:
            out.append("repeated")
            continue
        seen.append(id_)
        hole = None
        if isinstance(id_, int):
            if top is not None and id_ == top + 1:
                trust = min(trust + 1, 1000)
            elif top is not None and id_ > top:
                hole = (top + 1, id_ - 1) if trust >= 20 else None
                trust = max(trust - 20, 0)
            top = id_ if top is None else max(top, id_)
        out.append(hole)
    return out


@settings(max_examples=200)
@given(numbers(), cuts(300), cuts(300))
def test_repeated_ids_and_holes_are_those_of_a_plain_list(
    ids: list[int], cut: Container[int], restarts: Container[int]
) -> None:
    assert read(as_ids(ids), cut, restarts) == plain(ids)


@given(numbers(), cuts(300), cuts(300))
def test_repeated_texts_are_those_of_a_plain_list(
    ids: list[int], cut: Container[int], restarts: Container[int]
) -> None:
    texts = [f"t{id_}" for id_ in ids]
    assert read(np.array(texts, object), cut, restarts) == plain(texts)


def test_an_id_is_known_until_so_many_others_came() -> None:
    ids = [5, *range(1000, 1000 + REMEMBERED - 1), 5]
    assert read(np.array(ids))[-1] == "repeated"
    ids = [5, *range(1000, 1000 + REMEMBERED), 5]
    assert read(np.array(ids))[-1] is None


@pytest.mark.parametrize("steps", [19, 20, 21])
def test_a_hole_counts_from_twenty_steps_of_one_on_in_a_slice_too(steps: int) -> None:
    ids = [*range(steps + 1), steps + 9, steps + 10]
    assert read(as_ids(ids)) == read(as_ids(ids), EVERYWHERE) == plain(ids)
    assert ((steps + 1, steps + 8) in plain(ids)) == (steps >= 20)


def test_a_told_hole_is_known_until_the_next_greater_id() -> None:
    seen = SeenIds()
    seen.add_all(np.arange(100))
    seen.announce()
    assert seen.hole(200) is None
    assert seen.calm(np.array([200, 201]))
    assert not seen.calm(np.array([200, 300]))
    seen.add_all(np.array([200]))
    assert seen.hole(300) == (201, 299)


@pytest.mark.parametrize("ids", [range(10**5), [f"t{i}" for i in range(10**4)]])
def test_what_is_remembered_is_bounded(ids: range | list[str]) -> None:
    seen = SeenIds()
    seen.add_all(as_ids(ids))
    assert len(pickle.dumps(seen)) < 1_000


def test_a_new_text_takes_no_longer_when_many_are_remembered() -> None:
    texts = np.array([f"t{i}" for i in range(30_000)], object)
    started = process_time()
    read(texts, EVERYWHERE)
    few = process_time() - started
    with patch("operators.ids.REMEMBERED", 10_000):
        started = process_time()
        read(texts, EVERYWHERE)
    assert process_time() - started < 5 * few
