"""A flow warmed up from history goes on as one that had read it all from the log."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import orjson
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from connectors.log.messages import said
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from infra.history.history import History
from infra.running.replay import replay
from infra.running.sources import FromLog
from infra.running.worker import Job
from infra.trading.trading import Trading
from operators import Costs
from schemas import SECOND
from schemas.tables import outside_block, table
from tests.infra.rig import LEARNED, recording

NOW = (1_700_000_040 + 5_400) * SECOND
"""When trading begins; the recording goes on for an hour."""


def test_behind_the_join_it_is_byte_for_byte_the_run_over_the_whole_log(
    tmp_path: Path, history: History, writer: Client
) -> None:
    rule = "was.sma5 <= was.sma20 and sma.sma5 > sma.sma20 and now.odds > 0.5"
    flow, log = tmp_path / "eager.py", tmp_path / "log"
    flow.write_text(LEARNED.read_text().replace(rule, "was and sma.sma5 > sma.sma20"))
    log.mkdir(mode=0o700)

    def events(past: bool) -> list[bytes]:
        job = Job(
            flow=flow, origin=FromLog(log, past=past), since="80m", costs=Costs(), run="r" * 32,
            started=NOW, history=False, settings=history.settings, trading=Trading(),
        )  # fmt: skip
        replay(job, None, tmp_path / "events.jsonl", lambda _: None)
        return (tmp_path / "events.jsonl").read_bytes().splitlines()

    with closing(SqliteWriter(log, 2)) as into:
        lines = recording(tmp_path / "all.jsonl").read_bytes().splitlines()
        into.write([(orjson.loads(line)["market"], line) for line in lines])
        keep(writer, log)
        whole = events(past=False)
        with closing(SqliteLog(log)) as read:
            halves = {name: 2 * read.bounds(name).end // 3 for name in read.partitions()}
        while into.retain(0, None, halves):
            pass
    assert len(events(past=False)) < len(whole)  # the log alone is short of something
    assert events(past=True) == whole
    told = [json.loads(line) for line in whole]
    opened = [event["ts"] for event in told if event["type"] == "Opened"]
    assert opened
    assert min(opened) >= NOW
    assert any(event["ts"] < NOW for event in told if event["type"] == "Outcome")


def keep(writer: Client, log: Path) -> None:
    """Put what a log holds into history, as ingest would."""
    found = []
    with closing(SqliteLog(log)) as read:
        for name in read.partitions():
            with closing(read.open(name, 0)) as cursor:
                while entries := cursor.read(1_000):
                    found += [said(entry, name).event for entry in entries]
    for kind in {type(event) for event in found}:
        block = outside_block(kind, [event for event in found if type(event) is kind])
        writer.insert_arrow(table(kind), pa.Table.from_batches([block]))
