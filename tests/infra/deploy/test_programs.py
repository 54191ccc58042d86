"""Which programs deployments need, and what they are given of our variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploy import programs, simulated
from infra.deploy.deployment import Deployment, Place
from infra.deploy.programs import executor, feeds, parent, servers
from infra.settings import Settings

SETTINGS = Settings(Path("/home/deck"))


def asked(name: str, source: str, *markets: str, **options: str) -> Deployment:
    return Deployment(name, f"/flows/{name}.py", source, markets=markets, options=options)


def test_an_exchange_is_fed_once_with_all_markets_that_somebody_wants() -> None:
    found = feeds(
        [
            asked("a", "exchange:okx", "okx:A/B", "okx:C/D"),
            asked("b", "exchange:okx", "okx:A/B", "okx:E/F"),
            asked("c", "exchange:binance", "binance:A/B"),
            asked("d", "simulate"),
            asked("e", "simulate"),
            asked("f", "replay:/x.parquet"),
            asked("g", "kafka"),
        ],
        SETTINGS,
    )
    told = {program.name: program.arguments[-1] for program in found}
    assert told == {
        "ingest-okx": "okx:A/B,okx:C/D,okx:E/F", "ingest-binance": "binance:A/B",
        "simulate": "infra.deploy.simulated", "replay-f": "f",
    }  # fmt: skip
    assert all(programs.is_feed(name) for name in told)
    # A rehearsal that has fed all is not begun again by the supervisor.
    assert {program.name for program in found if not program.again} == {"replay-f"}


def test_a_recording_that_was_fed_to_its_end_is_not_fed_again(tmp_path: Path) -> None:
    place = Place(tmp_path, "f")
    place.directory.mkdir(parents=True)
    rehearsal = asked("f", "replay:/x.parquet")
    assert [program.name for program in feeds([rehearsal], Settings(tmp_path))] == ["replay-f"]
    place.fed.touch()
    assert not feeds([rehearsal], Settings(tmp_path))


def test_only_who_sends_orders_is_given_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_ACCOUNT_MAIN_KEY", "the-key-itself")
    monkeypatch.setenv("EXCHANGE_URLS", "okx=http://localhost:1")
    live = Deployment("x", "/x.py", "kafka", "live", "main")
    sends = executor(live, SETTINGS)
    assert sends is not None
    assert sends.kept["TAPEDECK_ACCOUNT_MAIN_KEY"] == "the-key-itself"
    assert "the-key-itself" not in repr(sends)
    assert sends.arguments[-1] == "--kafka"
    for program in (parent(live, SETTINGS), *servers(live, SETTINGS), *feeds([live], SETTINGS)):
        assert "the-key-itself" not in program.kept.values()
        assert program.kept["EXCHANGE_URLS"] == "okx=http://localhost:1"
        assert program.kept["TAPEDECK_HOME"] == "/home/deck"
    limits = {"executor": "--daily-loss 200 --max-positions 3"}
    limited = executor(Deployment("x", "/x.py", "kafka", "live", "main", options=limits), SETTINGS)
    assert limited is not None
    assert limited.arguments[-4:] == ("--daily-loss", "200", "--max-positions", "3")
    assert executor(asked("x", "simulate"), SETTINGS) is None


def test_there_are_servers_for_what_is_embedded_only() -> None:
    def names(deployment: Deployment, settings: Settings = SETTINGS) -> list[str]:
        return [program.name for program in servers(deployment, settings)]

    assert names(asked("x", "simulate")) == ["log", "history"]
    assert names(asked("x", "simulate", history="no")) == ["log"]
    assert names(asked("x", "kafka")) == ["history"]
    assert names(asked("x", "kafka"), Settings(Path("/x"), "http://me@host")) == []
    real = Deployment("x", "/x.py", "exchange:okx", "sandbox", "main")
    assert names(real) == ["log", "orders", "history"]


def test_a_plan_keeps_its_beginning_and_markets_are_added_to_it(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    first = asked("a", "simulate", "sim:A/B")
    assert programs._plan([first], settings)
    before = simulated.load(tmp_path)
    assert not programs._plan([first], settings)
    assert programs._plan([first, asked("b", "simulate", "sim:C/D", speed="60")], settings)
    after = simulated.load(tmp_path)
    assert before is not None
    assert after is not None
    assert (before.markets, before.speed) == (("sim:A/B",), 1.0)
    assert (after.markets, after.speed) == (("sim:A/B", "sim:C/D"), 60.0)
    assert after.begin == before.begin
    assert after.tape_time(after.anchor) == before.tape_time(after.anchor)  # it goes on, faster
    slow = asked("b", "simulate", "sim:C/D")
    assert programs._plan([slow], settings)
    slower = simulated.load(tmp_path)
    assert slower is not None
    assert slower.tape_time(slower.anchor) == after.tape_time(slower.anchor)
    assert Place(tmp_path, "a").load() is None
