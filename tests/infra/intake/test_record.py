"""`deck record`: as a user runs it, beside others who write the log, and against a stand-in."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from connectors.log.tail import last_trades
from connectors.recordings.replay import Replay
from connectors.recordings.stretch import archived
from infra.intake import record as command
from infra.intake.once import once
from infra.lock import Lock
from infra.log.log import MarketLog
from infra.running.signals import Stop
from infra.settings import Settings
from schemas import Command, Event, Heartbeat, Instrument, Trades
from schemas.wire import encode
from tests.connectors.recording_rig import play
from tests.infra.rig import Rig, until
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

A, B = "okx:A/USD", "okx:B"
MARKET, TOPIC = "binance:BTC/USDT", "spot:BTCUSDT@trade"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    log_of(rig).stop()


def log_of(rig: Rig) -> MarketLog:
    return MarketLog(Settings(rig.home))


def put(rig: Rig, *events: Event) -> None:
    with closing(log_of(rig).client()) as client:
        for event in events:
            client.append(event.market, encode(event))


def ids(tape: list[Event]) -> list[int]:
    found = [event.id for event in tape if isinstance(event, Trades) and event.id is not None]
    return np.concatenate(found).tolist() if found else []


class Soon(Stop):
    """Is set when it has been looked at a few times."""

    looks = 3

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


@pytest.fixture
def deck(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a way to run the command here, for a moment."""
    monkeypatch.setattr(command, "Stop", Soon)
    monkeypatch.setenv("TAPEDECK_HOME", str(rig.home))
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    app = Typer()
    app.command()(command.record)

    def run(*options: str, status: int = 0) -> Result:
        said = CliRunner().invoke(app, ["--to", str(rig.home / "rec"), *options])
        assert said.exit_code == status, said
        return said

    return run


def test_the_log_is_recorded_from_its_beginning_and_gone_on_with(
    rig: Rig, deck: Callable[..., Result]
) -> None:
    put(rig, Heartbeat(A, 1), Command(A, 2, "halt"), Heartbeat(B, 3))
    said = deck()
    assert said.stderr == ""
    assert f"replay it: deck replay FLOW --data {rig.home}/rec\n" in said.stdout
    put(rig, Heartbeat(A, 4))
    with rig.started("record", "--to", "rec") as process:
        assert until(process, lambda: any(rig.home.glob("rec/*.part")))
        process.kill()
    assert "other" in deck().stdout
    found = play(lambda: Replay([rig.home / "rec"]))
    assert {market: [event.ts for event in tape] for market, tape in found.items()} == {
        A: [1, 4], B: [3],
    }  # fmt: skip
    with closing(log_of(rig).log()) as log:
        ends = archived(rig.home / "rec")
        assert ends == {name: log.bounds(name).end for name in ends}


def test_private_events_are_recorded_when_asked_for(rig: Rig, deck: Callable[..., Result]) -> None:
    put(rig, Command(A, 2, "halt"))
    said = deck()
    assert "nothing was recorded to" in said.stderr
    assert "replay it" not in said.stdout
    deck("--private")
    [event] = play(lambda: Replay([rig.home / "rec"]))[A]
    assert isinstance(event, Command)


def test_two_recorders_in_one_directory_are_refused(rig: Rig, deck: Callable[..., Result]) -> None:
    (rig.home / "rec").mkdir()
    with closing(Lock(rig.home / "rec" / ".lock")):
        said = deck(status=1)
    assert "rec: another deck record is at work there; stop it, or name another" in said.stderr
    deck()


@pytest.mark.parametrize("doing", ["ingest", "record"])
def test_a_market_that_is_taken_in_already_is_refused(rig: Rig, doing: str) -> None:
    rig.environment["EXCHANGE_URLS"] = "binance=http://127.0.0.1:9 okx=http://127.0.0.1:9"
    taking = [doing, *(["--to", rig.home / "rec"] if doing == "record" else ["--no-history"])]
    with once(["okx:ETH/USDT", MARKET], Settings(rig.home), kafka=False):
        said = rig.deck(*taking, "--markets", f"{MARKET},okx:BTC/USDT", status=1)
    assert f"--markets {MARKET}: another deck ingest or deck record takes that" in said.err
    assert "okx:BTC/USDT" not in said.err
    with once([MARKET], Settings(rig.home), kafka=False):
        pass  # whoever was refused holds nothing


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--kafka"], "--kafka: set KAFKA_BOOTSTRAP"),
        (["--markets", "BTC/USDT"], "write EXCHANGE:SYMBOL"),
        (["--markets", "binanc:BTC/USDT"], "cannot stream from an exchange 'binanc'"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    deck: Callable[..., Result], options: list[str], why: str
) -> None:
    said = deck(*options, status=1)
    assert said.stderr.startswith("error: ")
    assert why in said.stderr
    assert said.stderr.count("\n") == 1


def test_markets_are_taken_in_and_a_crash_loses_and_doubles_nothing(rig: Rig) -> None:
    put(rig, Heartbeat(MARKET, 1))  # what the log has already is left out
    with BinanceStandIn([made(900)]) as exchange:
        rig.environment["EXCHANGE_URLS"] = f"binance={exchange.url}"
        for upto, end in ((300, signal.SIGKILL), (600, signal.SIGTERM), (900, signal.SIGINT)):
            exchange.wait(lambda: not exchange.listeners(TOPIC))
            with rig.started("record", "--to", "rec", "--markets", MARKET) as process:
                assert until(process, lambda: exchange.listeners(TOPIC) > 0)
                exchange.play_until(trade=upto)
                assert until(process, lambda: newest(rig) == str(upto))  # noqa: B023 - used at once
                process.send_signal(end)
                assert process.wait() == (0 if end != signal.SIGKILL else -end)
            exchange.play_until(trade=min(upto + 50, 900))
    [tape] = play(lambda: Replay([rig.home / "rec"])).values()
    found = ids(tape)
    assert found == [*range(found[0], 901)]
    assert isinstance(tape[0], Instrument)


def newest(rig: Rig) -> str | None:
    with closing(log_of(rig).log()) as log:
        found = last_trades(log, [MARKET])
    return found[MARKET].last.id if found else None
