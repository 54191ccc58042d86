"""Predict: a label is to the last digit what a position did, and is learnt behind its exit."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import (
    cluster,
    compose,
    ensemble,
    forest,
    linear_model,
    naive_bayes,
    optim,
    preprocessing,
    tree,
)
from river.base import Estimator
from river.preprocessing import FeatureHasher

from operators.costs import Costs
from operators.moment import Moment
from operators.monitor import Barriers
from operators.predict import Model, Predict, relative
from operators.signals import Size, base, quote
from operators.tape import ShapeChangedError, _Logic
from operators.trade import Trade
from schemas import (
    SECOND,
    Averages,
    Candle,
    Closed,
    Event,
    Fault,
    Fill,
    Halt,
    Numbers,
    Opened,
    Order,
    Outcome,
    Prediction,
    Refused,
    Side,
    Signal,
    Trades,
    Value,
)
from tests.desk import BARRIERS, COSTS, MAX_SLIPPAGE, TIMED, sessions, trade
from tests.tapes import MARKET, START, chop, cuts, play, rows, witnessed

DECIDING = ((*TIMED, "instrument", "value"), 40, ("trade", "book", "averages"))
FREE = Costs()
TIGHT = Barriers(stop_loss=0.005, take_profit=0.005)


@dataclass
class Counting:
    """A classifier whose odds tell how often it has learnt, and which remembers what."""

    learnt: list[tuple[Numbers, object]] = field(default_factory=list)

    def predict_proba_one(self, x: Numbers) -> dict[bool, float]:
        return {True: len(self.learnt) / 1_000}

    def learn_one(self, x: Numbers, y: object) -> None:
        self.learnt.append((x, y))


def seen(now: Moment) -> Numbers:
    return {"volatility": now.averages.volatility20, "values": float(len(now.values))}


def averages(sma5: float = 100.0, ts: int = START) -> Averages:
    return Averages(MARKET, ts, {"sma5": sma5, "volatility20": 0.0025})


def scaled(model: Estimator) -> compose.Pipeline:
    return preprocessing.StandardScaler() | model


def voted(model: Estimator) -> Model:
    models = [tree.HoeffdingTreeClassifier(), model]
    return ensemble.VotingClassifier(models)  # type: ignore[arg-type]


def candle(count: int) -> Candle:
    return Candle(
        MARKET, START, "1m", START, START, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, count,
        0.0, 0.0, 0, 0, 0.0, "", "", START, START, complete=True,
    )  # fmt: skip


def predicted(tape: list[Event], **others: object) -> list[Event]:
    """Return what a new machine adds to a tape."""
    given = {"on": Averages, "model": Counting, "barriers": TIGHT, "costs": FREE, "features": seen}
    made = lambda: Predict(**{**given, **others})  # type: ignore[arg-type] # noqa: E731
    return [out for out in play(made, tape) if isinstance(out, (Prediction, Outcome, Fault))]


# Labels are positions -----------------------------------------------------------------------------


class Alone(NamedTuple):
    """What became of one decision, had a position been opened there, and nothing else."""

    began: bool
    over: int
    """Behind how many rows of the tape it ended."""
    closed: Closed | None


def alone(tape: list[Event], decision: int, machine: Callable[[], Trade], want: Signal) -> Alone:
    """Let `Trade` obey one signal, behind the event number `decision` of the tape."""
    behind = decision + 1
    out = play(machine, [*tape[:behind], want, *tape[behind:]])
    row, began, over, closed = 0, False, 10**9, None
    for event in rows(out):
        row += not isinstance(event, (Signal, Order, Fill, Opened, Closed, Refused))
        began = began or isinstance(event, Order)
        if isinstance(event, Closed):
            over, closed = row, event
        if isinstance(event, Refused) and began and "nothing" in event.why:
            over = row
    return Alone(began, over, closed)


def outcomes(
    tape: list[Event],
    machine: Callable[[], Trade],
    side: Side,
    size: Size,
    max_open: int,
) -> list[tuple[object, ...]]:
    """Return all outcomes in order of the tape, from positions that know nothing of each other."""
    opened: list[tuple[int, Alone]] = []
    skipped: list[tuple[int, int]] = []
    decisions = [(row, event.ts) for row, event in enumerate(tape) if type(event) is Averages]
    for number, (row, ts) in enumerate(decisions, 1):
        want = Signal(MARKET, ts, side, *size, "")
        full = sum(life.over > row + 1 for _, life in opened) >= max_open
        life = None if full else alone(tape, row, machine, want)
        if life is None or not life.began:
            skipped.append((row + 1, number))
        else:
            opened.append((number, life))
            if life.closed is None:
                skipped.append((life.over, number))
    closed = [(life.over, number, life.closed) for number, life in opened if life.closed]
    return [
        (
            over, number, c.ts, c.side, float(c.entry), float(c.exit), c.opened_ts, c.why,
            c.net_return, c.net_return > 0, sum(end < (over, number) for end in skipped),
        )
        for over, number, c in sorted(closed, key=lambda end: end[:2])
    ]  # fmt: skip


@given(
    sessions(*DECIDING),
    BARRIERS,
    COSTS,
    MAX_SLIPPAGE,
    st.sampled_from(["long", "short"]),
    st.sampled_from([quote(1_000), base(3.0), base(0.004)]),
    st.sampled_from([1, 2, 1_000]),
    cuts(100),
    cuts(100),
)
@settings(max_examples=150)
def test_a_label_is_what_a_position_did(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    slippage: float | None,
    side: Side,
    size: Size,
    max_open: int,
    cut: Container[int],
    restarts: Container[int],
) -> None:
    def machine() -> Predict:
        return Predict(
            Averages, Counting, barriers, costs, seen, side, size, max_open, slippage
        )  # fmt: skip

    found, row = [], 0
    for out in rows(play(machine, chop(tape, cut), restarts)):
        row += not isinstance(out, (Prediction, Outcome))
        if isinstance(out, Outcome):
            found.append(
                (
                    row, out.decision, out.ts, out.side, out.entry, out.exit, out.entry_ts,
                    out.why, out.net_return, out.label, out.metrics["skipped"],
                )
            )  # fmt: skip
    single = chop(tape, range(1_000))
    assert found == outcomes(single, lambda: Trade(barriers, costs, slippage), side, size, max_open)


# Predicted first, learnt behind the exit ----------------------------------------------------------


@given(sessions(*DECIDING), BARRIERS, COSTS, cuts(100), cuts(100))
def test_each_decision_is_predicted_before_its_outcome_is_learnt(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    cut: Container[int],
    restarts: Container[int],
) -> None:
    predictions: list[Prediction] = []
    learnt: list[tuple[Numbers, object]] = []
    machine = Predict(Averages, Counting, barriers, costs, seen)
    for out in (out for event in chop(tape, cut) for out in machine(event)):
        if isinstance(out, Prediction):
            assert out.decision == len(predictions) + 1
            assert out.odds == len(learnt) / 1_000
            predictions.append(out)
        if isinstance(out, Outcome):
            asked = predictions[out.decision - 1]
            assert (out.odds, out.expected) == (asked.odds, None)
            assert out.metrics["count"] == len(learnt) + 1
            learnt.append((asked.features, out.label))
    assert machine.state.model.model == Counting(learnt)


MODELS: list[Callable[[], Model]] = [
    lambda: scaled(linear_model.LogisticRegression()),
    lambda: forest.ARFClassifier(n_models=3, seed=1),
    naive_bayes.GaussianNB,
    lambda: scaled(linear_model.LinearRegression()),
]


@pytest.mark.parametrize("model", MODELS)
@given(sessions(*DECIDING), cuts(100), cuts(60))
@settings(max_examples=15)
def test_no_cut_and_no_restart_changes_what_a_model_knows(
    model: Callable[[], Model], tape: list[Event], cut: Container[int], restarts: Container[int]
) -> None:
    def machine() -> Predict:
        return Predict(Averages, model, TIGHT, FREE, seen)

    assert witnessed(machine, chop(tape, cut), restarts) == witnessed(machine, tape)


def test_a_regressor_learns_the_return_itself() -> None:
    @dataclass
    class Mean:
        learnt: list[float] = field(default_factory=list)

        def predict_one(self, x: Numbers) -> float:
            return sum(self.learnt)

        def learn_one(self, x: Numbers, y: float) -> None:
            self.learnt.append(y)

    machine = Predict(Averages, Mean, TIGHT, FREE, seen)
    shut = [trade(100.0), trade(99.0), trade(98.0)]
    tape: list[Event] = [trade(100.0), averages(), *shut, averages()]
    out = [out for event in tape for out in machine(event)]
    _, outcome, second = (o for o in out if isinstance(o, (Prediction, Outcome)))
    assert isinstance(outcome, Outcome)
    assert isinstance(second, Prediction)
    assert machine.state.model.model == Mean([-0.02])
    assert (outcome.expected, outcome.odds, outcome.net_return) == (0.0, None, -0.02)
    assert (second.expected, second.odds) == (-0.02, None)
    assert outcome.metrics["mae"] == 0.02


def test_a_return_of_nothing_is_no_gain() -> None:
    tape: list[Event] = [trade(100.0), averages(), trade(100.0)]
    shut = [trade(100.0, START + SECOND), trade(100.0, START + SECOND)]
    soon = Barriers(timeout=timedelta(seconds=1))
    (outcome,) = (o for o in predicted([*tape, *shut], barriers=soon) if isinstance(o, Outcome))
    assert (outcome.net_return, outcome.label, outcome.why) == (0.0, False, "timeout")


# Which moments are decisions ----------------------------------------------------------------------


def test_a_flat_candle_is_no_decision_but_a_value_behind_it_is() -> None:
    tape: list[Event] = [candle(0), averages(), candle(1), averages(), candle(0), averages()]
    assert [p.decision for p in predicted(tape) if isinstance(p, Prediction)] == [1]
    tape = [averages(), candle(0), Value(MARKET, START, "funding", 0.1)]
    assert [type(p) for p in predicted(tape, on=Value)] == [Prediction]
    assert not predicted([candle(0), averages()], on=Candle)


def test_what_is_skipped_is_counted() -> None:
    shut = [trade(100.0), trade(90.0), trade(90.0)]
    tape: list[Event] = [averages(), trade(100.0), averages(), averages(), averages(), *shut]
    (outcome,) = (o for o in predicted(tape, max_open=1) if isinstance(o, Outcome))
    assert outcome.decision == 2
    assert outcome.metrics["skipped"] == 3.0


def test_the_default_features_are_distances_to_the_averages() -> None:
    now = Moment(MARKET, START, {}, None, candle(1), averages(0.8), None)
    assert relative(now) == {"sma5": 1.0 / 0.8 - 1, "volatility20": 399.0, "buy_share": 0.5}


# What the user wrote may fail ---------------------------------------------------------------------


class Broken(Counting):
    """Ask it to learn, and it fails."""

    def learn_one(self, x: Numbers, y: object) -> None:
        msg = "no more room"
        raise MemoryError(msg)


def answers(odds: object) -> Callable[[], Counting]:
    class Answering(Counting):
        def predict_proba_one(self, x: Numbers) -> dict[bool, float]:
            return odds  # type: ignore[return-value]

    return Answering


def fails(now: Moment) -> Numbers:
    return {"candle": now.candle.close}


@pytest.mark.parametrize(
    ("others", "where", "error"),
    [
        ({"features": fails}, "features", "LookupError: no candle on the tape yet"),
        ({"features": lambda _: {"x": float("nan")}}, "features", "ValueError: feature 'x' is nan"),
        ({"features": lambda _: {"x": "much"}}, "features", "ValueError: could not convert"),
        ({"features": lambda _: None}, "features", "AttributeError"),
        ({"model": answers({True: float("nan")})}, "model", "ValueError: the model answered nan"),
        ({"model": answers({True: 1.5})}, "model", "ValueError: the model answered 1.5"),
        ({"model": answers(0.7)}, "model", "AttributeError: 'float' object has no attribute 'get'"),
    ],
)
def test_what_fails_is_a_fault_and_no_decision(
    others: dict[str, object], where: str, error: str
) -> None:
    out = predicted([trade(100.0), averages(), trade(100.0)], **others)
    assert [type(o) for o in out] == [Fault]
    assert isinstance(out[0], Fault)
    assert (out[0].where, out[0].error[: len(error)]) == (where, error)


def test_a_model_that_fails_to_learn_is_a_fault_behind_the_outcome_and_exits_go_on() -> None:
    first = Predict(Averages, Broken, TIGHT, FREE, seen)
    second = Trade(Barriers(stop_loss=0.03), FREE)
    want = Signal(MARKET, START, "long", 1.0, "base", "")
    tape: list[Event] = [
        trade(100.0),
        averages(),
        want,
        *map(trade, (100.0, 99.0, 98.0, 97.0, 96.0)),
    ]
    out = [o for event in tape for mid in first(event) for o in second(mid)]
    kinds = [type(o) for o in out if not isinstance(o, Trades)]
    assert kinds[kinds.index(Outcome) :] == [Outcome, Fault, Halt, Order, Fill, Closed]


@pytest.mark.parametrize(("known", "odds"), [({}, 0.5), ({False: 1.0}, 0.0), ({True: 1.0}, 1.0)])
def test_a_label_never_seen_has_no_odds(known: dict[bool, float], odds: float) -> None:
    (prediction,) = predicted([averages()], model=answers(known))
    assert isinstance(prediction, Prediction)
    assert prediction.odds == odds


# Models that cannot be repeated, or are others ----------------------------------------------------


def normal() -> linear_model.LogisticRegression:
    return linear_model.LogisticRegression(initializer=optim.initializers.Normal())


UNSEEDED: list[tuple[str, Callable[[], Model]]] = [
    ("ARFClassifier", forest.ARFClassifier),
    ("ARFClassifier", lambda: scaled(forest.ARFClassifier())),
    ("ARFClassifier", lambda: compose.Pipeline(("x", forest.ARFClassifier()))),
    ("Normal", normal),
    ("Normal", lambda: ensemble.BaggingClassifier(normal(), seed=1)),
    ("BaggingClassifier", lambda: ensemble.BaggingClassifier(tree.HoeffdingTreeClassifier())),
    ("ARFClassifier", lambda: voted(forest.ARFClassifier())),
    ("ARFClassifier", lambda: voted(scaled(forest.ARFClassifier()))),
    ("FeatureHasher", lambda: scaled(compose.TransformerUnion(("x", FeatureHasher())))),
]


@pytest.mark.parametrize(("name", "model"), UNSEEDED)
def test_a_model_with_an_unset_seed_is_refused_by_name(
    name: str, model: Callable[[], Model]
) -> None:
    with pytest.raises(ValueError, match=f"^{name} has no seed"):
        Predict(Averages, model, TIGHT, FREE)


@pytest.mark.parametrize(
    "model",
    [
        lambda: None,
        lambda: linear_model.LogisticRegression,
        preprocessing.StandardScaler,
        lambda: preprocessing.StandardScaler() | preprocessing.StandardScaler(),
        lambda: cluster.KMeans(seed=1),
    ],
)
def test_what_cannot_be_asked_or_taught_is_no_model(model: Callable[[], Model]) -> None:
    with pytest.raises(TypeError, match=r"^model\(\) returned .*is no classifier or regressor of"):
        Predict(Averages, model, TIGHT, FREE)


def test_a_taught_model_does_not_go_on_as_another() -> None:
    def logic(rate: float, saved: bytes | None = None) -> _Logic:
        def model() -> Model:
            return scaled(linear_model.LogisticRegression(optim.SGD(rate)))

        return _Logic("predict", Predict(Averages, model, TIGHT, FREE), saved)

    saved = logic(0.1).snapshot()
    logic(0.1, saved)
    with pytest.raises(ShapeChangedError, match=r"learning_rate=0\.1"):
        logic(0.2, saved)


def test_only_what_a_moment_is_made_of_is_a_decision_point() -> None:
    with pytest.raises(ValueError, match="Trades"):
        Predict(Trades, Counting, TIGHT, FREE)


def test_its_state_pickles_small() -> None:
    machine = Predict(Averages, MODELS[0], TIGHT, FREE, seen)
    for event in (trade(100.0), averages(), trade(100.0), averages()):
        list(machine(event))
    assert len(pickle.dumps(machine.state)) < 10_000
