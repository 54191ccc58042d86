"""Taking markets in: exchanges into the log, and the log into history, divided among processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field

from typing_extensions import Self

from connectors.disk import DiskError, kept
from connectors.exchange.exchange import Exchange
from connectors.exchange.late_trades import LateTrades
from connectors.exchange.rest_trades import Traded
from connectors.exchange.source import ExchangeSource
from connectors.exchange.venue import NOTHING, Asks
from connectors.feed.feed import Counts
from connectors.history.from_log import Archivist
from connectors.log.log import LogError
from connectors.log.sink import LogSink
from connectors.log.tail import last_trades
from connectors.venue.venue import VenueError, split
from flows.ingest import ingest
from infra.history.history import writer
from infra.lock import Busy, Lock
from infra.log.places import Place
from infra.metrics.gauges import Spread, Stopwatch
from infra.running import engine
from infra.settings import Settings

_LOOK_SECONDS = 0.5
_SETTLED = ":"
"""ccxt's names of contracts end with what they settle in, such as `BTC/USDT:USDT`."""


@dataclass(frozen=True)
class Intake:
    """What is taken in, and where it goes. It pickles, so that each process can be told.

    Parameters
    ----------
    place
        The log.
    markets
        Full names.
    processes
        How many divide the markets among them.
    asks
        Which numbers to ask the exchanges for, too.
    history
        Whether history keeps what the log gets.

    Raises
    ------
    VenueError
        When a market has no full name; when numbers are asked for, and no market is a contract.

    """

    place: Place
    markets: tuple[str, ...]
    processes: int = 1
    asks: Asks = NOTHING
    history: bool = True
    settings: Settings = field(default_factory=Settings.from_environment)

    def __post_init__(self) -> None:
        symbols = [split(market)[1] for market in self.markets]
        if self.asks.series and not any(_SETTLED in symbol for symbol in symbols):
            raise VenueError(
                f"{', '.join(self.markets)}: there is no {' or '.join(self.asks.series)} of what "
                f"is no contract, such as binance:BTC/USDT:USDT"
            )


@dataclass
class Taken:
    """How far a process is."""

    counts: dict[str, Counts]
    """What happened to each market so far."""
    trouble: str | None = None
    """Why history has not got all of it yet."""
    away: list[str] = field(default_factory=list)
    """What is not taken in at present, and why."""
    logged: Spread | None = None
    """How long the log took to keep each batch."""


class Taking:
    """One process's share: every so many-th market; and of the log what nobody else keeps.

    Parameters
    ----------
    intake
        What is taken in.
    number
        Which of its processes this is.

    """

    def __init__(self, intake: Intake, number: int = 0) -> None:
        self.intake = intake
        self.markets = sorted(intake.markets)[number :: intake.processes]
        self._source = ExchangeSource(self._exchange, self._started)
        self._running: Exchange | None = None
        self._logged = Stopwatch()
        self._keeping = _Keeping(intake, number) if intake.history else None

    def at(self) -> Taken:
        """Return how far it is."""
        trouble = self._keeping.trouble if self._keeping else None
        if self._running is None:
            return Taken({}, trouble)
        running = self._running
        return Taken(running.counts, trouble, running.troubles, self._logged.spread())

    def stop(self) -> None:
        """Let it end when all that came is in the log, and history has it."""
        self._source.stop()

    def run(self) -> Taken:
        """Take in until `stop`.

        Raises
        ------
        LogError
            When the log does not take it.
        VenueError
            When a market cannot be taken in.

        """
        flow = ingest(self._source, LogSink(self.intake.place.appender, self._logged.note))
        if self._keeping is None:
            engine.run(flow, None)
        else:
            with self._keeping:
                engine.run(flow, None)
        return self.at()

    def _exchange(self) -> Exchange:
        with closing(self.intake.place.log()) as log:
            last = last_trades(log, self.markets)
        settings, asks = self.intake.settings, self.intake.asks
        return Exchange(
            self.markets, settings.exchange_urls, last, keys=settings.exchange_keys, asks=asks
        )

    def _started(self, exchange: Exchange) -> None:
        self._running = exchange
        if self._keeping is not None:
            self._keeping.late = exchange.late


class _Keeping:
    """Keeps the log in history beside the flow, if no other process does; and what came too late.

    What goes wrong here stops nothing: the log has it, and whoever keeps it next goes on there.
    """

    def __init__(self, intake: Intake, number: int) -> None:
        self.late: Callable[[], list[tuple[str, list[Traded]]]] = list
        """Gives the trades that came too late for the tape."""
        self._place, self._connect = intake.place, writer(intake.settings)
        self._home = intake.settings.home / "ingest"
        self._aside = self._home / f"late-{number}-of-{intake.processes}"
        self._archivist: Archivist | None = None
        self._late: LateTrades | None = None
        self._failed: str | None = None
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=work, name="history", daemon=True)
            for work in (self._keep, self._put_aside)
        ]

    @property
    def trouble(self) -> str | None:
        """Why history has not got all of it, if it has not."""
        keepers = (self._archivist, self._late)
        return self._failed or next((k.trouble for k in keepers if k and k.trouble), None)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _keep(self) -> None:
        """Keep the log, as soon as no other process does."""
        with self._told(), ExitStack() as held:
            with kept("what history has of the log", self._home):
                self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
            while not self._alone(held):
                if self._stopped.wait(_LOOK_SECONDS):
                    return
            log = held.enter_context(closing(self._place.log()))
            dead = self._place.dead_letters()
            if dead is not None:
                held.callback(dead.close)
            self._archivist = Archivist(log, self._connect, self._home, dead=dead)
            self._archivist.run(self._stopped)

    def _alone(self, held: ExitStack) -> bool:
        with suppress(Busy):
            held.callback(Lock(self._home / "lock").close)
            return True
        return False

    def _put_aside(self) -> None:
        """Keep what came too late."""
        with self._told():
            aside = self._late = LateTrades(self._connect, self._aside)
            over = False
            while not over:
                over = self._stopped.wait(_LOOK_SECONDS)
                for market, trades in self.late():
                    aside.put(market, trades)
            aside.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (LogError, DiskError) as error:
            self._failed = str(error)
