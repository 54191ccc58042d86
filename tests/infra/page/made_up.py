"""A server that answers as the page's own does, with made-up data: real ones do not misbehave."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import infra.page

Json: TypeAlias = dict[str, object]

STATIC = Path(infra.page.__file__).parent / "static"
MARKET = "binance:BTC/USDT"
RUN = "00bddc1c" + "0" * 24
FIRST = 1_763_800_000_000 // 60_000 * 60_000
_MINUTE = 60_000
_CSP = (
    "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'self' 'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class MadeUp:
    """What the server says; tests change it, and push.

    Parameters
    ----------
    many
        How many candles there are.

    """

    def __init__(self, many: int = 5_000) -> None:
        self.many = many
        self.desk: Json = {
            "now": _now(),
            "version": "0.1.0",
            "read_only": False,
            "csrf": "a-token",
            "history": {"up": True, "why": ""},
            "log": {"up": True, "why": ""},
            "supervisor": True,
            "flows": [deployed()],
            "runs": [],
        }
        self.sections = sections(self.end)
        self.told: list[Json] = []
        self.asked: list[str] = []
        self._listeners: list[asyncio.Queue[bytes | None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def end(self) -> int:
        """When the last candle was over."""
        return FIRST + self.many * _MINUTE

    def push(self, kind: str, data: Json) -> None:
        """Tell all who listen, now."""
        message = _event(kind, data)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._tell, message)

    def grow(self, many: int, **others: object) -> None:
        """Have so many more candles, and push the last of them as a server does."""
        first, self.many = self.many, self.many + many
        self.push("candles", self.candles(first, self.many) | others)

    def candles(self, first: int, last: int, step: int = 1, *, more: bool = False) -> Json:
        """Return the candles from one number to another, as the server would."""
        return candles(range(first, last, step), step, more=more)

    @contextmanager
    def served(self, port: int = 0) -> Iterator[str]:
        """Serve until the end of the block; return the address."""
        config = uvicorn.Config(
            self._app(), "127.0.0.1", port, log_level="critical", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._tell, None)
            server.should_exit = True
            thread.join(20)

    def _tell(self, message: bytes | None) -> None:
        for listener in self._listeners:
            listener.put_nowait(message)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/api/desk", self._desk),
                Route("/api/stream", self._stream),
                Route("/api/commands/prepare", self._prepare, methods=["POST"]),
                Route("/api/commands", self._command, methods=["POST"]),
                Route("/api/runs/{run}", self._run),
                Route("/api/runs/{run}/candles", self._candles),
                Route("/api/runs/{run}/{section}", self._section),
                Mount("/static", StaticFiles(directory=STATIC)),
            ]
        )

    async def _index(self, _: Request) -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": _CSP})

    async def _desk(self, _: Request) -> JSONResponse:
        return JSONResponse(self.desk | {"now": _now()})

    async def _run(self, request: Request) -> JSONResponse:
        kinds = [{"kind": "1m", "step": 60, "candles": self.many, "first": FIRST, "last": self.end}]
        return JSONResponse(
            {
                "run": request.path_params["run"],
                "flow": "learned_cross",
                "mode": "paper",
                "status": "running",
                "source": "log",
                "started": FIRST,
                "finished": None,
                "code_version": "ab12",
                "settings": {},
                "summary": {},
                "deployment": "learned_cross",
                "markets": [{"market": MARKET, "kinds": kinds}] if self.many else [],
            }
        )

    async def _candles(self, request: Request) -> JSONResponse:
        said = request.query_params
        self.asked.append(str(said))
        step = int(said.get("step", 60)) // 60
        limit = int(said.get("limit", 500)) * step
        if "after" in said:
            first = int(said["after"]) + step
            last = min(first + limit, self.many)
            return JSONResponse(self.candles(first, last, step, more=last < self.many))
        last = int(said.get("before", self.many))
        if "until" in said:
            last = min((int(said["until"]) - FIRST) // _MINUTE + 1, self.many)
        first = max(last - limit, 0)
        return JSONResponse(self.candles(first // step * step, last, step, more=first > 0))

    async def _section(self, request: Request) -> JSONResponse:
        return JSONResponse(self.sections[request.path_params["section"]])

    async def _prepare(self, request: Request) -> JSONResponse:
        asked = await request.json()
        assert request.headers["x-csrf-token"] == self.desk["csrf"]
        action = asked["action"]
        says = [
            f"{action}: the flow {asked['flow']}, all its markets",
            "What is held keeps its stops.",
        ]
        return JSONResponse(
            {
                "confirm": action,
                "expires": _now() + 60_000,
                "type": asked["flow"] if action == "flatten" else None,
                "says": says,
                "held": [{"market": MARKET, "position": "long 0.01 at 60000"}],
            }
        )

    async def _command(self, request: Request) -> JSONResponse:
        self.told.append(await request.json())
        return JSONResponse({"done": "done as asked", "notes": ["on the tape of 1 market"]})

    async def _stream(self, request: Request) -> StreamingResponse:
        self._loop = asyncio.get_running_loop()
        listener: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners.append(listener)
        whole = "run" in request.query_params
        return StreamingResponse(
            self._events(listener, whole=whole), media_type="text/event-stream"
        )

    async def _events(
        self, listener: asyncio.Queue[bytes | None], *, whole: bool
    ) -> AsyncIterator[bytes]:
        try:
            yield _event("hello", {"now": _now(), "version": "0.1.0", "read_only": False})
            yield _event("desk", self.desk | {"now": _now()})
            if whole:
                yield _event("candles", self.candles(max(self.many - 300, 0), self.many))
                for kind, section in self.sections.items():
                    yield _event(kind, section)
            while (message := await listener.get()) is not None:
                yield message
        finally:
            self._listeners.remove(listener)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _event(kind: str, data: Json) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def deployed(**others: object) -> Json:
    """Return a flow of the desk."""
    line = {"market": MARKET, "mode": "active", "position": "long 0.01 at 60000", "order": "–"}
    return {
        "name": "learned_cross",
        "flow": "learned_cross",
        "source": "exchange:binance",
        "broker": "paper",
        "account": "",
        "markets": [MARKET],
        "state": "running",
        "bad": False,
        "since": FIRST,
        "run": RUN,
        "lag_seconds": 0.4,
        "behind": 0,
        "last_event": _now(),
        "trades": 120_345,
        "pnl": "12.5",
        "restarts": 0,
        "why": "",
        "commandable": True,
        "lines": [line | {"report": "–", "last_event": _now()}],
    } | others


def _price(number: int) -> float:
    return round(60_000 + 300 * math.sin(number / 40) + 90 * math.sin(number / 7), 1)


def candles(numbers: range, step: int = 1, *, more: bool = False) -> Json:
    """Return candles of these numbers; the number is the `seq`, too."""
    columns: dict[str, list[object]] = {
        "seq": list(numbers),
        "time": [FIRST + n * _MINUTE for n in numbers],
        "end": [FIRST + (n + step) * _MINUTE for n in numbers],
        "open": [_price(n) for n in numbers],
        "high": [max(_price(n), _price(n + step)) + 12 for n in numbers],
        "low": [min(_price(n), _price(n + step)) - 12 for n in numbers],
        "close": [_price(n + step) for n in numbers],
        "volume": [1.5 + math.cos(n) for n in numbers],
        "count": [7 for _ in numbers],
        "complete": [True for _ in numbers],
    }
    averages = {
        f"sma{size}": [_price(n + step - size // 2) if n > size else None for n in numbers]
        for size in (5, 20, 60)
    }
    return {
        "market": MARKET,
        "kind": "1m",
        "step": step * 60,
        "more": more,
        "candles": columns,
        "averages": averages,
    }


def position(number: int, opened: int, closed: int | None, **others: object) -> Json:
    """Return one position, as a row."""
    over = closed is not None
    return {
        "id": f"{RUN[:8]}:{MARKET}:{number}",
        "market": MARKET,
        "position": number,
        "side": "long",
        "amount": "0.01",
        "entry": "60000",
        "exit": "60120.5" if over else None,
        "opened": opened,
        "closed": closed,
        "reason": "cross",
        "why": "take" if over else None,
        "pnl": ("1.205", "-0.8421")[number % 2] if over else None,
        "fees": "0.12" if over else None,
        "funding": "0" if over else None,
        "net_return": (0.002, -0.0014)[number % 2] if over else None,
        "stop": 59_880.0,
        "take": 60_180.0,
        "trailing": None,
        "deadline": opened + 30 * _MINUTE,
    } | others


def columns(rows: list[Json]) -> Json:
    """Turn rows into columns."""
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}


def sections(end: int) -> dict[str, Json]:
    """Return what the page shows beside candles, all of it full."""
    opened = [end - k * 25 * _MINUTE for k in range(1, 60)]
    held = [position(60, end - 4 * _MINUTE, None)]
    over = [position(60 - k, at, at + 11 * _MINUTE) for k, at in enumerate(opened, 1)]
    times = [end - (200 - k) * 3_600_000 for k in range(200)]
    return {
        "positions": {"more": False, "positions": columns([*held, *over])},
        "signals": {
            "more": False,
            "signals": {
                "seq": [2, 1],
                "time": [end - _MINUTE, end - 5 * _MINUTE],
                "market": [MARKET, MARKET],
                "what": ["refused", "signal"],
                "action": ["long", "long"],
                "why": ["already long", "cross"],
            },
        },
        "equity": {
            "currencies": {
                "USDT": {
                    "time": times,
                    "equity": [f"{k / 4 + 9 * math.sin(k / 9):.2f}" for k in range(200)],
                    "drawdown": [f"{abs(6 * math.sin(k / 11)):.2f}" for k in range(200)],
                    "positions": 59,
                    "pnl": "12.5",
                    "worst": "6.00",
                }
            }
        },
        "model": {
            "metrics": {
                "time": [at // 3_600_000 * 3_600_000 for at in times],
                "outcomes": [30] * 200,
                "odds": [0.52] * 200,
                "won": [0.5] * 200,
                "log_loss": [0.68 + 0.02 * math.sin(k / 5) for k in range(200)],
                "base_log_loss": [0.693] * 200,
            },
            "calibration": {
                "bin": [0.3, 0.4, 0.5, 0.6],
                "outcomes": [40, 400, 512, 90],
                "odds": [0.36, 0.46, 0.54, 0.63],
                "won": [0.31, 0.47, 0.52, 0.66],
            },
        },
        "troubles": {
            "more": False,
            "troubles": {
                "seq": [9, 8, -1],
                "time": [end - _MINUTE, end - 2 * _MINUTE, end - 3 * _MINUTE],
                "market": [MARKET] * 3,
                "kind": ["fault", "reject", "gap"],
                "what": ["rule: ZeroDivisionError", "not a trade", "disconnected: 10 s"],
                "detail": ["Traceback …\n  line 12 in cross", '{"price": "x"}', ""],
            },
        },
        "feed": {
            "hours": 24,
            "feed": {
                "market": [MARKET],
                "last_event": [_now()],
                "price": [60_000.0],
                "mode": ["active"],
                "position": ["long 0.01 at 60000"],
                "order": ["–"],
                "report": ["–"],
                "gaps": [1],
                "disconnects": [2],
                "rejects": [1],
                "late": [0],
                "repeated": [3],
                "last_gap": [end - 3 * _MINUTE],
            },
        },
        "book": {
            "book": {
                "time": end,
                "source": "log",
                "bids": [[59_999.5 - k / 2, 0.1 * (k + 1)] for k in range(10)],
                "asks": [[60_000.5 + k / 2, 0.15 * (k + 1)] for k in range(10)],
            }
        },
    }


if __name__ == "__main__":
    with MadeUp().served(8123) as address:
        print(address)  # noqa: T201 - to look at the page by hand
        threading.Event().wait()
