"""A cell of a sweep is the replay of the flow with its settings; and what is made of all cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from math import isnan
from pathlib import Path
from random import Random

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from connectors.simulated.simulate import simulate
from infra.running.problems import ReplayError
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.whatif import luck, maps, sweep_table
from infra.whatif.cells import Cells, cell_of
from infra.whatif.dividing import divided
from infra.whatif.folds import walk
from infra.whatif.forking import settings_of
from infra.whatif.grid import axes, cells
from infra.whatif.knobs import KnobError
from infra.whatif.steps import Step, grown
from infra.whatif.sweeping import Asked, Sweep, judged, sweep
from infra.whatif.tried import Position, Tried, figures
from operators.averages import MovingAverages
from operators.tape import Machine
from schemas import SECOND, Event, Heartbeat, Trades
from schemas.wire import encode
from tests.infra.rig import LEARNED
from tests.infra.whatif.rig import Bench, closings
from tests.tapes import MARKET

START = 1_700_000_040 * SECOND


def swept(job: Job, count: int = 1, folds: int = 0, by: str = "pnl", **given: str) -> Sweep:
    asked = Asked(axes(settings_of(job).values(), given), folds, by)
    return sweep(replace(job, history=False), asked, count, lambda _: None)


# A cell -------------------------------------------------------------------------------------------


def test_each_cell_is_a_replay_with_its_settings(bench: Bench) -> None:
    found = swept(bench.job(), fast="2,3", take_profit="0.001:0.003:2", fees_bps="1")
    assert len(found.rows) == 4
    for row in found.rows:
        closed = closings(bench.unkept(cell_of(bench.job(), row.tried.changes)))
        told = [(e["ts"], e["market"], str(e["pnl"]), e["net_return"]) for e in closed]
        ours = [(p.closed, p.market, str(p.pnl), p.net_return) for p in row.tried.positions]
        assert sorted(ours) == sorted(told)
        assert ours
    assert len({row.whole.pnl for row in found.rows}) == 4


def test_models_learn_in_a_cell_as_they_do_in_a_replay(tmp_path: Path) -> None:
    simulate(tmp_path / "t.parquet", ["sim:BTC/USDT"], 0.4, 3, signal=1.0, book_every=60)
    job = Job(flow=LEARNED, origin=Files((tmp_path / "t.parquet",)), history=False)
    found = swept(job, stop_loss="0.001,0.002")
    for row in found.rows:
        done = replay(cell_of(job, row.tried.changes), None, None, lambda _: None)
        [tally] = done.markets.values()
        assert row.tried.log_loss == tally.metrics["log_loss"]
        assert (row.whole.pnl, row.whole.positions) == (tally.pnl, tally.counts["Closed"])


def test_any_number_of_processes_gives_the_same(bench: Bench) -> None:
    given = {"fast": "2,3,4", "stop_loss": "0.001,0.004,5"}
    asked = Asked(axes(settings_of(bench.job()).values(), given), 2)
    one, two = (sweep(bench.job(), asked, count, lambda _: None) for count in (1, 2))
    assert sweep_table.plain(one) == sweep_table.plain(two)
    assert one.failed
    assert one.steps < two.steps < 9 * 5


@pytest.fixture(scope="module")
def brief(wavy: Path) -> Path:
    """Return the beginning of the tape."""
    path = wavy.with_name("brief.jsonl")
    path.write_bytes(b"".join(wavy.read_bytes().splitlines(keepends=True)[:1_500]))
    return path


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_however_the_cells_are_divided_the_table_is_the_same(
    bench: Bench, brief: Path, owners: list[int]
) -> None:
    job = replace(bench.job(), origin=Files((brief,)))
    given = {"fast": "2,3", "take_profit": "0.0005,0.003", "every": "30s,1m"}
    asked = Asked(axes(settings_of(job).values(), given), 2)
    grid = cells(asked.axes)
    shares = [[c for c, own in zip(grid, owners, strict=True) if own == k] for k in range(4)]
    whole, parts = (
        sweep_table.plain(judged(asked, [Cells(job, share).run() for share in of if share]))
        for of in ([grid], shares)
    )
    assert parts == whole
    assert any(cell["positions"] for cell in whole["cells"])


def test_cells_that_have_steps_in_common_are_tried_by_one_process(bench: Bench) -> None:
    job = bench.job()
    given = {"stop_loss": "0.001,0.002,7", "every": "1m,2m", "above": "0,1"}
    asked = axes(settings_of(job).values(), given)
    assert divided(job, asked, 1) == [cells(asked)]
    first, second = divided(job, asked, 2)
    assert [{dict(cell)["candles.every"] for cell in share} for share in (first, second)] == [
        {"1m"}, {"2m"},
    ]  # fmt: skip
    assert sorted([*first, *second]) == sorted(cells(asked))
    assert [len({dict(cell)["LIMITS.above"] for cell in s}) for s in divided(job, asked, 4)] == [
        1, 1, 1, 1,
    ]  # fmt: skip
    assert len(divided(job, asked, 99)) == len(cells(asked))


def test_cells_that_fail_are_told_and_the_others_go_on(bench: Bench) -> None:
    found = swept(bench.job(), stop_loss="0.002,7,0.003")
    assert [row.tried.error == "" for row in found.rows] == [True, True, False]
    says = [*sweep_table.troubles(found)]
    assert says[0] == "1 of 3 cells failed; the others went on"
    assert "stop_loss=7.0: " in says[1]
    assert "must be below 1, not 7.0" in says[1]
    with pytest.raises(
        ReplayError, match=r"none of the 2 cells could be tried: .*below 1, not 7\.0"
    ):
        swept(bench.job(), stop_loss="7,8")


def test_a_flow_that_fails_in_a_cell_is_told(bench: Bench) -> None:
    flow = bench.flow(('LIMITS["above"]:', '1 / LIMITS["above"]:'))
    found = swept(bench.job(flow), above="0.0,1.0")
    assert [row.tried.faults > 0 for row in sorted(found.rows, key=lambda row: row.number)] == [
        True, False,
    ]  # fmt: skip
    assert any("in 1 cells the flow itself failed" in line for line in sweep_table.troubles(found))


# Steps in common ----------------------------------------------------------------------------------


class Broken:
    """Fail at the second event."""

    reads = frozenset({Heartbeat})
    shape = "broken"

    def __init__(self) -> None:
        self.state = 0

    def __call__(self, event: Event) -> Iterable[Event]:
        self.state += 1
        if self.state > 1:
            raise RuntimeError("our own fault")
        return (event,)


def averages(*windows: int) -> Machine:
    return MovingAverages({"sma": windows})


def test_steps_that_cells_begin_with_are_taken_once() -> None:
    ends = [Tried(()) for _ in range(3)]
    firsts = [lambda: averages(5), lambda: averages(5), lambda: averages(7)]
    seconds = [lambda: averages(3), lambda: averages(4), lambda: averages(3)]
    roots = grown([*zip(zip(firsts, seconds, strict=True), ends, strict=True)])
    assert [[step.ends for step in root.behind] for root in roots] == [
        [[ends[0]], [ends[1]]], [[ends[2]]],
    ]  # fmt: skip
    assert sum(root.count() for root in roots) == 5


def test_a_rule_is_another_if_it_looks_up_other_numbers(bench: Bench) -> None:
    # Candles, averages and the rule are in common but where the number is another, even if the
    # rule finds it through another function.
    flow = bench.flow(
        ('LIMITS["above"]:', "least():"),
        ("def always", "def least() -> float:\n    return LIMITS['above']\n\n\ndef always"),
    )
    job = bench.job(flow)
    assert swept(job, above="0.0,0.1").steps == 3 + 2 * 2
    assert swept(job, stop_loss="0.001,0.002").steps == 4 + 2
    assert swept(job, fast="2,3").steps == 2 + 2 * 3


def test_what_fails_takes_its_own_cells_with_it() -> None:
    good, bad = Tried(()), Tried(())
    roots = [Step(lambda: averages(5), ends=[good]), Step(Broken, ends=[bad])]
    for _ in range(3):
        for root in roots:
            root.take(MARKET, [Heartbeat(MARKET, START)])
    assert (good.error, bad.error) == ("", f"{MARKET}: RuntimeError: our own fault")


# The grid -----------------------------------------------------------------------------------------


def test_a_range_has_both_ends_and_round_numbers(bench: Bench) -> None:
    known = settings_of(bench.job()).values()
    found = axes(known, {"stop_loss": "0.001:0.01:10", "timeout": "10m:30m:3", "SLOW": "5:9:3",
                         "candles.every": "1m, 90s", "WINDOWS": "(2,5),(3,5)"})  # fmt: skip
    assert [axis.values for axis in found] == [
        tuple(f"0.{n:03}".rstrip("0") for n in range(1, 11)),
        ("10m", "20m", "30m"), ("5", "7", "9"), ("1m", "90s"), ("(2,5)", "(3,5)"),
    ]  # fmt: skip
    for text, says in [("5:8:3", "'6.5' is not a whole"), ("5:8:1", "at least 2"), ("x", "'x' is")]:
        with pytest.raises(KnobError, match=says):
            axes(known, {"SLOW": text})
    with pytest.raises(KnobError, match="1,000,000 cells, and at most 10,000"):
        axes(known, {"stop_loss": "0.001:0.01:1000", "take_profit": "0.001:0.01:1000"})


# Folds --------------------------------------------------------------------------------------------

POSITIONS = st.lists(
    st.builds(
        lambda opened, held, pnl: Position(
            opened + held, "m", opened, Decimal(pnl), Decimal(0), pnl / 10, pnl / 100
        ),
        st.integers(0, 99), st.integers(1, 30), st.integers(-9, 9),
    ),
    max_size=12,
)  # fmt: skip


@given(st.lists(POSITIONS, min_size=1, max_size=4), st.integers(1, 6))
def test_the_walk_is_a_plain_loop_over_the_stretches(
    cells: list[list[Position]], folds: int
) -> None:
    tried = [Tried((), positions) for positions in cells]
    length = 100
    for number, fold in enumerate(walk(tried, (0, length - 1), folds, "pnl")):
        at, end = length * (number + 1) // (folds + 1), length * (number + 2) // (folds + 1)
        assert (fold.at, fold.end) == (at, end)
        best, made = None, Decimal("-Infinity")
        for cell, positions in enumerate(cells):
            known = [p.pnl for p in positions if p.closed < at]
            if known and sum(known) > made:
                best, made = cell, Decimal(sum(known))
        assert fold.chosen == best
        if best is not None:
            behind = [p.pnl for p in cells[best] if at <= p.opened < end]
            assert (fold.past.pnl, fold.next.pnl) == (made, sum(behind))


@given(POSITIONS, st.randoms())
def test_figures_do_not_depend_on_the_order(positions: list[Position], random: object) -> None:
    shuffled = list(positions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert figures(shuffled) == figures(positions)


def test_the_best_by_return_is_that_after_costs(bench: Bench) -> None:
    found = swept(bench.job(), by="return", fees_bps="30,0")
    cheap, dear = found.rows
    assert dict(cheap.tried.changes) == {"COSTS.fees_bps": "0"}
    assert cheap.whole.gross_return == dear.whole.gross_return
    for row in found.rows:
        made = sum(one.net_return for one in row.tried.positions)
        assert row.whole.by("return") == pytest.approx(made)
    assert cheap.whole.net_return > dear.whole.net_return
    [best, *_] = sweep_table.tables(found)
    assert [column.header for column in best.columns][3:5] == ["PnL", "return"]


# What is to be thought of it ----------------------------------------------------------------------


def waves(path: Path, height: float = 1.0, count: int = 40) -> Path:
    """Write a market that rises by one part in a hundred again and again, and falls at once."""
    draw = Random(5)

    def trades() -> Iterator[Trades]:
        for second in range(0, count * 1_200, 5):
            part = second % 1_200 / 1_200
            price = 100 + (height * part / 0.75 if part < 0.75 else -height * (part - 0.75))
            yield Trades.of(
                "sim:A/USD",
                [START + second * SECOND],
                [round(price + draw.gauss(0, 0.02), 4)],
                [1.0],
            )

    path.write_bytes(b"".join(encode(event) + b"\n" for event in trades()))
    return path


def test_a_best_that_was_planted_is_found_and_is_more_than_luck(bench: Bench) -> None:
    # A wave that was entered near its foot gives 0.9 % before it breaks, and no more.
    job = replace(bench.job(), origin=Files((waves(bench.directory / "waves.jsonl"),)))
    found = swept(job, folds=3, take_profit="0.002,0.004,0.006,0.008,0.02,0.04")
    assert dict(found.rows[0].tried.changes) == {"BARRIERS.take_profit": "0.008"}
    assert {fold.chosen for fold in found.folds} == {3}
    assert all(fold.next.pnl > 0 for fold in found.folds)
    assert found.luck is not None
    assert found.luck.odds > luck.SURE
    assert "look at what it made" in luck.said(found.luck, 6)


def test_the_best_of_many_on_a_market_without_a_future_is_called_luck(bench: Bench) -> None:
    path = bench.directory / "random.parquet"
    simulate(path, ["sim:A/USDT"], 1.5, 7, signal=0.0, book_every=None, heartbeat_every=None)
    job = replace(bench.job(), origin=Files((path,)))
    found = swept(job, folds=0, fast="2,3,4", take_profit="0.001:0.01:10")
    assert len(found.rows) == 30
    assert found.luck is not None
    assert found.luck.lucky > 0
    assert found.luck.odds < luck.SURE
    says = "\n".join(sweep_table.lines(found))
    assert "30 settings were tried; they are alike, and count as about" in says
    assert found.luck.independent < 25
    assert "take it for luck" in says


# What is shown ------------------------------------------------------------------------------------


def test_the_cells_go_into_a_file_and_onto_a_map(bench: Bench) -> None:
    given = {"stop_loss": "0.001,0.004,7", "take_profit": "0.002,0.004", "fast": "2,3"}
    asked = Asked(axes(settings_of(bench.job()).values(), given), 1)
    found = sweep(bench.job(), asked, 1, lambda _: None)
    drawn = maps.map_of(found)
    assert drawn is not None
    assert (drawn.down.short, drawn.across.short) == ("stop_loss", "take_profit")
    assert drawn.others == {"FAST": dict(found.rows[0].tried.changes)["FAST"]}
    shape = [[not isnan(value) for value in line] for line in drawn.values.tolist()]
    assert shape == [[True, True], [True, True], [False, False]]
    for name in ("map.svg", "map.png"):
        maps.draw(found, drawn, bench.directory / name)
        assert (bench.directory / name).stat().st_size > 2_000
    for name in ("cells.parquet", "cells.csv", "cells.json"):
        sweep_table.write(found, bench.directory / name)
    table = pq.read_table(bench.directory / "cells.parquet")
    assert table.num_rows == 12
    assert table["pnl"].to_pylist() == [float(row.whole.pnl) for row in found.rows]
    told = orjson.loads((bench.directory / "cells.json").read_bytes())
    assert (
        told["cells"][0]["BARRIERS.stop_loss"]
        == dict(found.rows[0].tried.changes)["BARRIERS.stop_loss"]
    )
    console = Console(width=150, record=True)
    for grid in (*sweep_table.tables(found), maps.shown(found, drawn, 150)):
        console.print(grid)
    narrow = maps.shown(found, drawn, 40)
    assert len(narrow.columns) == 2
    assert str(narrow.title).endswith("the first 1 of 2 columns: --picture FILE draws all")
    alone = drawn._replace(down=maps.NOWHERE, values=drawn.values[:1])
    upright = maps.shown(found, alone, 40)
    assert (upright.row_count, len(upright.columns)) == (2, 2)
    text = console.export_text()
    assert "the best of 12 cells, chosen by pnl, up to" in text
    assert "walking forward" in text
