"""Take markets in: what exchanges send goes into the log, each market's in one order.

Nothing else reads an exchange. Strategies, history and recordings read the log.
"""

from bytewax import operators as op
from bytewax.dataflow import Dataflow

from connectors.exchange.source import ExchangeSource
from connectors.log.sink import LogSink


def ingest(exchanges: ExchangeSource, log: LogSink) -> Dataflow:
    """Return the flow from exchanges into the log."""
    flow = Dataflow("ingest")
    op.output("log", op.input("exchanges", flow, exchanges), log)
    return flow
