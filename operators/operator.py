"""Bytewax's `operator`, in every Python that it runs in."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, GenericAlias
from typing import Any, TypeVar, cast, get_type_hints

from bytewax import dataflow

Builder = TypeVar("Builder", bound=Callable[..., object])


def operator(builder: Builder) -> Builder:
    """Make an operator of a function that builds one, whatever its settings are annotated with.

    To Python 3.10 `tuple[int, ...]` is a class, and Bytewax, which looks for streams among the
    classes, fails at it: it is told of no such annotation.

    Examples
    --------
    >>> from operators import Tape
    >>> @operator
    ... def smooth(step_id: str, tape: Tape, lengths: tuple[int, ...]) -> Tape: ...

    """
    function = cast("FunctionType", builder)
    told, hints = function.__annotations__, get_type_hints(function)
    function.__annotations__ = {
        name: Any if isinstance(hint, GenericAlias) else hint for name, hint in hints.items()
    }
    made = dataflow.operator(builder)
    function.__annotations__ = cast("FunctionType", made).__annotations__ = told
    return made
