"""What `deck trade` misses, and that it says so only as long as it does."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from infra.lock import Lock
from infra.running.sources import FromKafka, FromLog
from infra.running.worker import Job
from infra.settings import Settings
from infra.trading.missing import Missing
from infra.trading.switches import Broker
from infra.trading.trading import Trading, executor_home


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def job(home: Path, *, kafka: bool = False) -> Job:
    origin = FromKafka(follow=True) if kafka else FromLog(None, follow=True)
    return Job(Path("flow.py"), origin, settings=Settings(home))


def test_that_no_executor_runs_is_said_until_one_does_and_when_it_ends(tmp_path: Path) -> None:
    clock, home = Clock(), executor_home(Settings(tmp_path), "main:sandbox")
    missing = Missing(job(tmp_path), Trading(Broker.SANDBOX, "main"), clock)
    [line] = missing.now(quiet=False)
    assert line.startswith("no executor of main:sandbox runs on this machine: start deck executor")
    assert "--kafka" not in line
    home.mkdir(parents=True)
    with closing(Lock(home / "lock")):
        clock.now += 2
        assert missing.now(quiet=False) == []
    clock.now += 2
    assert missing.now(quiet=False) == [line]


def test_what_is_to_be_started_reads_where_the_flow_reads(tmp_path: Path) -> None:
    missing = Missing(job(tmp_path, kafka=True), Trading(Broker.SANDBOX, "main"))
    assert "--broker sandbox --kafka; till then" in missing.now(quiet=False)[0]


def test_on_paper_nobody_but_the_market_is_missed_and_that_only_after_a_while(
    tmp_path: Path,
) -> None:
    clock = Clock()
    missing = Missing(job(tmp_path), Trading(), clock)
    assert missing.now(quiet=True) == []
    clock.now += 6
    assert missing.now(quiet=False) == []
    [line] = missing.now(quiet=True)
    assert line.startswith("nothing comes yet")
