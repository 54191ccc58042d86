"""The gate in front of the page: who may come in, from where, and with how much luggage."""

from __future__ import annotations

import logging
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.scrub import scrubbed
from infra.page.keys import Keys
from infra.page.origin import check_origin, host_of
from infra.page.rate import Rate
from infra.page.refusal import (
    BAD,
    NO_TOKEN,
    TOO_LARGE,
    TOO_MANY,
    WRONG_METHOD,
    Refusal,
    broken,
)

_PATH, _QUERY, _BODY = 500, 2_000, 4_096
"""Bytes, at most."""
_FIELDS = 50
_LOGO = "'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='"
"""The one style that lightweight-charts writes into the page: its logo's."""
_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self'; style-src 'self' {_LOGO}; "
        f"img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_CLOSED = (
    "This page needs the address that `deck dashboard` printed: open that one, with its token. "
    "If you were in before and came by a link just now, load this page again."
)
_log = logging.getLogger("tapedeck.page")


class Gate:
    """Lets in who has the token, and looks at each request before anything else does.

    Parameters
    ----------
    app
        What is behind it.
    keys
        Who may come in.
    port
        Ours; a browser keeps the cookies of all ports of a machine in one place.

    """

    def __init__(self, app: ASGIApp, keys: Keys, port: int) -> None:
        self._app, self._keys = app, keys
        self._cookie = f"tapedeck_{port}"
        self.known, self.strangers = Rate(400, 100.0), Rate(100, 20.0)
        """How many requests are taken of who may come in, and of all others together."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sealed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            answer = self._looked_at(scope)
            app = self._app if answer is None else answer
            await app(scope, _weighed(receive), sealed)
        except Refusal as refusal:
            if not begun:
                await refusal.response()(scope, receive, sealed)
        except Exception as error:  # noqa: BLE001 - nobody outside may see what is wrong inside
            _log.error("%s", scrubbed(error))
            if not begun:
                await broken()(scope, receive, sealed)

    def _looked_at(self, scope: Scope) -> Response | None:
        """Return what is answered at once, if the request goes no further."""
        headers = Headers(scope=scope)
        _check_size(scope, headers)
        host = host_of(headers)
        known = self._is_known(headers)
        # Who has the token is no stranger yet: whoever guesses cannot keep them out.
        ours = known or self._keys.opens(_token(scope))
        if not (self.known if ours else self.strangers).take():
            raise Refusal(TOO_MANY, "too many requests: wait a second")
        check_origin(scope, headers, host)
        if known:
            return self._entered(scope)
        return self._entering(scope, headers)

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._keys.opens(token)
        return self._keys.known(_cookie(headers, self._cookie))

    def _entering(self, scope: Scope, headers: Headers) -> Response:
        """Let in who shows the token; send all others away."""
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            if self._keys.admits(_token(scope)):
                linked = headers.get("sec-fetch-site") == "cross-site"
                answer = _home_by_itself() if linked else _home()
                answer.set_cookie(
                    self._cookie, self._keys.cookie, path="/", httponly=True, samesite="strict"
                )
                return answer
            return PlainTextResponse(_CLOSED, 401)
        raise Refusal(NO_TOKEN, _CLOSED)

    @staticmethod
    def _entered(scope: Scope) -> Response | None:
        """Take the token out of the address of who is in already."""
        return _home() if scope["path"] == "/" and _token(scope) else None


def _home() -> Response:
    return RedirectResponse("/", 303)


def _home_by_itself() -> Response:
    """Have the browser go there from here: as a link of another site it would get no cookie."""
    return PlainTextResponse("The page opens.", headers={"Refresh": "0; url=/"})


def _check_size(scope: Scope, headers: Headers) -> None:
    if len(scope.get("raw_path") or b"") > _PATH or len(scope["query_string"]) > _QUERY:
        raise Refusal(TOO_LARGE, "the address is too long")
    if scope["method"] not in ("GET", "HEAD", "POST"):
        raise Refusal(WRONG_METHOD, f"{scope['method']}: there is only GET, HEAD and POST")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal():
        raise Refusal(BAD, "Content-Length is no number")
    if int(length) > _BODY:
        raise Refusal(TOO_LARGE, f"the body is longer than {_BODY} bytes")


def _token(scope: Scope) -> str:
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=_FIELDS)
    except ValueError:
        return ""
    found: str = query.get("token", [""])[-1]
    return found


def _cookie(headers: Headers, name: str) -> str:
    found: SimpleCookie = SimpleCookie()
    try:
        found.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return str(found[name].value) if name in found else ""


def _weighed(receive: Receive) -> Receive:
    """Return what hands on a body, whatever was said of its length, only so far as it may be."""
    weight = 0

    async def handed() -> Message:
        nonlocal weight
        message = await receive()
        weight += len(message.get("body", b""))
        if weight > _BODY:
            raise Refusal(TOO_LARGE, f"the body is longer than {_BODY} bytes")
        return message

    return handed
