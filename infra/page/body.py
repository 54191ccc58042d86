"""What the page's server answers with: JSON, in which whatever is no number is null."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response


def packed(body: object) -> bytes:
    """Return the JSON of an answer.

    Examples
    --------
    >>> packed({"odds": float("nan")})
    b'{"odds":null}'

    """
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def as_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer."""
    return Response(packed(body), status, headers, media_type="application/json")
