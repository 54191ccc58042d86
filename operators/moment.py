"""What a rule, and the features of a model, may know: the latest conclusions on the tape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas import Averages, Candle, Event, Prediction, Time, Value

KINDS: frozenset[type[Event]] = frozenset({Candle, Averages, Prediction, Value})
"""What a moment is made of."""


@dataclass(slots=True)
class Moment:
    """The latest of each kind of event, at one point of one market's tape.

    What has not been seen yet raises `LookupError`: ask for it only behind its first.
    """

    market: str
    ts: Time
    values: Mapping[str, float]
    """The latest `Value` of each series."""
    before: Moment | None
    """The moment of the previous call; `None` at the first."""
    latest_candle: Candle | None
    latest_averages: Averages | None
    latest_prediction: Prediction | None

    @property
    def candle(self) -> Candle:
        """The latest candle."""
        if self.latest_candle is None:
            raise LookupError(_MISSING.format("candle", "candles"))
        return self.latest_candle

    @property
    def averages(self) -> Averages:
        """The latest averages."""
        if self.latest_averages is None:
            raise LookupError(_MISSING.format("averages", "averages"))
        return self.latest_averages

    @property
    def prediction(self) -> Prediction:
        """The latest prediction."""
        if self.latest_prediction is None:
            raise LookupError(_MISSING.format("prediction", "predict"))
        return self.latest_prediction

    @property
    def odds(self) -> float:
        """The odds of the latest prediction, which a classifier gave."""
        odds = self.prediction.odds
        if odds is None:
            msg = "a regressor gives no odds: ask for now.prediction.expected"
            raise LookupError(msg)
        return odds


@dataclass(slots=True)
class Watch:
    """Keep what moments are made of. It pickles."""

    candle: Candle | None = None
    averages: Averages | None = None
    prediction: Prediction | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    before: Moment | None = None

    def see(self, event: Event) -> None:
        """Take an event into account."""
        kind = type(event)
        if kind is Candle:
            self.candle = event  # type: ignore[assignment]
        elif kind is Averages:
            self.averages = event  # type: ignore[assignment]
        elif kind is Prediction:
            self.prediction = event  # type: ignore[assignment]
        elif isinstance(event, Value):
            self.values = {**self.values, event.series: event.value}

    def moment(self, event: Event) -> Moment:
        """Return the moment right behind `event`, which the next one will know as `before`."""
        before = self.before
        moment = Moment(
            event.market, event.ts, self.values, before,  # type: ignore[arg-type]
            self.candle, self.averages, self.prediction,
        )  # fmt: skip
        if before is not None:
            before.before = None  # one deep, else each moment would keep all before it
        self.before = moment
        return moment


_MISSING = "no {} on the tape yet: is there a `{}` step in front of this one?"
