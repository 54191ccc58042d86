"""The metrics that there are: name, kind, labels, and what each says."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """What is known of a metric beside its values."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


def _counter(help_: str, *labels: str) -> Metric:
    return Metric("counter", help_, labels)


def _gauge(help_: str, *labels: str) -> Metric:
    return Metric("gauge", help_, labels)


def _times(help_: str, *labels: str) -> Metric:
    return Metric("histogram", help_, labels)


_M = "market"

DEPLOYMENT = {
    "tapedeck_state": _gauge("1 for the state that the deployment is in, 0 for others.", "state"),
    "tapedeck_state_since_seconds": _gauge("When that state began, seconds since 1970."),
    "tapedeck_restarts_total": _counter("How often the deployment was started again."),
}
"""Of a flow, as its parent knows it."""

FLOW = {
    "tapedeck_info": _gauge("1; what runs.", "flow", "run", "broker", "version"),
    "tapedeck_trades_total": _counter("Trades read.", _M),
    "tapedeck_events_total": _counter("Events concluded, by kind.", _M, "kind"),
    "tapedeck_orders_total": _counter("Orders asked for, by action.", _M, "action"),
    "tapedeck_reports_total": _counter("Reports of an executor, by status.", _M, "status"),
    "tapedeck_mode": _gauge("0 active, 1 reducing (exits only), 2 halted.", _M),
    "tapedeck_last_price": _gauge("The price of the last trade.", _M),
    "tapedeck_position_amount": _gauge("What is held; below 0 if short.", _M),
    "tapedeck_position_entry_price": _gauge("Its average entry price.", _M),
    "tapedeck_unrealised_pnl": _gauge("What it would make at the last price, before fees.", _M),
    "tapedeck_realised_pnl": _gauge("What closed positions made, after fees.", _M),
    "tapedeck_fees_paid": _gauge("Fees of closed positions, in the quote currency.", _M),
    "tapedeck_wins_total": _counter("Closed positions that made something.", _M),
    "tapedeck_model_loss": _gauge("Mean loss of the model in the whole run.", _M, "kind"),
    "tapedeck_model_base_loss": _gauge("That of knowing the base rate only.", _M, "kind"),
    "tapedeck_model_recent_loss": _gauge("Mean loss of late.", _M, "kind"),
    "tapedeck_model_recent_base_loss": _gauge("That of knowing the base rate only.", _M, "kind"),
    "tapedeck_model_drift": _gauge("How much of its edge the model has lost of late.", _M, "kind"),
    "tapedeck_event_lag_seconds": _gauge("From the stamp of what came last to now.", _M),
    "tapedeck_log_lag_messages": _gauge("Messages of the log that are not read yet."),
    "tapedeck_stage_seconds": _times("How long a batch of the tape took, by stage.", "stage"),
    "tapedeck_snapshot_seconds": _times("How long a snapshot took."),
    "tapedeck_history_waiting_blocks": _gauge("Blocks of rows that history has not got yet."),
    "tapedeck_history_waiting_bytes": _gauge("Their size on disk."),
    "tapedeck_history_troubled": _gauge("Processes that history does not take rows from."),
    "tapedeck_flow_processes": _gauge("Processes that say how they are."),
    "tapedeck_flow_memory_bytes": _gauge("Memory that they have in use."),
    "tapedeck_flow_cpu_seconds_total": _counter("Processor time that they have used."),
}
"""Of a flow, as its processes know it."""

EXECUTOR = {
    "tapedeck_executor_trading": _gauge("1 when the exchange was reached and orders are taken."),
    "tapedeck_executor_open_orders": _gauge("Orders not settled.", "status", "purpose"),
    "tapedeck_executor_position_amount": _gauge("What is held by fills.", "flow", _M),
    "tapedeck_executor_mode": _gauge("1 reducing, 2 halted; empty means all.", "flow", _M),
    "tapedeck_executor_realised_pnl": _gauge("What was made in all.", "quote"),
    "tapedeck_executor_realised_today": _gauge("What was made since 0:00 UTC.", "quote"),
    "tapedeck_executor_drawdown": _gauge("How far that is below its peak.", "quote"),
    "tapedeck_executor_doubts": _gauge("Orders of which nobody knows whether they are there."),
    "tapedeck_executor_oldest_doubt_seconds": _gauge("How long ago the oldest of them was sent."),
    "tapedeck_executor_troubles": _gauge("What it cannot do at present."),
    "tapedeck_executor_reports_waiting": _gauge("Reports not known to be in the log."),
    "tapedeck_executor_reports_total": _counter("Reports told.", "status", "purpose"),
    "tapedeck_executor_differences_total": _counter(
        "Commands of its own: markets whose holdings do not fit."
    ),
    "tapedeck_executor_reconciliations_total": _counter("Comparisons with the exchange.", "result"),
    "tapedeck_executor_order_seconds": _times("From sending an order to a report.", "status"),
    "tapedeck_executor_request_budget": _gauge("What may be asked of the exchange at once."),
    "tapedeck_executor_requests_used": _gauge("How much of it is used."),
}
"""Of an account's executor."""

INTAKE = {
    "tapedeck_ingest_trades_total": _counter("Trades that came.", _M),
    "tapedeck_ingest_books_total": _counter("Books that were written.", _M),
    "tapedeck_ingest_mishaps_total": _counter("What went wrong, by kind.", _M, "kind"),
    "tapedeck_ingest_arrival_seconds": _gauge("From the last trade's stamp to its arrival.", _M),
    "tapedeck_ingest_away": _gauge("Feeds that cannot be taken in at present."),
    "tapedeck_ingest_history_troubled": _gauge("Processes that history does not take from."),
    "tapedeck_ingest_log_seconds": _times("How long the log took to keep a batch."),
}
"""Of what takes markets in."""

MACHINE = {
    "tapedeck_disk_free_bytes": _gauge("Free where TAPEDECK_HOME is."),
    "tapedeck_disk_size_bytes": _gauge("Size of the disk where TAPEDECK_HOME is."),
    "tapedeck_notices_total": _counter("Notices by what became of them.", "outcome"),
    "tapedeck_notices_waiting": _gauge("Notices that wait to be sent."),
}
"""Of every process that publishes."""

METRICS = {**DEPLOYMENT, **FLOW, **EXECUTOR, **INTAKE, **MACHINE}
"""All of them, by name."""
