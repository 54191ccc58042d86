"""Where results are kept: an embedded ClickHouse, or a real one, behind the same client."""

import http.client
import time
from contextlib import closing, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

import clickhouse_connect
import typer
from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.history.clickhouse import UNREACHABLE, Connect, reason, refusal
from infra.background import StartError, end, ended, spawn
from infra.history import migrate
from infra.history.guard import Role
from infra.history.home import DATABASE, DRAIN, FINAL, HistoryError, Home, explained, told
from infra.history.keep import LARGE, keep, kept_days
from infra.listed import listed
from infra.running.scratch import drain
from infra.settings import Settings

_STOP = DRAIN + 10.0
_PATIENCE = 300
_OWN = "__default__"
"""What clickhouse-connect calls the database a user has by default."""

_PORTS = {"http": 8123, "https": 8443}

app = typer.Typer(help="Ask what history keeps; start and stop the embedded ClickHouse.")


class History:
    """The history of one home directory, or of the server that `CLICKHOUSE_URL` names.

    Parameters
    ----------
    settings
        None reads the environment.

    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self.home = Home(self.settings.home / "history")
        self._ready = False

    def start(self) -> None:
        """Have it run with all its tables: start the embedded server if it does not, migrate.

        Of several that start it at once, one does, and the others find it running.
        """
        if self._ready and (self.settings.clickhouse_url or self._port()):
            return
        if self.settings.clickhouse_url:
            self._make_database()
            with closing(self._remote()) as client:
                migrate.run(client)
        else:
            self.home.prepare()
            with self.home.turn():
                self.home.make_users()
                self._spawn_if_down()
                with closing(self._local("owner")) as client:
                    migrate.run(client)
        self._ready = True

    def stop(self) -> bool:
        """Stop the embedded server when its statements are done; whether one ran."""
        if not self.home.path.exists():
            return False
        with self.home.turn():
            running = self.home.running()
            if running is None:
                return False
            end(running.pid, _STOP)
            return True

    def status(self) -> str:
        """Say in one line whether it is up."""
        if self.settings.clickhouse_url:
            url = self._url()
            port = url.port or _PORTS[url.scheme]
            up = _answers(url.hostname or "", port, url.scheme == "https")
            return f"history: {url.hostname}:{port} {'answers' if up else 'does not answer'}"
        running = self.home.running()
        if running is None:
            return f"history: down · {self.home.path}"
        if running.port is None:
            return f"history: starting or stopping · pid {running.pid} · {self.home.path}"
        if not _answers("127.0.0.1", running.port):
            return f"history: up, but does not answer · pid {running.pid} · {self.home.path}"
        since = datetime.fromtimestamp(running.since, timezone.utc)
        return (
            f"history: up · http://127.0.0.1:{running.port} · pid {running.pid} · since "
            f"{since:%Y-%m-%d %H:%M} UTC · ClickHouse {running.version} · "
            f"{self.home.size() / 1e6:,.1f} MB in {self.home.path}"
        )

    def client(self, role: Role, *, start: bool = True, seconds: int = _PATIENCE) -> Client:
        """Return a client of the running history; threads may share it.

        Parameters
        ----------
        role
            `reader`, `writer` or `owner`. A real server knows only the user of its URL.
        start
            Start it if it does not run; else that is an error.
        seconds
            How long to wait for an answer.

        """
        if start:
            self.start()
        if self.settings.clickhouse_url:
            return self._remote(seconds=seconds)
        return self._local(role, seconds)

    def _port(self) -> int | None:
        running = self.home.running()
        return running.port if running else None

    def _local(self, role: Role, seconds: int = _PATIENCE) -> Client:
        if not (port := self._port()):
            raise HistoryError("history is not running: deck history start")
        password = self.home.password(role)
        return _connect("http", "127.0.0.1", port, role, password, DATABASE, seconds)

    def _remote(self, database: str | None = None, seconds: int = _PATIENCE) -> Client:
        """Connect to `CLICKHOUSE_URL`, in its own database or ours if it names none."""
        url = self._url()
        client = _connect(
            url.scheme,
            url.hostname or "",
            url.port or _PORTS[url.scheme],
            unquote(url.username or "default"),
            unquote(url.password or ""),
            database or url.path.strip("/") or DATABASE,
            seconds,
        )
        for name, value in FINAL.items():
            if name in client.server_settings:  # an old server may not know it
                client.set_client_setting(name, value)
        return client

    def _url(self) -> SplitResult:
        """Return `CLICKHOUSE_URL`; what is wrong with it is told without it: it has a password."""
        with suppress(ValueError):
            url = urlsplit(self.settings.clickhouse_url or "")
            if url.scheme in _PORTS and url.hostname and url.port != 0:
                return url
        raise HistoryError(
            "CLICKHOUSE_URL must be like https://user:password@host:8443/database; in a password, "
            "/ is %2F, # is %23, ? is %3F and @ is %40"
        )

    def _make_database(self) -> None:
        """Make our database on a real server, if it is not there."""
        name = self._url().path.strip("/") or DATABASE
        with closing(self._remote(_OWN)) as client:
            there = "SELECT count() FROM system.databases WHERE name = {name:String}"
            if not client.command(there, parameters={"name": name}):
                client.command(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(name)}")

    def _spawn_if_down(self) -> None:
        """Start the server, unless it runs; wait for one that is starting or stopping."""
        deadline = time.monotonic() + _STOP
        while (running := self.home.running()) and running.port is None:
            if time.monotonic() > deadline:
                raise HistoryError(
                    f"history neither starts nor stops: kill {running.pid}, try again"
                )
            ended(running.pid, 1.0)
        if running is None:
            with explained(self.home.path):
                self._spawn()

    def _spawn(self) -> None:
        try:
            spawn("infra.history.server", [str(self.home.path)], self.home.path)
        except StartError as error:
            raise HistoryError(_cannot_start(self.home.path, str(error))) from None


def client(role: Role, settings: Settings | None = None) -> Client:
    """Return a client of the history the settings name, started if need be."""
    return History(settings).client(role)


def writer(settings: Settings) -> Connect:
    """Return what connects to history, to write."""

    def connect() -> Client:
        try:
            return client("writer", settings)
        except HistoryError as error:
            raise ConnectionError(str(error)) from error

    return connect


def _connect(
    scheme: str, host: str, port: int, user: str, password: str, database: str, seconds: int
) -> Client:
    try:
        return clickhouse_connect.get_client(
            interface=scheme,
            host=host,
            port=port,
            username=user,
            password=password,
            database=database,
            compress=host not in {"127.0.0.1", "localhost"},
            settings={"final": 1},
            tz_mode="aware",
            autogenerate_session_id=False,
            client_name="tapedeck",
            send_receive_timeout=seconds,
            dedicated_pool=True,  # so that closing the client closes its sockets
        )
    except ClickHouseError as error:
        raise HistoryError(f"ClickHouse at {host}:{port}: {reason(error)}") from None


def _answers(host: str, port: int, tls: bool = False) -> bool:
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    connection = kind(host, port, timeout=3)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _cannot_start(home: Path, why: str) -> str:
    if "No space left" in why or "NOT_ENOUGH_SPACE" in why:
        return f"the disk is full at {home}: free some space, or set TAPEDECK_HOME ({why})"
    return (
        f"history does not start: {why}\nIf its files are damaged, move {home} away and start "
        f"again; {home / 'server.log'} says more."
    )


@app.command("start")
def start_command() -> None:
    """Start it, if it does not run."""
    history = History()
    with told():
        history.start()
    typer.echo(history.status())


@app.command("stop")
def stop_command() -> None:
    """Stop it, when what it is doing is done."""
    history = History()
    with told():
        stopped = history.stop()
    typer.echo("history: stopped" if stopped else history.status())


@app.command("keep")
def keep_command(
    days: Annotated[int, typer.Option(min=0, help="By the events' stamps; 0 is for ever.")],
    tables: Annotated[
        str, typer.Option(help=f"Of {', '.join(LARGE)}; with commas between.")
    ] = "trades,books",
) -> None:
    """Let what came from exchanges go when it is old; what runs concluded stays."""
    with told(), closing(client("owner")) as owner:
        keep(owner, days, list(listed(tables)))
        for name in LARGE:
            kept = kept_days(owner).get(name)
            typer.echo(f"{name}: {f'{kept} days' if kept else 'for ever'}")


@app.command("drain")
def drain_command() -> None:
    """Take in the rows that runs had to leave on disk."""
    settings = Settings.from_environment()
    with told():
        try:
            moved, refused = drain(settings.home, writer(settings))
        except UNREACHABLE as error:
            raise HistoryError(
                f"history cannot be reached ({reason(error)}): the rows wait"
            ) from error
    why = f"; {refusal(refused)}" if refused else ""
    typer.echo(f"history took in {moved} blocks of rows that earlier runs had left on disk{why}")


@app.command("status")
def status_command() -> None:
    """Say in one line whether it is up."""
    with told():
        typer.echo(History().status())
