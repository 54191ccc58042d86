"""Operators may be annotated as any function, in every Python that Bytewax runs in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields

from bytewax.dataflow import Dataflow

from operators import Tape
from operators.operator import operator


@operator
def plain(
    step_id: str,
    tape: Tape,
    lengths: tuple[int, ...] = (),
    kinds: list[str] | None = None,
    on: type[int] = int,
    rule: Callable[[], Mapping[str, int]] = dict,
) -> Tape:
    """Give the tape as it is."""
    assert lengths == (2, 3)
    assert (kinds, on, rule) == (None, int, dict)
    return tape


def test_a_function_with_such_annotations_is_an_operator_that_says_what_it_takes() -> None:
    built = plain("plain", Tape("flow.tape", Dataflow("flow")._scope), lengths=(2, 3))
    assert built.stream_id == "flow.tape"
    told = inspect.signature(plain).parameters
    assert told["lengths"].annotation == "tuple[int, ...]"
    kept = {field.name for field in fields(plain._op_cls)}  # type: ignore[attr-defined]
    assert {*told} - {"step_id"} < kept
