"""`deck replay --as`: what a run that traded has read gives the same conclusions again.

That of a run whose orders went out is compared behind the kills of `test_killed.py`.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest

from connectors.log.file import FILE
from infra.log.log import MarketLog
from infra.recovery.starts import Start
from infra.recovery.store import StoreError
from infra.running.problems import ReplayError
from infra.running.replay import replay
from infra.running.sources import FromLog
from infra.running.worker import Job
from infra.settings import Settings
from infra.verify.past_run import PastRun, find
from tests.infra.nursery import Nursery, stop
from tests.infra.rig import Rig
from tests.infra.trading_rig import MARKETS, OFTEN, Feed, count, feed

NAME = "often-paper"
TRADE = ("trade", "often.py", "--no-history", "--events", "live.jsonl")


@dataclass(frozen=True)
class Past:
    """A run on paper that was killed twice, went on, and was stopped."""

    home: Path
    midway: Job
    """What replays it, as it was known while it was at work."""

    @property
    def settings(self) -> Settings:
        return Settings(self.home)

    @property
    def run(self) -> PastRun:
        return find(NAME, self.settings)

    @property
    def live(self) -> list[bytes]:
        """The events that it wrote."""
        return (self.home / "live.jsonl").read_bytes().splitlines()

    def again(self, out: Path, log: Path | None = None, processes: int = 1) -> list[bytes]:
        """Replay it, of a log that is not its own if one is given."""
        job = self.run.job(self.home / "often.py", FromLog(log))
        job = replace(job, processes=processes, settings=self.settings)
        replay(job, None, out, lambda _: None)
        return out.read_bytes().splitlines()

    def copy_of_log(self, to: Path, *changes: str) -> Path:
        """Return a copy of the log in which something was changed."""
        shutil.copytree(MarketLog(self.settings).directory, to)
        with closing(sqlite3.connect(to / FILE)) as file, file:
            for change in changes:
                assert file.execute(change).rowcount > 0
        return to


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    home = tmp_path_factory.mktemp("past")
    (home / "often.py").write_text(OFTEN)
    store, nursery = home / "trading" / NAME, Nursery(home, {})
    with feed(Rig(home)) as market:
        for _ in range(10):
            market.second()
        for _ in range(2):
            killed = nursery.start(*TRADE, "--warm-up", "5s")
            closed_more(market, store)
            killed.kill()
            killed.join()
        process = nursery.start(*TRADE)  # how much was read first is known from its first start
        closed_more(market, store)
        midway = find(NAME, Settings(home)).job(home / "often.py")
        closed_more(market, store)
        stop(process, nursery.said)
        for _ in range(5):
            market.second()  # nobody has read these
    return Past(home, replace(midway, settings=Settings(home)))


def closed_more(market: Feed, store: Path) -> None:
    known = count(store, "Closed")
    market.until(lambda: count(store, "Closed") > known + 2)


def test_of_a_run_at_work_it_is_what_was_kept_till_then(past: Past, tmp_path: Path) -> None:
    out = tmp_path / "midway.jsonl"
    replay(past.midway, None, out, lambda _: None)
    events = out.read_bytes().splitlines()
    for market in MARKETS:
        known = [line for line in events if market.encode() in line]
        live = [line for line in past.live if market.encode() in line]
        assert known == live[: len(known)]
        assert 0 < len(known) < len(live)


def test_what_it_read_gives_the_same_events_to_the_last_byte(past: Past, tmp_path: Path) -> None:
    rig, again = Rig(past.home), tmp_path / "again.jsonl"
    for name in (NAME, past.run.run[:8], past.home / "trading" / NAME):
        said = rig.deck("replay", "often.py", "--as", name, "--events", again)
        assert again.read_bytes() == (past.home / "live.jsonl").read_bytes()
        assert "other code" not in said.err
    kinds = {orjson.loads(line)["type"] for line in past.live}
    assert kinds >= {"Candle", "Averages", "Signal", "Order", "Fill", "Opened", "Closed"}


def test_so_do_two_processes_and_small_batches(past: Past, tmp_path: Path) -> None:
    assert past.again(tmp_path / "again.jsonl", processes=2) == past.live


def test_a_trade_that_was_changed_in_the_log_changes_the_events_from_there_on(
    past: Past, tmp_path: Path
) -> None:
    changed = "replace(message, '\"size\":[1.0,1.0]', '\"size\":[1.0,1.5]')"
    log = past.copy_of_log(
        tmp_path / "log",
        f"UPDATE messages SET message = CAST({changed} AS BLOB) WHERE place = "
        f"(SELECT place FROM messages WHERE market = '{MARKETS[0]}' "
        f"AND CAST(message AS TEXT) LIKE '%Trades%' ORDER BY place DESC LIMIT 1 OFFSET 15)",
    )
    again = past.again(tmp_path / "again.jsonl", log)
    pairs = zip(again, past.live, strict=True)
    [(ours, theirs)] = [(orjson.loads(a), orjson.loads(b)) for a, b in pairs if a != b]
    assert (ours["type"], ours["volume"]) == ("Candle", theirs["volume"] + 0.5)


def test_what_retention_has_taken_is_told(past: Past, tmp_path: Path) -> None:
    log = past.copy_of_log(
        tmp_path / "log",
        "UPDATE partitions SET first = min(end, 30)",
        f"DELETE FROM messages WHERE place & {2**48 - 1} < 30",
    )
    with pytest.raises(ReplayError, match="messages from offset 0 on are gone, for retention"):
        past.again(tmp_path / "again.jsonl", log)


def test_another_log_is_told(past: Past, tmp_path: Path) -> None:
    log = past.copy_of_log(tmp_path / "log", "UPDATE log SET id = 'other'")
    with pytest.raises(ReplayError, match="this log has other/0: name the log that it read"):
        past.again(tmp_path / "again.jsonl", log)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--as", "nowhere"), "--as nowhere: is no run, deployment or store; there are "),
        (("--as", NAME, "--fees", "0"), "--fees --as often-paper: a run is replayed as it was"),
        (("--as", NAME, "--data", "x"), "--data --as often-paper: a run is replayed as it was"),
        (("--as", NAME, "--check"), "was kept out of history; compare its --events, cmp"),
        (("--check",), "--check: compares with what history keeps of a run; name it, --as RUN"),
    ],
)
def test_what_cannot_be_is_refused(past: Past, options: tuple[str, ...], told: str) -> None:
    assert told in Rig(past.home).deck("replay", "often.py", *options, status=1).err


def test_another_flow_and_a_store_of_a_replay_are_refused(past: Past, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(OFTEN)
    with pytest.raises(StoreError, match="is one of often, not other"):
        past.run.job(other)
    (tmp_path / "run.json").write_bytes(
        (past.home / "trading" / NAME / "run.json").read_bytes().replace(b"--broker", b"--other")
    )
    with pytest.raises(StoreError, match="is of deck replay: only a run of deck trade"):
        find(str(tmp_path), past.settings)


def test_a_flow_that_was_edited_since_is_told_and_replayed_as_it_is(
    past: Past, tmp_path: Path
) -> None:
    flow, out = tmp_path / "often.py", tmp_path / "again.jsonl"
    flow.write_text(OFTEN.replace('often")', 'seldom")'))
    said = Rig(past.home).deck("replay", flow, "--as", NAME, "--events", out)
    assert "the run had other code (" in said.err
    assert out.read_text().replace("seldom", "often").splitlines() == [
        line.decode() for line in past.live
    ]


def test_each_code_that_a_run_had_is_told(past: Past) -> None:
    run = past.run
    [start] = run.starts
    assert run.differs(start.flow) is None
    assert start.since == "5s"
    assert f"({start.flow} of Tapedeck {start.tapedeck})" in (run.differs("7777") or "")
    assert Start.now("7777", "").tapedeck == start.tapedeck
