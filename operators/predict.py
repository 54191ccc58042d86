"""Predict, and learn from what became of it: every decision point opens a shadow position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeAlias

from river.base import Base, Clusterer

from operators.costs import Costs
from operators.guard import guarded
from operators.life import Lives
from operators.moment import KINDS, Moment, Watch
from operators.monitor import Barriers
from operators.operator import operator
from operators.paper import PaperBroker, Taken, View, size_of
from operators.scores import ClassifierScores, RegressorScores
from operators.shadows import Over, Shadow, Shadows
from operators.signals import Size, quote
from operators.tape import Tape, run
from operators.taught import Model as Model  # noqa: PLC0414 - flows import it from here
from operators.taught import Taught
from schemas import (
    Book,
    Event,
    Fault,
    Heartbeat,
    Instrument,
    Numbers,
    Outcome,
    Prediction,
    Side,
    Time,
    Trades,
    Value,
)

_DUST = 1e-9
"""How far rounding may carry odds out of 0 to 1."""
_MADE_OF = ("steps", "transformers")
"""Where River keeps the parts of a pipeline, and of a union."""


Features: TypeAlias = Callable[[Moment], Mapping[str, float]]
"""What a model is shown: a plain function, so that it can be read and tested."""


def relative(now: Moment) -> Numbers:
    """Return each average as the close's distance to it, and the share of buyers' volume.

    The default features. They need averages in front of the prediction.
    """
    candle = now.candle
    features = {name: candle.close / value - 1 for name, value in now.averages.values.items()}
    features["buy_share"] = candle.buy_volume / candle.volume if candle.volume else 0.5
    return features


@dataclass(slots=True)
class _State:
    model: Taught
    scores: ClassifierScores | RegressorScores
    watch: Watch = field(default_factory=Watch)
    view: View = field(default_factory=View)
    shadows: Shadows = field(default_factory=Shadows)
    decisions: int = 0
    skipped: int = 0
    """Decision points that opened no shadow: too many were open, there was no price or no fill."""


class UnseededError(ValueError):
    """A model that would not do the same thing twice."""


class Predict:
    """Ask a model behind each event of one kind; teach it what became of each decision.

    A decision opens a shadow position that enters and leaves through the paper broker at the
    run's costs. Behind its exit fill stands the `Outcome`, and there the model learns: with the
    features it saw at the entry, and "return after costs > 0" (a regressor: the return).

    Parameters
    ----------
    on
        The kind of event that is a decision point. A flat candle is none.
    model
        Makes a new model; each market has its own.
    barriers, side, size
        Of the shadow positions. Give them what the rule trades, and in paper mode a label is to
        the last digit what the position did.
    costs
        What orders pay.
    features
        What the model is shown.
    max_open
        At most so many shadows at once; what is skipped is counted among the metrics.
    max_slippage
        How far from the best level of the book an entry may go, as a part of its price.

    Raises
    ------
    UnseededError
        When a part of the model has an unset seed: it would not do the same thing twice.
    TypeError
        When it is no model that can be asked and taught one by one.

    Examples
    --------
    >>> from river.linear_model import LogisticRegression
    >>> machine = Predict(
    ...     Value, LogisticRegression, Barriers(take_profit=0.01), Costs(),
    ...     features=lambda now: now.values, size=quote(100),
    ... )
    >>> trades = Trades.of("m", [1, 2, 3, 4], [100.0, 100.0, 101.0, 102.0], [1.0] * 4)
    >>> events = trades.cut(0, 1), Value("m", 1, "mood", 0.5), trades.cut(1, 4)
    >>> tape = [out for event in events for out in machine(event)]
    >>> [(out.decision, out.odds) for out in tape if type(out) is Prediction]
    [(1, 0.5)]
    >>> [(out.decision, out.why, out.label) for out in tape if type(out) is Outcome]
    [(1, 'take', True)]

    Notes
    -----
    State: the model, and some 500 bytes an open shadow, of which there are at most `max_open`.

    """

    def __init__(
        self,
        on: type[Event],
        model: Callable[[], Model],
        barriers: Barriers,
        costs: Costs,
        features: Features = relative,
        side: Side = "long",
        size: Size = quote(1_000),  # noqa: B008 - a constant
        max_open: int = 1_000,
        max_slippage: float | None = None,
    ) -> None:
        if on not in KINDS:
            msg = f"on must be Candle, Averages, Prediction or Value, not {on!r}"
            raise ValueError(msg)
        first = model()
        refuse_unseeded(first)
        _refuse_dumb(first)
        self.on = on
        self.barriers = barriers
        self.features = features
        self.side: Side = side
        self.size = size
        self.max_open = max_open
        self.max_slippage = max_slippage
        self.regresses = not hasattr(_last(first), "predict_proba_one")
        self.shape = ("predict", 2, type(first).__name__, *_settings(first))
        self.reads = KINDS | {Trades, Book, Heartbeat, Instrument}
        self.broker = PaperBroker(costs)
        self.lives = Lives(self.broker)
        scores = RegressorScores() if self.regresses else ClassifierScores()
        self.state = _State(Taught(first, self.regresses), scores)

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, and behind it, or its parts, outcomes and predictions."""
        state = self.state
        if type(event) is Trades:
            if len(state.shadows):
                return self._trades(event)
            state.view.price = event.columns.price.item(event.stop - 1)
            return (event,)
        return (event, *self._behind(event))

    def _behind(self, event: Event) -> Iterator[Event]:
        """Yield what follows from an event that is no trade."""
        state = self.state
        if type(event) is Book:
            yield from self._sign(event.market, event.ts, event)
            state.view.book = event
        elif type(event) is Heartbeat:
            yield from self._sign(event.market, event.ts, None)
        elif type(event) is Instrument:
            state.view.instrument = event
        else:
            state.watch.see(event)
            if type(event) is self.on and (self.on is Value or not _flat(state.watch)):
                yield from self._decide(state.watch.moment(event))

    def _sign(self, market: str, ts: Time, book: Book | None) -> Iterator[Event]:
        state = self.state
        for end in state.shadows.sign(self.lives, ts, book, state.view):
            yield from self._learn(market, end)

    def _trades(self, trades: Trades) -> Iterable[Event]:
        state = self.state
        over = state.shadows.trades(self.lives, trades, state.view)
        state.view.price = trades.columns.price.item(trades.stop - 1)
        return self._cut(trades, over) if over else (trades,)

    def _cut(self, trades: Trades, over: list[Over]) -> Iterator[Event]:
        done = 0
        for end in over:
            if end.row >= done:
                yield trades.cut(done, end.row + 1)
                done = end.row + 1
            yield from self._learn(trades.market, end)
        if done < len(trades):
            yield trades.cut(done, len(trades))

    def _decide(self, now: Moment) -> Iterator[Event]:
        state = self.state
        features = guarded(now.market, now.ts, "features", lambda: _finite(self.features(now)))
        if isinstance(features, Fault):
            yield features
            return
        answer = guarded(now.market, now.ts, "model", lambda: self._ask(features))
        if isinstance(answer, Fault):
            yield answer
            return
        state.decisions += 1
        odds, expected = (None, answer) if self.regresses else (answer, None)
        yield Prediction(now.market, now.ts, state.decisions, odds, expected, features)
        averages = state.watch.averages
        widths = self.barriers.widths({} if averages is None else averages.values)
        sign = 1 if self.side == "long" else -1
        price = state.view.reference(sign, now.ts, self.broker.max_book_age)
        if widths is None or price is None or len(state.shadows) >= self.max_open:
            state.skipped += 1
            return
        amount = size_of(self.size.amount, self.size.unit, price, state.view.instrument)
        if isinstance(amount, str):
            state.skipped += 1
            return
        life = self.lives.begin(self.side, amount, widths, now.ts, Taken(), self.max_slippage)
        state.shadows.moving.append(Shadow(state.decisions, life, features, odds, expected))

    def _ask(self, features: Numbers) -> float:
        number = self.state.model.answer(features)
        if not isfinite(number) or not (self.regresses or -_DUST <= number <= 1 + _DUST):
            msg = f"the model answered {number}"
            raise ValueError(msg)
        return number

    def _learn(self, market: str, end: Over) -> Iterator[Event]:
        state, shadow = self.state, end.shadow
        life = shadow.life
        if not life.exits:
            state.skipped += 1
            return
        made = life.result(state.view)
        label = made.net_return > 0
        if isinstance(state.scores, RegressorScores):
            assert shadow.expected is not None  # noqa: S101 - a regressor expects something
            state.scores.update(shadow.expected, made.net_return)
        else:
            assert shadow.odds is not None  # noqa: S101 - a classifier gives odds
            state.scores.update(shadow.odds, label)
        metrics = {**state.scores.numbers(), "skipped": float(state.skipped)}
        yield Outcome(
            market, end.ts, shadow.decision, life.side, float(made.entry), float(made.exit),
            life.opened, life.why, made.net_return, label, shadow.odds, shadow.expected, metrics,
        )  # fmt: skip
        truth = made.net_return if self.regresses else label
        fault = guarded(market, end.ts, "model", lambda: state.model.learn(shadow.features, truth))
        if isinstance(fault, Fault):
            yield fault


def refuse_unseeded(model: object) -> None:
    """Refuse a model with a part whose seed is not set.

    Examples
    --------
    >>> from river import forest
    >>> try:
    ...     refuse_unseeded(forest.ARFClassifier())
    ... except UnseededError as error:
    ...     print(error)
    ARFClassifier has no seed: set one, such as seed=1, or no run can be repeated

    """
    for name, settings in _parts("", model):
        if settings.get("seed", name) is None:
            msg = f"{name} has no seed: set one, such as seed=1, or no run can be repeated"
            raise UnseededError(msg)


def _refuse_dumb(model: object) -> None:
    """Refuse what is no model, or what cannot be asked or taught one by one."""
    last = _last(model)
    answers = hasattr(last, "predict_proba_one") or hasattr(last, "predict_one")
    if isinstance(last, (type, Clusterer)) or not (answers and hasattr(last, "learn_one")):
        name = " ".join(repr(model).split())
        msg = (
            f"model() returned {name}, which is no classifier or regressor of River's: it must "
            f"end in one that has learn_one and predict_proba_one or predict_one"
        )
        raise TypeError(msg)


def _last(model: object) -> object:
    """Return the step of a pipeline that answers; a pipeline itself says it can do anything."""
    steps = getattr(model, "steps", None)
    return _last(list(steps.values())[-1]) if isinstance(steps, Mapping) and steps else model


def _parts(name: str, part: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the name and the settings of a model, and of all that it is made of.

    River keeps a part as it is, or, among the settings of another, as its class and settings.
    """
    if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], type):  # noqa: PLR2004
        name, part = part[0].__name__, part[1]
    elif isinstance(part, Base):
        name = type(part).__name__
        part = next((getattr(part, of) for of in _MADE_OF if hasattr(part, of)), part._get_params())
    if isinstance(part, Mapping):
        yield name, part
        for key, inner in part.items():
            yield from _parts(str(key), inner)
    elif isinstance(part, (list, tuple)):
        for inner in part:
            yield from _parts(name, inner)


def _settings(model: object) -> list[str]:
    """Write down what a model is made of: one that was taught goes on only if that is the same."""
    plain = (bool, int, float, str, type(None))
    return [
        f"{name}({', '.join(f'{k}={v!r}' for k, v in settings.items() if isinstance(v, plain))})"
        for name, settings in _parts("", model)
    ]


def _finite(features: Mapping[str, float]) -> Numbers:
    numbers = {name: float(value) for name, value in features.items()}
    for name, value in numbers.items():
        if not isfinite(value):
            msg = f"feature {name!r} is {value}"
            raise ValueError(msg)
    return numbers


def _flat(watch: Watch) -> bool:
    return watch.candle is not None and watch.candle.count == 0


@operator
def predict(
    step_id: str,
    tape: Tape,
    on: type[Event],
    model: Callable[[], Model],
    barriers: Barriers,
    features: Features = relative,
    side: Side = "long",
    size: Size = quote(1_000),  # noqa: B008 - a constant
    max_open: int = 1_000,
    max_slippage: float | None = None,
) -> Tape:
    """Add a model's predictions behind each event of the type `on`, and what became of each.

    See `Predict` for the parameters.
    """
    return run(
        "predict",
        tape,
        lambda: Predict(
            on, model, barriers, tape.costs, features, side, size, max_open, max_slippage
        ),
    )
