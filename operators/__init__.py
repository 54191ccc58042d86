"""Pure state machines on a market's tape, and their thin Bytewax adapters."""

from operators.averages import averages
from operators.candles import candles
from operators.costs import Costs
from operators.entries import entries
from operators.entry import enter
from operators.limits import Limits
from operators.live import Live
from operators.moment import Moment
from operators.monitor import Barriers, Scaled
from operators.predict import predict
from operators.records import conclude
from operators.signals import base, leave, long, quote, reverse, short
from operators.slippage import CostLimit
from operators.tape import Tape
from operators.trade import trade
from schemas import Averages, Candle, Prediction, Signal, Value

__all__ = [
    "Averages",
    "Barriers",
    "Candle",
    "CostLimit",
    "Costs",
    "Limits",
    "Live",
    "Moment",
    "Prediction",
    "Scaled",
    "Signal",
    "Tape",
    "Value",
    "averages",
    "base",
    "candles",
    "conclude",
    "enter",
    "entries",
    "leave",
    "long",
    "predict",
    "quote",
    "reverse",
    "short",
    "trade",
]
