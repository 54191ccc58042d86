"""What a user of the command sees."""

from __future__ import annotations

import inspect
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import pytest
import typer
from clickhouse_connect.driver.client import Client

from infra import deck
from infra.deck import DOORS
from infra.history.history import History
from infra.settings import Settings
from tests.infra.rig import HASTY, ROOT, SMA, Arguments, Rig, history_of, recording, until, written

WANTED = {
    "trades", "candles", "signals", "positions", "pnl", "gross_return", "seconds",
    "ticks_per_second", "rejects", "late",
}  # fmt: skip
Line: TypeAlias = "list[Arguments]"
GOOD = "def strategy(tape):\n    return tape\n"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording(tmp_path_factory.mktemp("deck") / "tape.jsonl")


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        ("def strategy(tape:\n", "line 1: SyntaxError: '(' was never closed"),
        ("import os\n1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('no')\n", "line 2: SystemExit: no"),
        ("x = 1\n", "has no function `strategy(tape: Tape) -> Tape`: see flows/sma_cross.py"),
        ("def strategy(tape):\n    pass\n", "strategy() returned None, not the tape: return it"),
        ("COSTS = 3\n" + GOOD, "COSTS must be a Costs(...), not 3"),
    ],
)
def test_a_flow_with_an_error_is_told_in_a_line(rig: Rig, tape: Path, flow: str, told: str) -> None:
    (rig.home / "flow.py").write_text(flow)
    said = rig.deck("replay", "flow.py", "--data", tape, "--no-history", status=1)
    [line] = said.err.splitlines()
    assert line.startswith("error: flow.py")
    assert told in line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--data", "gone.csv"), "error: gone.csv: no such file; check the path"),
        (("--fees", "-1"), "error: --fees -1: give a finite number of 0 or more"),
        (("--latency", "nan"), "error: --latency nan: give a finite number of 0 or more"),
        (("--events", "no/x"), "error: --events no/x: there is no directory no; make it"),
        (("--column", "x"), "error: --column x: write it as price=last"),
        (("--since", "2024-01-02", "--until", "2024-01-01"), "error: --since 2024-01-02 --until "
         "2024-01-01: nothing is between; turn them round"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_told_in_a_line(
    rig: Rig, tape: Path, options: tuple[str, ...], told: str
) -> None:
    said = rig.deck("replay", SMA, "--data", tape, "--no-history", *options, status=1)
    assert said.err == f"{told}\n"


def test_the_data_are_never_overwritten(rig: Rig, tape: Path) -> None:
    before = tape.read_bytes()
    said = rig.deck("replay", SMA, "--data", tape, "--no-history", "--events", tape, status=1)
    assert "that is the data; name another file" in said.err
    assert tape.read_bytes() == before


def test_json_is_all_that_stands_on_stdout_even_if_the_flow_prints(rig: Rig, tape: Path) -> None:
    (rig.home / "loud.py").write_text("import os\nos.system('echo loud')\nprint('loud')\n" + GOOD)
    line: Line = ["replay", "loud.py", "--data", tape, "--no-history", "--json", "--processes", 2]
    said = rig.deck(*line)
    assert said.summary.keys() >= WANTED
    assert "loud" in said.err


def test_a_rule_that_raises_leaves_faults_and_the_run_goes_on(rig: Rig, tape: Path) -> None:
    (rig.home / "bad.py").write_text(
        SMA.read_text().replace(
            "    if now.before is None:", "    1 / 0\n    if now.before is None:"
        )
    )
    said = rig.deck("replay", "bad.py", "--data", tape, "--no-history", "--json")
    assert said.summary["faults"] > 0
    assert said.summary["positions"] == 0
    assert "faults in the flow, whose markets only leave positions since" in said.err


def test_our_own_bug_is_told_as_ours(rig: Rig, tape: Path) -> None:
    hurt = "import infra.running.replay as r\nr._report = None\nfrom infra.deck import main\nmain()"
    line = [sys.executable, "-c", hurt, "replay", str(SMA), "--data", str(tape), "--no-history"]
    said = subprocess.run(line, cwd=rig.home, capture_output=True, text=True, check=False)
    assert said.returncode == 70
    assert "Traceback" in said.stderr
    last = said.stderr.splitlines()[-1]
    assert last.startswith("this is a fault of Tapedeck, not yours: please report it")


def test_a_variable_that_cannot_be_is_told_as_theirs(rig: Rig) -> None:
    rig.environment["EXCHANGE_KEYS"] = "sesame"
    said = rig.deck("history", "status", status=1)
    assert said.err == (
        "error: EXCHANGE_KEYS: word 1 is not like binance=KEY, each exchange once and blanks "
        "between\n"
    )


def test_no_traceback_tells_a_secret_of_the_environment(rig: Rig, tape: Path) -> None:
    hurt = (
        "import os, infra.running.replay as r\n"
        "def hurt(*given, **named):\n    raise KeyError(os.environ['EXCHANGE_KEYS'])\n"
        "r._report = hurt\nfrom infra.deck import main\nmain()"
    )
    line = [sys.executable, "-c", hurt, "replay", str(SMA), "--data", str(tape), "--no-history"]
    environment = {**os.environ, "EXCHANGE_KEYS": "binance=MARKEDKEY"}
    said = subprocess.run(
        line, cwd=rig.home, capture_output=True, text=True, check=False, env=environment
    )
    assert said.returncode == 70
    assert "KeyError: 'binance=<hidden>'" in said.stderr
    assert "MARKEDKEY" not in said.stdout + said.stderr


@pytest.mark.parametrize("name", ["log", "history", "halt", "--help"])
def test_nobody_waits_for_what_only_other_commands_need(name: str) -> None:
    look = "import sys, infra.deck as d; d.command_line([{!r}]); print(*{!r} & sys.modules.keys())"
    line = [sys.executable, "-c", look.format(name, {"bytewax", "ccxt", "chdb", "river"})]
    said = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "\n"


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    for name, door in DOORS.items():
        found = getattr(import_module(f"infra.{door.module}"), door.function)
        text = found.info.help if isinstance(found, typer.Typer) else inspect.getdoc(found)
        assert isinstance(text, str)
        assert " ".join(text.split("\n\n")[0].split()) == door.what, name


@pytest.mark.parametrize("name", ["replay", "record", "log", "history", "executor", "flatten"])
def test_behind_each_door_is_its_command(rig: Rig, name: str) -> None:
    shown = rig.deck(name, "--help").out.replace("hasty_deck.py", "deck")
    assert f"deck {name}" in shown
    assert "ForwardRef" not in shown


@pytest.mark.parametrize("width", [80, 140])
def test_the_closing_table_fits_the_terminal(rig: Rig, tape: Path, width: int) -> None:
    ours, theirs = pty.openpty()
    line = [sys.executable, str(HASTY), "replay", str(SMA), "--data", str(tape), "--no-history"]
    environment = {**os.environ, "COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen(line, cwd=rig.home, stdout=theirs, stderr=theirs, env=environment) as run:
        os.close(theirs)
        seen = b""
        while piece := _read(ours):
            seen += piece
    os.close(ours)
    assert run.returncode == 0
    text = seen.decode()
    assert "100%" in text, "a terminal shows a bar"
    table = text[text.index("sma_cross · run") :].replace("\r", "").splitlines()
    assert all(len(row) <= width for row in table if "\x1b" not in row)
    heads = ["market", "candles", "signals", "positions", "open", "won", "gross", "PnL", "fees"]
    if width == 80:
        heads.remove("candles")
    assert table[2].replace("\x1b[1m", "").replace("\x1b[0m", "").split() == heads


def _read(number: int) -> bytes:
    try:
        return os.read(number, 1 << 16)
    except OSError:  # all others have closed it
        return b""


# History ------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Iterator[History]:
    """Give a history of its own, which may be killed."""
    kept = History(Settings(tmp_path / "own"))
    yield kept
    kept.stop()


def _rows(client: Client, run: str) -> int:
    return sum(map(len, history_of(client, run).values()))


def test_rows_that_found_no_history_go_in_with_a_later_run_once(own: History, tape: Path) -> None:
    home = own.settings.home
    home.mkdir()
    line: Line = ["replay", SMA, "--data", tape, "--json"]
    nowhere = Rig(home, {"CLICKHOUSE_URL": "http://127.0.0.1:9/deck"})
    lost = nowhere.deck(*line)
    assert lost.err.splitlines() == [
        "history cannot be reached (ClickHouse at 127.0.0.1:9: Connection refused): "
        "the run goes on, its rows wait on disk",
        "history has not got all of it yet (ClickHouse at 127.0.0.1:9: Connection refused): the "
        "rows wait on disk, and go in with the next run that reaches it, or with: "
        "deck history drain",
    ]
    found = Rig(home).deck(*line)
    assert "blocks of rows that earlier runs had left on disk" in found.err
    assert not list((home / "runs").iterdir())
    with own.client("reader") as client:
        first, second = (history_of(client, said.summary["run"]) for said in (lost, found))
        assert first == second
        assert first
        status = "SELECT DISTINCT status FROM runs"
        assert client.query(status).result_rows == [("finished",)]


def test_a_server_that_is_killed_while_replaying_loses_nothing(
    own: History, tape: Path, tmp_path: Path
) -> None:
    own.start()
    line: Line = ["replay", SMA, "--data", tape, "--batch", 1, "--json"]
    store, events = tmp_path / "store", tmp_path / "e.jsonl"
    rig = Rig(own.settings.home)
    with rig.started(*line, "--recovery", store, "--events", events) as process:
        assert until(process, lambda: written(store) > 20_000)
        running = own.home.running()
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        out, err = process.communicate()
    assert process.returncode == 0, err
    run = out.split('"run":"')[1][:32]
    with own.client("reader") as client:
        assert _rows(client, run) == len(events.read_bytes().splitlines())


def test_history_answers_while_a_replay_is_at_work(
    history: History, reader: Client, tape: Path, tmp_path: Path
) -> None:
    rig, store = Rig(history.settings.home), tmp_path / "store"
    line: Line = [
        "replay",
        SMA,
        "--data",
        tape,
        "--batch",
        1,
        "--recovery",
        store,
        "--events",
        "x.jsonl",
    ]

    def kept() -> int:
        return int(reader.query("SELECT count() FROM candles").result_rows[0][0])

    before = kept()
    with rig.started(*line) as process:
        # Only then it has had its turn at starting history: nobody waits for it any more.
        assert until(process, lambda: kept() > before)
        process.send_signal(signal.SIGSTOP)  # it is at work for as long as we look
        said = rig.deck(
            "sql", "SELECT status FROM runs WHERE status = 'running'", "--format", "csv"
        )
        assert process.poll() is None
        process.send_signal(signal.SIGCONT)
        process.communicate()
    assert '"running"' in said.out


def test_ctrl_c_while_a_command_is_imported_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deck, "command_line", interrupted)
    monkeypatch.setattr("sys.argv", ["deck", "replay"])
    with pytest.raises(SystemExit) as ended:
        deck.main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")
