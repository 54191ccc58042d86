"""A real broker is killed while messages go in and out, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.log.log import Entry, Log
from tests.connectors.kafka_place import KafkaPlace, kafka_place
from tests.connectors.log_contract import by_partition, messages, of, wait_for

SCRIPT = Path(__file__).parents[3] / "infra" / "kafka" / "kafka.sh"
MARKETS = [f"sim:{number}/USD" for number in range(6)]
PART = 40
PARTS = 60
KILLS = (15, 40)


def kafka_sh(*arguments: str | Path) -> str:
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Path]:
    """Run a broker of our own in a directory."""
    if subprocess.run([SCRIPT, "libs"], capture_output=True, check=False).returncode:
        pytest.skip("no jars of Kafka here: infra/kafka/kafka.sh fetch")
    try:
        kafka_sh("start", tmp_path)
        yield tmp_path
    finally:
        kafka_sh("stop", tmp_path)


@pytest.fixture
def place(broker: Path) -> Iterator[KafkaPlace]:
    with kafka_place(KafkaSettings(kafka_sh("status", broker))) as place:
        yield place


class _Follower(threading.Thread):
    """Reads a partition from its start on, through all outages."""

    def __init__(self, log: Log, partition: str) -> None:
        super().__init__()
        self._log, self._partition = log, partition
        self.found: list[Entry] = []
        self.done = threading.Event()

    def run(self) -> None:
        with closing(self._log.open(self._partition, 0)) as cursor:
            while not self.done.wait(0.001):
                self.found += cursor.read(100)


def kill_and_restart(broker: Path) -> None:
    os.kill(int((broker / "pid").read_text()), signal.SIGKILL)
    kafka_sh("start", broker)


def test_what_is_flushed_while_the_broker_is_killed_is_there_once_and_in_order(
    broker: Path, place: KafkaPlace
) -> None:
    sent = messages(MARKETS, PART * PARTS // len(MARKETS))
    with closing(place.log()) as log:
        followers = [_Follower(log, name) for name in log.partitions()]
        for follower in followers:
            follower.start()
        killers: list[threading.Thread] = []
        with closing(place.appender()) as appender:
            for part in range(PARTS):
                if part in KILLS:
                    for killer in killers:
                        killer.join()
                    killers.append(threading.Thread(target=kill_and_restart, args=(broker,)))
                    killers[-1].start()
                for market, message in sent[part * PART : (part + 1) * PART]:
                    appender.append(market, message)
                appender.flush()
        for killer in killers:
            killer.join()
        kept = by_partition(log)
        wait_for(lambda: sum(len(f.found) for f in followers) >= len(sent))
        for follower in followers:
            follower.done.set()
            follower.join()
        assert [follower.found for follower in followers] == list(kept.values())
    for market in MARKETS:
        assert of(market, kept) == [message for to, message in sent if to == market]
