"""The paths of the page's server, and what each answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from infra.page.asked import LATEST, Asked, run_of
from infra.page.body import as_json
from infra.page.candles import Page
from infra.page.house import STATIC, House
from infra.page.refusal import (
    BAD,
    FORBIDDEN,
    NOT_FOUND,
    READ_ONLY,
    WRONG_METHOD,
    Refusal,
    broken,
    refused,
)
from infra.page.sections import POINTS, ROWS
from infra.page.stream import stream

_Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
_Answer: TypeAlias = Callable[[House, str, Asked], Any]
_MOST_ROWS = 1_000
_KINDS = ("", "fault", "gap", "reject", "late", "halt")


def application(house: House) -> Starlette:
    """Return what answers requests that the gate lets through.

    Parameters
    ----------
    house
        What there is to show.

    """
    app = Starlette(
        routes=[
            Route("/", _index),
            Route("/api/desk", _desk),
            Route("/api/runs", _runs),
            Route("/api/stream", stream),
            Route("/api/commands/prepare", _prepare, methods=["POST"]),
            Route("/api/commands", _say, methods=["POST"]),
            Route("/api/runs/{run}", _of_run(lambda house, run, _: house.run(run))),
            *(
                Route(f"/api/runs/{{run}}/{name}", _of_run(answer))
                for name, answer in _ANSWERS.items()
            ),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ],
        exception_handlers={Refusal: refused, HTTPException: _missing, Exception: _broken},
    )
    app.router.redirect_slashes = False
    app.state.house = house
    return app


def _candles(house: House, run: str, asked: Asked) -> Any:  # noqa: ANN401 - it is JSON
    return house.candles.page(Page.of(run, asked))


def _positions(house: House, run: str, asked: Asked) -> Any:  # noqa: ANN401 - it is JSON
    return house.sections.positions(
        run, asked.text("market"), asked.count("since", 0, 0, LATEST),
        asked.count("until", LATEST, 0, LATEST), asked.count("limit", ROWS, 1, _MOST_ROWS),
    )  # fmt: skip


def _signals(house: House, run: str, asked: Asked) -> Any:  # noqa: ANN401 - it is JSON
    limit = asked.count("limit", ROWS, 1, _MOST_ROWS)
    return house.sections.signals(run, asked.text("market"), limit)


def _equity(house: House, run: str, asked: Asked) -> Any:  # noqa: ANN401 - it is JSON
    return house.sections.equity(run, asked.count("points", POINTS, 50, 5_000))


def _model(house: House, run: str, asked: Asked) -> Any:  # noqa: ANN401 - it is JSON
    return house.sections.model(run, asked.text("market"))


def _troubles(house: House, run: str, asked: Asked) -> Any:  # noqa: ANN401 - it is JSON
    kind = asked.text("kind") or ""
    if kind not in _KINDS:
        raise Refusal(BAD, f"kind {kind!r}: one of {', '.join(_KINDS[1:])}")
    limit = asked.count("limit", 100, 1, _MOST_ROWS)
    return house.sections.troubles(run, asked.text("market"), kind, limit)


_ANSWERS: dict[str, _Answer] = {
    "candles": _candles,
    "positions": _positions,
    "signals": _signals,
    "equity": _equity,
    "model": _model,
    "troubles": _troubles,
    "feed": lambda house, run, _: house.feed.of(run),
    "book": lambda house, run, asked: house.book(run, asked.market()),
}


def _of_run(answer: _Answer) -> _Endpoint:
    """Return what answers for a run, in a thread: history is asked meanwhile."""

    async def endpoint(request: Request) -> Response:
        run, asked = run_of(request.path_params["run"]), Asked(request.query_params)
        return as_json(await run_in_threadpool(answer, _house(request), run, asked))

    return endpoint


async def _index(_: Request) -> Response:
    if not (STATIC / "index.html").is_file():
        raise Refusal(NOT_FOUND, "this installation has no page: install it again")
    return FileResponse(STATIC / "index.html")


async def _desk(request: Request) -> Response:
    house = _house(request)
    return as_json({**await run_in_threadpool(house.overview), "csrf": house.keys.csrf})


async def _runs(request: Request) -> Response:
    asked = Asked(request.query_params)
    before, limit = asked.count("before", LATEST, 0, LATEST), asked.count("limit", 50, 1, 200)
    return as_json(await run_in_threadpool(_house(request).older, before, limit))


async def _prepare(request: Request) -> Response:
    house, body = _house(request), await _commanded(request)
    return as_json(await run_in_threadpool(house.orders.prepare, body))


async def _say(request: Request) -> Response:
    house, body = _house(request), await _commanded(request)
    return as_json(await run_in_threadpool(house.orders.say, body))


async def _commanded(request: Request) -> object:
    """Return the body of a command that the page itself sent.

    Raises
    ------
    Refusal
        When it may not be, or is no JSON.

    """
    house = _house(request)
    if house.read_only:
        raise Refusal(READ_ONLY, "this page is read-only: deck dashboard without --read-only")
    if not house.keys.sent_by_page(request.headers.get("x-csrf-token", "")):
        raise Refusal(FORBIDDEN, "the page did not send this: load it again")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(BAD, "Content-Type is application/json")
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Refusal(BAD, f"the body is no JSON: {error}") from None
    except ClientDisconnect:
        raise Refusal(BAD, "the body ends before its Content-Length") from None


def _missing(_: Request, error: Exception) -> Response:
    """Answer a path that is none, or not by this method."""
    wrong = isinstance(error, HTTPException) and error.status_code == 405  # noqa: PLR2004 - HTTP's
    code, message = (WRONG_METHOD, "not by this method") if wrong else (NOT_FOUND, "no such page")
    return Refusal(code, message).response()


def _broken(_: Request, __: Exception) -> Response:
    return broken()


def _house(request: Request) -> House:
    found: House = request.app.state.house
    return found
