"""How one market's trading stands."""

from __future__ import annotations

import pickle
from decimal import Decimal

from operators.standing import Standing
from schemas import Book
from tests.tapes import MARKET, START


def test_nothing_is_gone_from_a_new_book() -> None:
    standing = Standing()
    standing.taken.sides[1] = Decimal(7)
    book = Book(MARKET, START, [], [(1.0, 1.0)])
    standing.see(book)
    assert (standing.view.book, standing.taken.sides) == (book, {})


def test_it_pickles() -> None:
    assert pickle.loads(pickle.dumps(Standing(mode="halted"))) == Standing(mode="halted")
