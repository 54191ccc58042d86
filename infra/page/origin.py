"""Where a request comes from: to us by our own name, and from no other site's page."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from infra.page.refusal import FORBIDDEN, Refusal

_NAMES = {"127.0.0.1", "localhost", "::1"}
"""What a browser on this machine, or at the near end of a tunnel, calls us. Any other name is one
that somebody lets point here, to read the page with a visitor's browser."""


def host_of(headers: Headers) -> str:
    """Return what we were called, if that is a name of ours.

    Raises
    ------
    Refusal
        When it is not, or there are several.

    """
    given = headers.getlist("host")
    if len(given) == 1 and _hostname(f"//{given[0]}") in _NAMES:
        return given[0]
    raise Refusal(FORBIDDEN, "this page is at 127.0.0.1 only: open the address that was printed")


def check_origin(scope: Scope, headers: Headers, host: str) -> None:
    """Refuse what the page of another site has a browser send.

    Raises
    ------
    Refusal
        When a browser says that one did.

    """
    origins = headers.getlist("origin")
    if origins and origins != [f"{scope.get('scheme', 'http')}://{host}"]:
        raise Refusal(FORBIDDEN, "another site sent this: it may not")
    site = headers.get("sec-fetch-site", "none")
    if scope["path"] != "/" and site not in ("none", "same-origin"):
        raise Refusal(FORBIDDEN, "another site sent this: it may not")


def _hostname(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        plain = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts.hostname if plain and parts.username is None and not parts.path else None
