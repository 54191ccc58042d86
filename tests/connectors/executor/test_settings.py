"""An executor's settings, as they are without a word."""

from __future__ import annotations

from connectors.executor.settings import ExecutorSettings


def test_without_a_word_nothing_is_limited_stops_rest_and_each_market_is_compared() -> None:
    settings = ExecutorSettings()
    assert {*settings.limits} == {None}
    assert settings.rules.stops
    assert settings.rules.on_silence == "hold"
    assert settings.leverage is None
    assert 0 < settings.reconcile_seconds <= 60
