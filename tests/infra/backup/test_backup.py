"""A backup of a home in which everything runs, and what goes on from it elsewhere."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.blotter.modes import Scope
from connectors.log.sqlite_log import SqliteLog
from connectors.outbox.outbox import Outbox, OutboxView
from infra.backup.backup import back_up
from infra.backup.note import FILE, BackupError, load
from infra.backup.restore import restore
from infra.history.history import History
from infra.log.log import MarketLog
from infra.settings import Settings
from schemas import Report
from schemas.tables import BORN_ON_TAPE, table
from tests.infra.nursery import Started
from tests.infra.rig import Rig, history_of
from tests.infra.trading_rig import MARKETS, OFTEN, Feed, count, feed

STORE = Path("trading", "often-paper")


@dataclass
class Homes:
    """A home that was backed up while a flow traded in it, and the same one elsewhere."""

    first: Rig
    backup: Path
    second: Rig


def home(path: Path) -> Rig:
    path.mkdir()
    (path.parent / "often.py").write_text(OFTEN)
    return Rig(path)


@contextmanager
def trading(rig: Rig) -> Iterator[Started]:
    flow, events = rig.home.parent / "often.py", rig.home.parent / "live.jsonl"
    with rig.started("trade", flow, "--events", events) as process:
        yield process
        process.send_signal(signal.SIGINT)
        said = process.communicate()
        assert process.returncode == 0, said


def traded(run: Started, store: Path, market: Feed, more: int = 1) -> None:
    """Let positions be opened and closed."""
    known = count(store, "Closed")
    market.until(lambda: run.poll() is not None or count(store, "Closed") >= known + more)
    assert run.poll() is None, run.communicate()


def backed_up(rig: Rig, market: Feed, to: Path) -> None:
    """Back up while the market goes on."""
    with rig.started("backup", to) as process:
        market.until(lambda: process.poll() is not None)
        assert process.returncode == 0, process.communicate()


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    """Everything that is in a home, with a run that went on behind the backup."""
    place = tmp_path_factory.mktemp("backup")
    first, second = home(place / "first"), Rig(place / "second")
    with feed(first) as market, trading(first) as run:
        traded(run, first.home / STORE, market)
        backed_up(first, market, place / "kept")
    History(Settings(first.home)).stop()
    said = Rig(place, {"TAPEDECK_HOME": str(second.home)}).deck("restore", place / "kept")
    assert "accounts.ini is not: it holds keys" in said.out
    assert "deck restart --all lets run what ran" in said.out
    yield Homes(first, place / "kept", second)
    History(Settings(second.home)).stop()


def test_a_run_goes_on_elsewhere_and_concludes_what_it_would_have(homes: Homes) -> None:
    rig = homes.second
    before = json.loads((homes.first.home / STORE / "run.json").read_text())
    with feed(rig) as market, trading(rig) as run:
        # The new feed is behind the old one's tape: what is late tells that all of that was read.
        market.until(lambda: all(count(rig.home / STORE, "Late", name) for name in MARKETS))
        traded(run, rig.home / STORE, market)
    live = rig.home.parent / "live.jsonl"
    name = json.loads((rig.home / STORE / "run.json").read_text())["run"]
    assert name == before["run"]
    again = rig.home.parent / "again.jsonl"
    flow = rig.home.parent / "often.py"
    rig.deck("replay", flow, "--as", "often-paper", "--no-history", "--events", again)
    assert again.read_bytes() == live.read_bytes()
    kinds = Counter(json.loads(line)["type"] for line in live.read_bytes().splitlines())
    with closing(History(Settings(rig.home)).client("reader")) as client:
        rows = {of: len(found) for of, found in history_of(client, name).items()}
    names = {kind.__name__: table(kind) for kind in BORN_ON_TAPE}
    assert {names[kind]: number for kind, number in kinds.items() if kind in names} == rows
    MarketLog(Settings(rig.home)).stop()


def test_nothing_that_was_read_is_newer_than_what_it_was_read_from(homes: Homes) -> None:
    note = load(homes.backup)
    assert note.history == "here"
    names = list(note.files)
    order = [names.index(f"home/{STORE}/0/snapshots/part-0.sqlite3")]
    order += [names.index("history/.backup"), names.index("home/log/market.sqlite3")]
    assert order == sorted(order)
    assert not [name for name in names if "users.json" in name or "accounts.ini" in name]


def test_a_backup_and_what_it_becomes_are_for_their_user_alone(homes: Homes) -> None:
    kept = [homes.backup, *(path for path in homes.backup.rglob("*") if path.is_dir())]
    home = homes.backup / "home"
    inside = [path.relative_to(home) for path in kept if path.is_relative_to(home)]
    assert inside
    put_back = [homes.second.home / path for path in inside]
    assert [path for path in (*kept, *put_back) if path.stat().st_mode & 0o077] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.data())
def test_half_a_backup_or_a_damaged_one_is_refused_and_nothing_is_made(
    homes: Homes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("half")
    copy, to = place / "copy", place / "home"
    shutil.copytree(homes.backup, copy)
    copy.chmod(0o700)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    hurt = data.draw(st.sampled_from([file for file in files if file.stat().st_size]))
    content = bytearray(hurt.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    how: Callable[[], object] = data.draw(st.sampled_from(["gone", "cut", "changed"])).__str__
    if how() == "gone":
        hurt.unlink()
    elif how() == "cut":
        hurt.write_bytes(content[:at])
    else:
        content[at] ^= data.draw(st.integers(1, 255))
        hurt.write_bytes(content)
    if hurt.name == FILE and how() == "changed":
        return  # what is changed there may be as good as it was
    with pytest.raises(BackupError, match=r"another|later|damaged|whole"):
        restore(Settings(to), copy)
    assert not to.exists()
    shutil.rmtree(place)


def test_a_backup_is_put_back_where_nothing_is_only(homes: Homes) -> None:
    with pytest.raises(BackupError, match="is not empty: set TAPEDECK_HOME"):
        restore(Settings(homes.first.home), homes.backup)


@pytest.mark.parametrize(
    ("to", "told"),
    [("kept", "is there already"), ("no/kept", "there is no directory"), ("first/b", "is in")],
)
def test_a_backup_goes_where_it_can_be_kept_only(homes: Homes, to: str, told: str) -> None:
    with pytest.raises(BackupError, match=told):
        back_up(Settings(homes.first.home), homes.backup.parent / to)


def test_what_others_may_have_written_is_not_put_back(homes: Homes, tmp_path: Path) -> None:
    homes.backup.chmod(0o755)
    try:
        with pytest.raises(BackupError, match="is open to others, and stores in it are run as"):
            restore(Settings(tmp_path / "home"), homes.backup)
    finally:
        homes.backup.chmod(0o700)


def test_an_account_enters_nothing_behind_a_restore_and_its_reports_are_new(
    tmp_path: Path,
) -> None:
    here, there = Settings(tmp_path / "here"), Settings(tmp_path / "there")
    directory = here.home / "executor" / "main-sandbox"
    with closing(Outbox(directory, "main:sandbox", clock=lambda: 5, synchronous="OFF")) as outbox:
        outbox.put_flow("often", "1f")
        back_up(here, tmp_path / "kept")
    restore(there, tmp_path / "kept")
    directory = there.home / "executor" / "main-sandbox"
    with closing(OutboxView(directory)) as view:
        mode = view.modes()[Scope("", "")]
    assert mode.mode == "halted"
    assert mode.why.startswith("restored from a backup of 20")
    with closing(Outbox(directory, "main:sandbox", synchronous="OFF")) as outbox:
        assert outbox.flows() == [("often", "1f")]
        report = Report("okx:A/USD", 7, "main:sandbox", "often", "x1", "sent")
        outbox.put_word(report)
    assert report.number > load(tmp_path / "kept").made


def test_a_log_is_copied_whole_while_it_is_written(tmp_path: Path) -> None:
    rig = home(tmp_path / "here")
    with feed(rig) as market:
        for _ in range(20):
            market.second()
        backed_up(rig, market, tmp_path / "kept")
        with closing(MarketLog(Settings(rig.home)).log()) as log:
            ends = {name: log.bounds(name).end for name in log.partitions()}
    with closing(SqliteLog(tmp_path / "kept" / "home" / "log")) as log:
        for name in log.partitions():
            end = log.bounds(name).end
            assert end <= ends[name]
            if end:
                with closing(log.open(name, 0)) as cursor:
                    assert len(cursor.read(end + 1)) == end


def test_an_error_of_a_backup_is_told_in_a_line(tmp_path: Path) -> None:
    said = Rig(tmp_path).deck("restore", tmp_path / "no", status=1)
    assert said.err == f"error: there is no backup in {tmp_path / 'no'}: check the path\n"
