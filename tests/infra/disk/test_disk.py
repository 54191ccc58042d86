"""What `deck disk` says of a home, and what history lets go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from connectors.log.sqlite_writer import SqliteWriter
from infra.disk.parts import parts
from infra.history.history import History
from infra.history.home import HistoryError
from infra.history.keep import keep, kept_days
from infra.log import limits as log_limits
from infra.log.limits import Limits
from infra.settings import Settings
from schemas import SECOND
from tests.infra.rig import Rig

MEGABYTE = 10**6


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    made = Settings(tmp_path_factory.mktemp("disk"))
    yield made
    History(made).stop()


@pytest.fixture
def owner(settings: Settings) -> Iterator[Client]:
    with closing(History(settings).client("owner")) as client:
        yield client


def test_a_log_grows_as_in_its_last_day_up_to_what_it_may_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "log"
    now = 1_800_000_000 * SECOND
    with closing(SqliteWriter(directory)) as writer:
        for hours in (48, 12, 1):
            at = now - hours * 3_600 * SECOND
            monkeypatch.setattr("time.time_ns", lambda at=at: at)
            writer.write([("m", bytes(10_000))] * 100)
    log_limits.save(directory, Limits(days=5, gigabytes=1))
    monkeypatch.setattr("time.time_ns", lambda: now)
    [log] = parts(Settings(tmp_path))
    assert log.name == "market log"
    assert log.daily == pytest.approx(log.bytes * 2 / 3)
    assert log.most == pytest.approx(5 * log.bytes * 2 / 3)


def test_what_came_from_exchanges_may_go_and_what_runs_concluded_may_not(
    settings: Settings, owner: Client
) -> None:
    columns = "(market, ts, price, size, side, id, partition, offset, row)"
    for days, row in ((40, 1), (0, 2)):
        owner.command(
            f"INSERT INTO trades {columns} SELECT 'm', now64(9) - INTERVAL {days} DAY, 1, 1, 1, "
            f"'x', 'p', {row}, {row}"
        )
    keep(owner, 30, ["trades"])
    owner.command("OPTIMIZE TABLE trades FINAL")
    assert owner.query("SELECT offset FROM trades").result_rows == [(2,)]
    assert kept_days(owner) == {"trades": 30}
    keep(owner, 0, ["trades", "books"])
    assert kept_days(owner) == {}
    with pytest.raises(HistoryError, match="candles is kept for ever"):
        keep(owner, 30, ["trades", "candles"])
    assert kept_days(owner) == {}
    names = [part.name for part in parts(settings)]
    assert "history: trades" in names


def test_the_forecast_is_told_as_a_table_and_as_json(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with closing(SqliteWriter(tmp_path / "log")) as writer:
        writer.write([("m", bytes(MEGABYTE))])
    said = rig.deck("disk")
    assert "market log" in said.out
    assert "GB are free; nothing grows without end" in said.out
    found = json.loads(rig.deck("disk", "--json").out)
    assert found["parts"][0]["bytes"] > MEGABYTE
    assert found["days"] is None
