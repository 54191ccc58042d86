"""A request that is refused, and how the page hears of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from connectors.scrub import scrub
from infra.page.body import as_json

BAD, NO_TOKEN, FORBIDDEN, READ_ONLY = "bad_request", "no_token", "forbidden", "read_only"
NOT_FOUND, WRONG_METHOD, CONFLICT = "not_found", "wrong_method", "conflict"
TOO_LARGE, TOO_MANY, BUSY = "too_large", "too_many", "busy"
HISTORY_DOWN, LOG_DOWN = "history_down", "log_down"

_STATUS = {
    BAD: 400, NO_TOKEN: 401, FORBIDDEN: 403, READ_ONLY: 403, NOT_FOUND: 404, WRONG_METHOD: 405,
    CONFLICT: 409, TOO_LARGE: 413, TOO_MANY: 429, BUSY: 503, HISTORY_DOWN: 503, LOG_DOWN: 503,
}  # fmt: skip
_LATER = {TOO_MANY, BUSY, HISTORY_DOWN, LOG_DOWN}
_SHOWN = 300
"""Characters of a message: it may quote what was asked."""


class Refusal(Exception):
    """A request is refused.

    Parameters
    ----------
    code
        One of the words above, for the page.
    message
        A sentence for people, with the remedy.

    Examples
    --------
    >>> Refusal(NOT_FOUND, "no such run").response().body
    b'{"error":{"code":"not_found","message":"no such run"}}'

    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def response(self) -> Response:
        """Return what is answered."""
        text = scrub(str(self))
        said = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        headers = {"Retry-After": "1"} if self.code in _LATER else None
        body = {"error": {"code": self.code, "message": said}}
        return as_json(body, _STATUS[self.code], headers)


def refused(_: Request, error: Exception) -> Response:
    """Answer a request that was refused."""
    return error.response() if isinstance(error, Refusal) else broken()


def broken() -> Response:
    """Answer where something of ours failed: its traceback is for our log only."""
    message = "the page has a fault: what deck dashboard printed says more"
    return as_json({"error": {"code": "fault", "message": message}}, 500)
