"""Rows of the outbox: each record comes back as it was, digit by digit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.account.limits import Result
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from connectors.outbox.rows import pack, unpack
from tests.schemas.events import VALUES, few


def records(kind: type) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{field.name: VALUES[str(field.type)] for field in fields(kind)})


VALUES.setdefault("Decimal | None", st.none() | VALUES["Decimal"])


@pytest.mark.parametrize("kind", [Slip, Holding, Result])
def test_a_record_comes_back_as_it_was(kind: type) -> None:
    @few
    @given(records(kind))
    def check(record: object) -> None:
        assert unpack(kind, pack(record)) == record

    check()


def test_what_an_older_record_did_not_have_is_as_at_first() -> None:
    body = orjson.loads(pack(Result("USDT", 3)))
    del body["peak"]
    assert unpack(Result, orjson.dumps(body)) == Result("USDT", 3)
