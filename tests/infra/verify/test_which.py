"""A run is named as people name it: by id, by how that begins, by deployment and by flow."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from infra.deploy.deployment import Place
from infra.history.home import HistoryError
from infra.verify.which import which

_COLUMNS = ["run", "flow", "code_version", "settings", "source", "mode", "status", "started"]


def noted(writer: Client, flow: str, started: int, run: str = "") -> str:
    """Note a run in history."""
    run = run or uuid.uuid4().hex
    row = [run, flow, "5f0c", "{}", "log", "paper", "running", started]
    writer.insert("runs", [[*row, 1]], column_names=[*_COLUMNS, "version"])
    return run


def test_a_flow_means_its_latest_run_and_an_id_or_its_beginning_that_run(
    reader: Client, writer: Client, tmp_path: Path
) -> None:
    flow = f"cross_{uuid.uuid4().hex}"
    first, latest = noted(writer, flow, 1_000), noted(writer, flow, 2_000)
    assert which(flow, reader, tmp_path).run == latest
    for said in (first, first[:8], first[:20]):
        found = which(said, reader, tmp_path)
        assert (found.run, found.flow, found.started) == (first, flow, 1_000)


def test_a_deployment_means_its_present_run_whatever_its_flow_did_since(
    reader: Client, writer: Client, tmp_path: Path
) -> None:
    flow = f"cross_{uuid.uuid4().hex}"
    deployed = noted(writer, flow, 1_000)
    noted(writer, flow, 2_000)
    store = Place(tmp_path, "mine").store
    store.mkdir(parents=True)
    (store / "run.json").write_text(f'{{"run": "{deployed}"}}')
    assert which("mine", reader, tmp_path).run == deployed
    (store / "run.json").write_text('{"run": "0123456789abcdef"}')
    with pytest.raises(HistoryError, match="mine: history keeps nothing of its run 01234567"):
        which("mine", reader, tmp_path)


def test_what_is_unknown_or_means_several_is_told_with_what_there_is(
    reader: Client, writer: Client, tmp_path: Path
) -> None:
    start = uuid.uuid4().hex[:12]
    for end in "ab":
        noted(writer, "twins", 1, start + end * 20)
    with pytest.raises(HistoryError, match=f"several runs; history has {start[:8]} of twins, "):
        which(start, reader, tmp_path)
    for said in ("no such flow", "../away", start[:7], "zzzzzzzz", "x' OR '1'='1"):
        with pytest.raises(HistoryError, match="is no run, flow or deployment; history has "):
            which(said, reader, tmp_path)
