"""What somebody asks for, made into a deployment; what cannot be is refused with what can."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploy import simulated
from infra.deploy.asked import code_of, markets_of, source_of
from infra.deploy.deployment import DeployError
from infra.trading.switches import Broker
from schemas.mendable import Mendable
from tests.infra.rig import SMA


@pytest.mark.parametrize(
    ("source", "broker", "told"),
    [
        ("tape", Broker.PAPER, "say simulate, replay:FILE"),
        ("replay", Broker.PAPER, "say simulate, replay:FILE"),
        ("exchange:", Broker.PAPER, "exchange:NAME such as exchange:binance"),
        ("kafka:x", Broker.PAPER, "or kafka"),
        ("replay:gone.parquet", Broker.PAPER, "no such file"),
        ("simulate", Broker.SANDBOX, "is no market to send orders to"),
        ("replay:x.parquet", Broker.LIVE, "leave --broker out"),
    ],
)
def test_a_source_that_cannot_be_is_refused(source: str, broker: Broker, told: str) -> None:
    with pytest.raises(Mendable, match=told):
        source_of(source, broker)


def test_a_recording_is_known_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ticks.csv").write_text("ts,price,size\n")
    monkeypatch.chdir(tmp_path)
    assert source_of("replay:ticks.csv", Broker.PAPER) == f"replay:{tmp_path / 'ticks.csv'}"
    assert source_of("kafka", Broker.LIVE) == "kafka"


def test_markets_are_those_named_else_those_of_the_flow_else_those_of_the_source(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        'MARKETS = ["binance:BTC/USDT", "okx:A/B"]\n\n\ndef strategy(tape):\n    return tape\n'
    )
    assert markets_of("", "exchange:binance", own) == ("binance:BTC/USDT",)
    assert markets_of("X/Y, binance:A/B:B", "exchange:binance", own) == (
        "binance:A/B:B", "binance:X/Y",
    )  # fmt: skip
    # What is simulated never has the name of a real one: they share a log.
    assert markets_of("", "simulate", own) == ("sim:A/B", "sim:BTC/USDT")
    assert markets_of("okx:C/D", "simulate", own) == ("sim:C/D",)
    assert markets_of("", "simulate", SMA) == simulated.MARKETS
    assert markets_of("", "kafka", own) == ()


@pytest.mark.parametrize(
    ("markets", "told"),
    [("", r"--markets okx:BTC/USDT, or write MARKETS"), ("binance:A/B", "not of okx")],
)
def test_an_exchange_is_not_asked_for_markets_that_it_has_not(markets: str, told: str) -> None:
    with pytest.raises(DeployError, match=told):
        markets_of(markets, "exchange:okx", SMA)


def test_which_code_it_is_is_told_by_git_or_by_the_image() -> None:
    here = code_of(SMA, {})
    assert len(here["flow"]) == 12
    assert len(here["revision"]) in (0, 40)  # a copy without its history has none
    assert code_of(SMA, {"TAPEDECK_REVISION": "abc"})["revision"] == "abc"
