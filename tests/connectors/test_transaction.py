"""A transaction keeps all or nothing."""

from __future__ import annotations

import sqlite3

import pytest

from connectors.transaction import whole


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_breaks_off_keeps_nothing_and_the_next_one_all(error: type[BaseException]) -> None:
    file = sqlite3.connect(":memory:", isolation_level=None)
    file.execute("CREATE TABLE numbers (n)")

    def break_off() -> None:
        file.execute("INSERT INTO numbers VALUES (1)")
        raise error

    with pytest.raises(error), whole(file):
        break_off()
    with whole(file):
        file.execute("INSERT INTO numbers VALUES (2)")
    assert not file.in_transaction
    assert file.execute("SELECT n FROM numbers").fetchall() == [(2,)]
    file.close()
