"""Large parts of a state are on a shelf, as long as a run might go on from them."""

from __future__ import annotations

import pickle

import pytest

from operators.bulk import Bulk, Keeping


class Dictionary:
    """A shelf in memory."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.puts = 0

    def put(self, content: bytes) -> str:
        self.puts += 1
        self.content[f"n{self.puts}"] = content
        return f"n{self.puts}"

    def get(self, name: str) -> bytes:
        return self.content[name]

    def drop(self, name: str) -> None:
        del self.content[name]


def test_what_is_large_is_put_on_the_shelf_once_and_comes_back_with_its_state() -> None:
    shelf, bulk = Dictionary(), Bulk(b"x" * 1_000)
    keeping = Keeping(shelf)
    first, second = keeping.kept([1, bulk]), keeping.kept([2, bulk])
    assert shelf.puts == 1
    assert len(first) < 200
    again = Keeping(shelf)
    number, found = again.opened(second)  # type: ignore[misc]
    assert (number, found.content) == (2, bulk.content)  # type: ignore[has-type]
    again.kept([3, found])  # type: ignore[has-type]
    assert shelf.puts == 1  # it is there already


def test_only_what_the_latest_snapshots_hold_stays_on_the_shelf() -> None:
    shelf = Dictionary()
    keeping = Keeping(shelf)
    states = [keeping.kept(Bulk(b"%d" % number)) for number in range(10)]
    assert sorted(shelf.content) == ["n10", "n8", "n9"]
    for state, content in zip(states[-3:], (b"7", b"8", b"9"), strict=True):
        assert Keeping(shelf).opened(state).content == content  # type: ignore[attr-defined]


def test_without_a_shelf_it_is_kept_with_all_else_and_with_one_nobody_reads_it_without() -> None:
    keeping = Keeping(None)
    assert keeping.opened(keeping.kept(Bulk(b"x"))).content == b"x"  # type: ignore[attr-defined]
    state = Keeping(Dictionary()).kept(Bulk(b"x"))
    with pytest.raises(LookupError, match="kept beside its state"):
        pickle.loads(state)
