"""What history can be asked by name, and which table or view answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """What can be asked.

    Parameters
    ----------
    a_row
        What a row of the answer is, and says.
    relation
        The table or view that answers; empty for the one of the topic's own name.
    changed_in
        The tables in which a row of a view has its time, where the view cannot see by itself that
        it need not look at the others.

    """

    a_row: str
    relation: str = ""
    changed_in: tuple[str, ...] = ()


TOPICS = {
    "runs": Topic(
        "a run: flow, mode, stretch of the tape, positions, PnL by currency", "run_results"
    ),
    "results": Topic("a market of a run: positions, won, PnL, fees, best, worst"),
    "positions": Topic(
        "a position, open ones too: its name, entry, exit, why, PnL, barriers",
        changed_in=("opened", "closed"),
    ),
    "daily": Topic("a day of a market: positions, won, PnL, fees, funding"),
    "equity": Topic("a closed position: what its run had made by then, peak, drawdown"),
    "candles": Topic("a candle"),
    "averages": Topic("a candle's moving averages, by name"),
    "predictions": Topic("a decision point: odds or expected return, and the features"),
    "outcomes": Topic("how a decision's shadow position ended, with the model's running scores"),
    "model_metrics": Topic("an hour of a model: loss, that of knowing nothing, accuracy"),
    "calibration": Topic("a tenth of the odds: how many outcomes, the share won"),
    "decisions": Topic("a signal, and the order it became or why it was refused"),
    "signals": Topic("what the rule wanted"),
    "refused": Topic("what was wanted and not done, and why"),
    "orders": Topic("an order, with what the book promised"),
    "fills": Topic("a part of an order that was done, with its fee"),
    "order_costs": Topic("an order with fills: what it was expected to cost, what it did cost"),
    "slippage": Topic("a day's entries or exits of a market: slippage expected and realised"),
    "execution_gap": Topic(
        "a closed position beside the shadow that the model learnt from", changed_in=("closed",)
    ),
    "troubles": Topic("a fault, gap, reject, late trade or halt, in one list"),
    "gaps": Topic("a hole in a tape that was not filled in time"),
    "rejects": Topic("what could not be read, whole, with why"),
    "faults": Topic("an error in what the user wrote, with its traceback"),
    "lates": Topic("a trade that came too late for its candle"),
    "halts": Topic("a market that went to active, reducing or halted, and why"),
    "trades": Topic("a trade of an exchange, as it was taken in"),
    "books": Topic("the best levels of an order book"),
    "values": Topic("a number of another source, such as a funding rate"),
    "reports": Topic("what became of an order at the exchange"),
    "commands": Topic("a halt, reduce, resume, close or flatten, and who said it"),
    "receipts": Topic("a stretch of a deployment that was replayed and compared"),
    "deployments": Topic("one time that a flow was deployed: what, with which code, by whom"),
}
"""In the order in which they are told."""
