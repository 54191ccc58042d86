"""`deck backfill`, as a user runs it: a real history, ccxt's real client, a stand-in exchange."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from typer import Typer
from typer.testing import CliRunner, Result

from infra.history.history import History
from infra.intake import backfill
from infra.settings import Settings
from schemas import Position, Trades
from schemas.tables import outside_block
from tests.infra.rig import ROOT, until
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import RawTrade, made

START = 1_723_161_600_000
"""The stand-in's first trade, ms; one follows each 50 ms."""
SINCE = "2024-08-09T00:00"
COUNT = 3_000

app = Typer()
app.command()(backfill.backfill)


@pytest.fixture(scope="module")
def exchange() -> Iterator[BinanceStandIn]:
    captures = [made(COUNT), made(COUNT, kind="usdm"), made(COUNT, symbol="ETHUSDT", first=40)]
    with BinanceStandIn(captures) as standin:
        standin.play_until(line=sum(len(capture.lines) for capture in captures))
        yield standin


@pytest.fixture
def deck(history: History, exchange: BinanceStandIn, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("TAPEDECK_HOME", str(history.settings.home))
    monkeypatch.setenv("EXCHANGE_URLS", f"binance={exchange.url}")
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)
    return CliRunner()


@pytest.fixture
def empty(owner: Client) -> Client:
    for table in ("trades", "backfills"):
        owner.command(f"TRUNCATE TABLE {table}")
    return owner


def run(deck: CliRunner, *arguments: str, status: int = 0) -> Result:
    result = deck.invoke(app, [*arguments])
    assert result.exit_code == status, result.output
    return result


def rows(client: Client, market: str) -> list[tuple[object, ...]]:
    query = """
        SELECT id, toUnixTimestamp64Milli(ts), price, size, side, backfilled FROM trades
        WHERE market = {market:String} ORDER BY toInt64(id)
    """
    return [tuple(row) for row in client.query(query, {"market": market}).result_rows]


def row(trade: RawTrade) -> tuple[object, ...]:
    side = -1 if trade.maker else 1
    return str(trade.id), trade.time, float(trade.price), float(trade.size), side, True


def test_all_trades_of_the_span_are_in_history_and_twice_is_as_good_as_once(
    deck: CliRunner, exchange: BinanceStandIn, empty: Client
) -> None:
    span = ["--since", SINCE, "--until", "2024-08-09T00:02"]
    said = run(deck, "binance:BTC/USDT", *span).stdout
    assert said == (
        "binance:BTC/USDT: history has all trades from 2024-08-09 00:00:00 to "
        "2024-08-09 00:02:00 UTC; 2,400 fetched, 2,400 of them not seen before\n"
    )
    trades = [t for t in exchange.market("spot:BTCUSDT").trades if t.time < START + 120_000]
    assert rows(empty, "binance:BTC/USDT") == [row(trade) for trade in trades]

    again = run(deck, "binance:BTC/USDT", *span).stdout
    assert "0 fetched, 0 of them not seen" in again
    empty.command("TRUNCATE TABLE backfills")
    run(deck, "binance:BTC/USDT", *span)
    assert rows(empty, "binance:BTC/USDT") == [row(trade) for trade in trades]

    longer = run(deck, "binance:BTC/USDT", "--since", "2024-08-09T00:01").stdout
    assert "to 2024-08-09 00:02:29 UTC; 600 fetched" in longer
    assert len(rows(empty, "binance:BTC/USDT")) == COUNT


def test_what_history_has_from_the_log_is_left_out(
    deck: CliRunner, exchange: BinanceStandIn, empty: Client, writer: Client
) -> None:
    logged = [t for t in exchange.market("spot:ETHUSDT").trades if 1_000 <= t.id < 2_000]
    slice_ = Trades.of(
        "binance:ETH/USDT", [t.time * 1_000_000 for t in logged],
        [float(t.price) for t in logged], [float(t.size) for t in logged],
        [-1 if t.maker else 1 for t in logged], [t.id for t in logged], at=Position("p0", 7),
    )  # fmt: skip
    batch = outside_block(Trades, [slice_])
    writer.insert_arrow("trades", pa.Table.from_batches([batch]))
    said = run(deck, "binance:ETH/USDT", "--since", SINCE).stdout
    assert f"{COUNT:,} fetched, 2,000 of them not seen before" in said
    found = rows(empty, "binance:ETH/USDT")
    assert [int(str(name)) for name, *_ in found] == [*range(40, 40 + COUNT)]
    assert sum(not row[-1] for row in found) == 1_000


def test_what_the_exchange_does_not_keep_is_told(deck: CliRunner, empty: Client) -> None:
    result = run(deck, "binance:BTC/USDT:USDT", "--since", SINCE)
    assert "gives trades by REST only back to 2024-08-09 00:01:40 UTC" in result.stderr
    assert "1,000 fetched" in result.stdout
    assert len(rows(empty, "binance:BTC/USDT:USDT")) == 1_000


def test_a_key_is_shown_to_nobody(
    deck: CliRunner, empty: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_KEYS", "binance=sesame")
    span = ["--since", "2024-08-09T00:02", "--until", "2024-08-09T00:02:10"]
    result = run(deck, "binance:BTC/USDT:USDT", *span)
    assert len(rows(empty, "binance:BTC/USDT:USDT")) == 200
    assert "sesame" not in result.output + repr(Settings.from_environment())


def test_an_empty_span_is_said_to_be_one(deck: CliRunner, empty: Client) -> None:
    said = run(deck, "binance:BTC/USDT", "--since", "2025-01-01", "--until", "2025-01-02").stdout
    assert said == (
        "binance:BTC/USDT: no trades from 2025-01-01 00:00:00 to 2025-01-02 00:00:00 UTC\n"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["binance:BTC/USDX", "--since", "2h"], "no market 'BTC/USDX': did you mean BTC/USDT"),
        (["BTC/USDT", "--since", "2h"], "write EXCHANGE:SYMBOL"),
        (["binanc:BTC/USDT", "--since", "2h"], "cannot stream from an exchange 'binanc'"),
        (["binance:BTC/USDT", "--since", "noon"], "time 'noon': write a date or time such as"),
        (["binance:BTC/USDT", "--since", "1h", "--until", "2h"], "is not in front of"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(arguments: list[str], why: str, deck: CliRunner) -> None:
    result = run(deck, *arguments, status=1)
    assert re.fullmatch(rf"error: [^\n]*{re.escape(why)}[^\n]*\n", result.stderr)


def test_failures_are_waited_out(
    deck: CliRunner, exchange: BinanceStandIn, empty: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_DELAYS", (0.01,) * 7)
    exchange.trouble.fail(503, 2)
    result = run(deck, "binance:BTC/USDT", "--since", SINCE)
    assert "binance does not answer (OperationFailed: " in result.stderr
    assert "): again in 0.01 s\n" in result.stderr
    assert len(rows(empty, "binance:BTC/USDT")) == COUNT


def test_an_exchange_that_never_answers_is_given_up(
    deck: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_DELAYS", (0.01,) * 3)
    with BinanceStandIn([made(10)]) as other:
        monkeypatch.setenv("EXCHANGE_URLS", f"binance={other.url}")
        other.trouble.fail(429, 1_000)
        result = run(deck, "binance:BTC/USDT", "--since", SINCE, status=1)
    assert "binance does not answer (DDoSProtection: " in result.stderr
    assert "), 4 times in a row: later, run the same command again" in result.stderr


_HASTY = """
    import sys, typer
    from connectors.exchange import backfill
    from infra.intake.backfill import backfill as command
    backfill._ROWS = 1
    sys.argv[1:] = ["binance:BTC/USDT", "--since", "2024-08-09"]
    typer.run(command)
"""


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_one_that_is_stopped_goes_on_where_it_was(
    way: signal.Signals, deck: CliRunner, exchange: BinanceStandIn, empty: Client
) -> None:
    kept = "SELECT count() FROM backfills WHERE last_id != '1'"
    command = [sys.executable, "-c", textwrap.dedent(_HASTY)]
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    ) as process:
        assert until(process, lambda: bool(empty.command(kept)))
        process.send_signal(way)
        _, said = process.communicate()
    if way == signal.SIGINT:
        assert (process.returncode, "stopped: run the same command again" in said) == (130, True)
    there = len(rows(empty, "binance:BTC/USDT"))
    assert 0 < there < COUNT, "it was not stopped half-way"
    said = run(deck, "binance:BTC/USDT", "--since", "2024-08-09").stdout
    fetched = re.search(r"([\d,]+) fetched", said)
    assert fetched
    assert int(fetched[1].replace(",", "")) <= COUNT - there + 1_000
    assert len(rows(empty, "binance:BTC/USDT")) == COUNT


def test_its_help_says_what_it_wants(deck: CliRunner) -> None:
    said = " ".join(run(deck, "--help").stdout.split())
    for part in ("goes on where it was", "--since", "2h, 3d ago", "binance:BTC/USDT"):
        assert part in said
