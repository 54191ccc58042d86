"""What an exchange answers by REST: what can be read, or an error that may be over later."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, TypeVar, cast

from connectors.venue.venue import Json, Venue

T = TypeVar("T")

_SHOWN = 60
"""Characters of an unreadable answer that are told."""


class _Answers(Protocol):
    id: str
    httpExceptions: dict[str, object]  # noqa: N815 - ccxt's name

    def handle_errors(self, *answer: Any) -> object: ...  # noqa: ANN401 - as ccxt calls it
    def set_markets(self, markets: object) -> object: ...
    async def load_markets_helper(self, reload: bool) -> Mapping[str, Json]: ...


def demand_json(venue: Venue) -> None:
    """Take what is no JSON for no answer: else ccxt reads a page of a proxy as an empty list."""
    import ccxt  # noqa: PLC0415 - it takes a second, which only who asks an exchange has to wait

    answers = cast("_Answers", venue)
    judge = answers.handle_errors

    def handle(code: int, *answer: Any) -> object:  # noqa: ANN401 - only handed on
        judged = judge(code, *answer)
        text, body = answer[4], answer[5]
        if body is None and str(code) not in answers.httpExceptions:
            raise ccxt.BadResponse(f"{answers.id} answers no JSON: {text[:_SHOWN]!r}")
        return judged

    answers.handle_errors = handle  # type: ignore[method-assign]


async def answered(asked: Awaitable[T]) -> T:
    """Return an answer; what ccxt stumbles over, and what breaks off, is a `BadResponse`."""
    import ccxt  # noqa: PLC0415 - it takes a second, which only who asks an exchange has to wait

    try:
        return await asked
    except ccxt.BaseError as error:
        if type(error) is ccxt.ExchangeError and error.__cause__ is not None:
            raise ccxt.BadResponse(f"{error}: the answer broke off") from error
        raise
    except Exception as error:  # ccxt stumbles in many ways over what it does not expect
        why = f"{type(error).__name__}: {error}"
        raise ccxt.BadResponse(f"an answer that cannot be read: {why}") from error


async def listed(venue: Venue) -> dict[str, Json]:
    """Return all markets that an exchange has, by ccxt's names; it is asked now.

    Raises
    ------
    ccxt.BaseError
        When it does not tell them, or tells none: then those it told before still hold.

    """
    import ccxt  # noqa: PLC0415 - it takes a second, which only who asks an exchange has to wait

    before, answers = venue.markets, cast("_Answers", venue)
    # All else that is asked of ccxt, even a stream's next trades, waits for a `load_markets`.
    known = dict(await answered(answers.load_markets_helper(reload=True)))
    if not known:
        if before:
            answers.set_markets(before)
        raise ccxt.BadResponse(f"{venue.id} tells no markets")
    return known
