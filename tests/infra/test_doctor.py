"""What the doctor finds: each thing that can be wrong is named, with what to do."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from connectors.history.journal import Journal
from connectors.outbox.outbox import Outbox
from infra.deploy import status as states
from infra.deploy.deployment import DeployError, Deployment, Place
from infra.deploy.status import Status
from infra.disk.forecast import Part
from infra.doctor import flows, home, machine, room, servers
from infra.doctor.finding import Finding
from infra.notices.settings import NotifySettings
from infra.running.far import Line
from infra.settings import Settings
from infra.trading.trading import executor_home
from schemas import SECOND, Halt
from schemas.tables import Record, block
from tests.infra.rig import Rig

M = "okx:A/B"
NOWHERE = "binance=http://127.0.0.1:1 okx=http://127.0.0.1:1"


def only(found: Iterator[Finding], check: str) -> Finding:
    [one] = [finding for finding in found if finding.check == check]
    return one


@contextmanager
def exchange(ahead_seconds: float) -> Iterator[str]:
    """Give the address of an exchange whose clock is ahead of ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = json.dumps({"serverTime": round((time.time() + ahead_seconds) * 1_000)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as it is called
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("ahead", "state"), [(30.0, "bad"), (-30.0, "bad")])
def test_a_clock_that_is_off_is_bad(ahead: float, state: str) -> None:
    with exchange(ahead) as url:
        found = [*machine.clock({"binance": url, "okx": "http://127.0.0.1:1"})]
    binance, okx = found
    assert binance.state == state
    assert ("behind" if ahead > 0 else "ahead") in binance.says
    assert (okx.state, okx.says) == ("ok", "not compared: it cannot be reached from here")


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"river=={version('river')} \\\n    --hash=sha256:0\nnobody-has-this==1.0\n")
    assert only(machine.packages(lock), "packages").state == "ok"
    lock.write_text(f"river=={version('river')} \\\nrich==0.1 \\\n    --hash=sha256:0\n")
    odd = only(machine.packages(lock), "packages")
    assert (odd.state, odd.says) == ("warn", f"rich {version('rich')} instead of 0.1")
    lock.write_text("river==0.1 \\\n")
    assert only(machine.packages(lock), "packages").state == "bad"
    assert not [*machine.packages(tmp_path / "none")]


def test_a_disk_that_will_be_full_soon_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path).free
    for days, state in ((100, "ok"), (7, "warn"), (1, "bad")):
        growing = [Part("history: trades", 0, daily=free / days)]
        monkeypatch.setattr(room, "parts", lambda _, growing=growing: growing)
        found = only(room.forecast(Settings(tmp_path)), "disk, forecast")
        assert (found.state, found.says) == (state, f"full in {days} days, as it goes")
    monkeypatch.setattr(room, "parts", lambda _: [Part("log", 7)])
    assert "without end" in only(room.forecast(Settings(tmp_path)), "disk, forecast").says
    low = shutil._ntuple_diskusage(10**12, 10**12 - 10**8, 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: low)
    assert only(room.room(tmp_path / "none"), "disk").state == "bad"


def test_what_others_may_write_is_bad_and_what_they_may_read_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert only(home.rights(tmp_path), "home").state == "ok"
    assert only(home.rights(tmp_path / "none"), "home").state == "ok"
    theirs = tmp_path / "executor" / "main-live"
    theirs.mkdir(parents=True, mode=0o700)
    assert only(home.rights(tmp_path), "home").state == "ok"
    theirs.chmod(0o755)
    told = only(home.rights(tmp_path), "home")
    assert (told.state, told.remedy) == ("warn", f"chmod 700 {theirs}")
    tmp_path.chmod(0o777)
    assert only(home.rights(tmp_path), "home").remedy == f"chmod go-w '{tmp_path}'"


def test_keys_that_others_may_read_are_bad_and_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("TAPEDECK_ACCOUNT_")]:
        monkeypatch.delenv(name)
    assert not [*home.keys(tmp_path)]
    path = tmp_path / "accounts.ini"
    path.write_text("[main]\nexchange = okx\nkey = planted\nsecret = planted\n")
    path.chmod(0o644)
    told = only(home.keys(tmp_path), "keys")
    assert told.state == "bad"
    assert "chmod 600" in told.says
    assert "planted" not in str(told)
    path.chmod(0o600)
    assert only(home.keys(tmp_path), "keys") == Finding("keys", "ok", "of main")
    path.write_text("[main]\nexchange = okx\nkey = planted\n")
    assert "does not say secret" in only(home.keys(tmp_path), "keys").says


def test_half_a_telegram_is_bad() -> None:
    assert only(home.chats(NotifySettings(telegram_token="4711:A")), "notices").state == "bad"
    assert only(home.chats(NotifySettings("https://example.org/x")), "notices").state == "ok"
    assert not [*home.chats(NotifySettings())]


def test_a_store_of_other_versions_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "trading" / "demo-paper" / "run.json"
    path.parent.mkdir(parents=True)
    python = ".".join(map(str, sys.version_info[:2]))
    kept = {"python": python, "bytewax": version("bytewax"), "river": version("river")}
    path.write_text(json.dumps(kept))
    assert [one.state for one in home.stores(tmp_path)] == ["ok"]
    path.write_text(json.dumps({**kept, "river": "0.1"}))
    told = only(home.stores(tmp_path), "store trading/demo-paper")
    assert (told.state, told.says) == ("bad", "made with river 0.1")
    path.write_text("{")
    assert only(home.stores(tmp_path), "store trading/demo-paper").state == "bad"


def test_rows_that_wait_for_long_are_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "trading" / "demo-paper" / "0" / "journal")
    journal.append("halts", block("demo", "1f", Halt, [Record(0, Halt(M, 7, "halted", "me"))]))
    assert only(home.journals(tmp_path), "rows").state == "ok"
    [path] = journal.directory.glob("*.arrow")
    os.utime(path, (1, 1))
    told = only(home.journals(tmp_path), "rows")
    assert told.state == "warn"
    assert told.says.startswith("1 blocks of rows wait for history")


def deployed(settings: Settings, status: Status | None) -> Place:
    place = Place(settings.home, "demo")
    place.save(Deployment("demo", "/demo.py"))
    if status is not None:
        states.save(place.status, status)
    return place


def test_a_deployment_is_told_by_what_its_parent_said_last(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    running = Status(states.RUNNING, last_event=time.time_ns(), behind=3)
    for status, state, told in (
        (None, "warn", "it has never run"),
        (replace(running, state=states.FAILED, why="no disk"), "bad", "failed: no disk"),
        (running, "bad", "running when its parent died"),
        (replace(running, state=states.STOPPED), "ok", "stopped"),
    ):
        deployed(settings, status)
        found = only(flows.deployments(settings, "demo"), "demo")
        assert (found.state, found.says) == (state, told)
        assert bool(found.remedy) == (state != "ok")
    with pytest.raises(DeployError, match="other: there is no such deployment; there is demo"):
        [*flows.deployments(settings, "other")]


def test_a_deployment_that_runs_is_told_by_its_lag_its_restarts_and_its_markets(
    tmp_path: Path,
) -> None:
    settings = Settings(tmp_path)
    late = time.time_ns() - 100 * SECOND
    ill = Status(
        states.RUNNING, restarts=3, why="killed", last_event=late, behind=2_000_000,
        markets={M: Line("halted"), "okx:C": Line()},
    )  # fmt: skip
    with closing(deployed(settings, ill).alone() or pytest.fail("it is free")):
        found = {one.check: one for one in flows.deployments(settings)}
        states.save(deployed(settings, ill).status, replace(ill, said=late))
        silent = only(flows.deployments(settings), "demo")
        states.save(deployed(settings, ill).status, replace(ill, heard=late, processes=(7,)))
        hangs = only(flows.deployments(settings), "demo")
    assert {check: one.state for check, one in found.items()} == {
        "demo": "ok", "demo, restarts": "warn", "demo, lag": "warn", "demo, behind": "bad",
        "demo, entries": "warn",
    }  # fmt: skip
    assert found["demo, entries"].says == "okx:A/B is halted"
    assert silent.state == "bad"
    assert silent.says.startswith("says nothing for 100 s")
    assert hangs.state == "bad"
    assert hangs.says.startswith("its process says nothing for 100 s")


def test_a_market_that_runs_faster_than_time_is_ahead(tmp_path: Path) -> None:
    fast = Status(states.RUNNING, last_event=time.time_ns() + 100 * SECOND, said=time.time_ns())
    with closing(deployed(Settings(tmp_path), fast).alone() or pytest.fail("it is free")):
        found = {one.check: one for one in flows.deployments(Settings(tmp_path))}
    assert found["demo, lag"].says.endswith(" s ahead of our clock")


def test_a_rehearsal_is_neither_late_nor_behind(tmp_path: Path) -> None:
    place = deployed(Settings(tmp_path), Status(states.RUNNING, last_event=SECOND, behind=10**9))
    place.save(Deployment("demo", "/demo.py", "replay:/x.parquet"))
    with closing(place.alone() or pytest.fail("it is free")):
        assert [one.state for one in flows.deployments(Settings(tmp_path))] == ["ok"]


def test_positions_without_an_executor_are_bad_and_halts_and_doubts_are_told(
    tmp_path: Path,
) -> None:
    settings = Settings(tmp_path)
    directory = executor_home(settings, "main:sandbox")
    directory.mkdir(parents=True, mode=0o700)
    with closing(Outbox(directory, "main:sandbox", synchronous="OFF")) as outbox, outbox.whole():
        outbox.put_holding(Holding("demo", "1f", M, 1, "long", "open", entered=Decimal(3)))
        outbox.put_mode(Scope("demo", M), Mode("halted", "by me"))
        slip = Slip("a", M, "buy", "market", Decimal(3), flow="demo", status="unknown")
        slip.sent_at = time.time_ns() - 50 * SECOND
        outbox.put_slip(slip)
    found = {one.check: one for one in flows.executors(settings)}
    held = found["executor main:sandbox"]
    assert (held.state, held.says) == ("bad", "does not run, holds 1 positions")
    assert held.remedy == "deck executor --account main --broker sandbox"
    assert found["executor main:sandbox, entries"].says == "demo in okx:A/B: halted, by me"
    assert found["executor main:sandbox, doubts"].state == "warn"


def test_what_does_not_run_is_not_started_by_looking(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    said = only(servers.history(settings), "history")
    assert (said.state, said.says.partition(" ")[0]) == ("ok", "down")
    assert not [*servers.logs(settings), *servers.supervisor(settings), *servers.kafka(settings)]
    assert not [*tmp_path.iterdir()]
    away = Settings(tmp_path, clickhouse_url="http://me:planted@127.0.0.1:1/x")
    told = only(servers.history(away), "history")
    assert told.state == "bad"
    assert "planted" not in str(told)


def test_the_command_fails_if_something_is_bad_and_only_then(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    rig = Rig(tmp_path, {"EXCHANGE_URLS": NOWHERE, "KAFKA_BOOTSTRAP": ""})
    found = json.loads(rig.deck("doctor", "--json").out)
    assert {one["state"] for one in found} <= {"ok", "warn"}
    assert {"python", "disk", "home", "history"} <= {one["check"] for one in found}
    assert "there is no such deployment" in rig.deck("doctor", "nobody", status=1).err
    tmp_path.chmod(0o777)
    said = rig.deck("doctor", status=1).out
    assert f"chmod go-w '{tmp_path}'" in said
