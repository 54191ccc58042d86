"""Moments: the latest of each kind, and the moment before, one deep."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.moment import Moment, Watch
from schemas import Averages, Candle, Event, Prediction, Value

M = "test:BTC/USDT"
NUMBER = st.integers(0, 99)
KINDS: dict[str, type[Event]] = {"candle": Candle, "averages": Averages, "prediction": Prediction}


def candle(at: int) -> Candle:
    return Candle(
        M, at, "1m", at, at, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, 0.0, 0.0, 0, 0, 1.0, "", "", at, at,
        complete=True,
    )  # fmt: skip


EVENTS = st.one_of(
    st.builds(candle, NUMBER),
    st.builds(lambda at: Averages(M, at, {"sma5": float(at)}), NUMBER),
    st.builds(lambda at: Prediction(M, at, at, 0.5, None, {}), NUMBER),
    st.builds(lambda at, series: Value(M, at, series, at / 2), NUMBER, st.sampled_from("ab")),
)


@given(st.lists(EVENTS), st.sampled_from([Candle, Averages, Prediction, Value]), st.booleans())
def test_a_moment_is_the_latest_of_each_kind(
    events: list[Event], on: type[Event], restarted: bool
) -> None:
    watch, called = Watch(), list[Moment]()
    for number, event in enumerate(events):
        watch = pickle.loads(pickle.dumps(watch)) if restarted else watch
        watch.see(event)
        if type(event) is not on:
            continue
        now, so_far = watch.moment(event), events[: number + 1]
        for name, kind in KINDS.items():
            latest = [e for e in so_far if type(e) is kind]
            if latest:
                assert getattr(now, name) == latest[-1]
            else:
                with pytest.raises(LookupError, match=name):
                    getattr(now, name)
        assert now.values == {e.series: e.value for e in so_far if isinstance(e, Value)}
        assert (now.market, now.ts) == (event.market, event.ts)
        if called:
            assert now.before is not None
            assert now.before.before is None
            assert (now.before.ts, now.before.values) == (called[-1].ts, called[-1].values)
        else:
            assert now.before is None
        called.append(now)


def test_a_watch_does_not_grow() -> None:
    watch = Watch()
    for at in range(1_000):
        watch.see(Averages(M, at, {"sma5": 1.0}))
        watch.moment(Averages(M, at, {"sma5": 1.0}))
    assert len(pickle.dumps(watch)) < 1_000
