"""Markets that were asked for, and that the tape has not."""

from __future__ import annotations

from pathlib import Path

from infra.running.sources import Files
from infra.running.unmet import unmet
from infra.running.worker import Job

FLOW, DATA = Path("cross.py"), (Path("ticks.csv"),)


def test_a_symbol_that_the_data_has_not_is_told_with_what_was_concluded() -> None:
    job = Job(FLOW, Files(DATA, {"BTX": "okx:BTC/USDT", "ETH": "okx:ETH/USDT"}))
    assert list(unmet(job, {"okx:ETH/USDT": 1, "file:BTC": 2})) == [
        "--market BTX=okx:BTC/USDT: is there a BTX in the data? "
        "concluded was something of file:BTC, okx:ETH/USDT"
    ]


def test_a_wanted_market_that_the_tape_has_not_is_told() -> None:
    job = Job(FLOW, Files(DATA), markets=("okx:BTC/USDT", "okx:ETC/USDT"))
    assert list(unmet(job, {"okx:BTC/USDT"})) == [
        "--markets okx:ETC/USDT: is that on the tape? concluded was something of okx:BTC/USDT"
    ]
    assert not list(unmet(job, {"okx:BTC/USDT", "okx:ETC/USDT"}))


def test_a_time_that_the_tape_has_not_is_told() -> None:
    job = Job(FLOW, Files(DATA), since="2h")
    assert list(unmet(job, set())) == [
        "--since 2h: is that a time of the tape? nothing was read; 2h and 3d count from now"
    ]
    assert not list(unmet(job, {"okx:BTC/USDT"}))


def test_nothing_is_told_where_one_market_is_all_there_is() -> None:
    assert not list(unmet(Job(FLOW, Files(DATA, "okx:BTC/USDT")), set()))
