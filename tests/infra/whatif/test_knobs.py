"""What can be set of a flow, by which names, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.running import flowfile
from infra.running.flowfile import FlowError
from infra.whatif.forking import settings_of
from infra.whatif.hooks import Panel
from infra.whatif.knobs import KnobError, knobs, resolved
from infra.whatif.values import ValueTextError, read, write
from operators import Barriers, Scaled
from tests.infra.whatif.rig import FLOW, Bench

SPANS = st.timedeltas(timedelta(0), timedelta(days=900))
PLAIN = (
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | SPANS
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.lists(st.integers(), min_size=1).map(tuple)
)  # fmt: skip


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "cross.py"
    path.write_text(FLOW)
    return path


def set_to(flow: Path, **given: str) -> flowfile.Flow:
    panel = Panel()
    flowfile.load(flow, panel)
    return flowfile.load(flow, Panel(resolved(panel.seen.values(), given)))


@given(PLAIN)
def test_a_value_that_is_written_is_read_as_itself(value: object) -> None:
    again = read(write(value), value)
    assert (again, type(again)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "present"),
    [("x", 5), ("2.5", 5), ("nan", 0.1), ("inf", Decimal(1)), ("30", timedelta(1)), ("2", True)],
)
def test_a_text_of_another_kind_is_refused_with_the_kind(text: str, present: object) -> None:
    with pytest.raises(ValueTextError, match=r"is not .* such as|is not yes or no"):
        read(text, present)


def test_all_that_has_a_name_can_be_set_and_steps_can_that_have_numbers_in_place(
    bench: Bench,
) -> None:
    found = {name: write(knob.value) for name, knob in settings_of(bench.job()).items()}
    assert found | {"cross": "", "always": ""} == {
        "FAST": "2", "SLOW": "5", "WINDOWS": "(2,5)", "STOP": "0.002",
        "COSTS.fees_bps": "2", "COSTS.slippage_bps": "0.0", "COSTS.latency_ms": "50",
        "COSTS.max_book_age_ms": "1000.0", "COSTS.maker_fee_bps": "none",
        "BARRIERS.stop_loss": "0.002", "BARRIERS.take_profit": "0.003", "BARRIERS.timeout": "30m",
        "BARRIERS.trailing_stop": "none", "SIZE.amount": "1000", "SIZE.unit": "quote",
        "LIMITS.above": "0.0", "candles.every": "1m", "cross": "", "always": "",
    }  # fmt: skip
    assert flowfile.load(bench.flow()).settings.items() <= found.items()


def test_what_is_made_from_a_setting_is_made_from_the_new_one(flow: Path) -> None:
    assert set_to(flow, stop="0.01").settings["BARRIERS.stop_loss"] == "0.01"
    assert set_to(flow, fast="3").settings["WINDOWS"] == "(3,5)"
    assert set_to(flow, WINDOWS="7,9,11").settings["WINDOWS"] == "(7,9,11)"
    assert set_to(flow, above="0.5", trailing_stop="0.01", amount="7").settings.items() >= {
        ("LIMITS.above", "0.5"), ("BARRIERS.trailing_stop", "0.01"), ("SIZE.amount", "7"),
    }  # fmt: skip
    assert set_to(flow, stop_loss="none").settings["BARRIERS.stop_loss"] == "none"
    assert set_to(flow, fees_bps="7.5").costs.fees_bps == 7.5


def test_a_flow_without_costs_has_them_to_be_set(flow: Path) -> None:
    flow.write_text(FLOW.replace("COSTS = Costs(fees_bps=2, latency_ms=50)\n", ""))
    assert set_to(flow, latency_ms="7").costs.latency_ms == 7


def test_a_rule_can_be_another_function_of_the_file_that_takes_the_same(flow: Path) -> None:
    module = set_to(flow, cross="always").strategy.__globals__
    assert module["cross"] is module["always"]
    with pytest.raises(FlowError, match=r"--set cross=long: 'long' is no function here; there are"):
        set_to(flow, cross="long")


def test_a_name_that_several_have_must_be_whole(flow: Path) -> None:
    flow.write_text(f"{FLOW}\nWIDE = Barriers(stop_loss=0.1)\n")
    with pytest.raises(KnobError, match=r"there are BARRIERS\.stop_loss, WIDE\.stop_loss: name"):
        set_to(flow, stop_loss="0.1")
    assert set_to(flow, **{"WIDE.stop_loss": "0.2"}).settings["WIDE.stop_loss"] == "0.2"


def test_a_name_that_nothing_has_is_told_with_those_there_are(flow: Path) -> None:
    with pytest.raises(KnobError, match=r"--set stop_los: there is no such.*BARRIERS\.stop_loss"):
        set_to(flow, stop_los="0.1")


def test_what_a_class_refuses_is_told_with_the_line(flow: Path) -> None:
    line = FLOW.splitlines().index(
        "BARRIERS = Barriers(stop_loss=STOP, take_profit=0.003, timeout=timedelta(minutes=30))"
    )
    says = rf"cross\.py, line {line + 1}: .*--set BARRIERS\.stop_loss=-0\.1: stop_loss must be"
    with pytest.raises(FlowError, match=says):
        set_to(flow, stop_loss="-0.1")


def test_it_is_what_it_was_and_cannot_be_set_twice(flow: Path) -> None:
    with pytest.raises(KnobError, match=r"--set fast=x: 'x' is not a whole number .*; it is 2"):
        set_to(flow, fast="x")
    with pytest.raises(KnobError, match="FAST is set twice"):
        set_to(flow, fast="3", FAST="4")


def test_a_width_can_be_a_number_where_it_was_scaled() -> None:
    found = {one.name: one for one in knobs("B", Barriers(stop_loss=Scaled("volatility60", 2.0)))}
    assert found["B.stop_loss.times"].read("3") == 3.0
    assert found["B.stop_loss"].read("0.01") == 0.01


def test_what_an_author_made_up_can_be_set_too(flow: Path) -> None:
    @dataclass
    class Own:
        windows: tuple[int, ...] = (5, 20)
        name: str = "x"
        far: Nowhere | None = None  # type: ignore[name-defined]  # noqa: F821 - it is not known

    assert [one.name for one in knobs("OWN", Own())] == ["OWN.windows", "OWN.name"]
