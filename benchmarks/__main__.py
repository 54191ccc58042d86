"""`make bench`: the tables, in ten minutes; or those named: `make bench ARGS="replay memory"`.

`ingest`, `orders`, `scale`, `history` and `page` run only when they are named: they want the
machine for themselves. `make bench ARGS="ingest"` takes half an hour, or in short `make bench
ARGS="ingest --seconds 5 --hold 10"`; `make bench ARGS="orders"` takes two minutes, `scale` eight,
`history` ten (and 3 GB of the temporary directory's disk), `page` a quarter of an hour, or three
minutes with `--events 100000`.
"""

import signal
import sys
from argparse import ArgumentParser
from functools import partial

from rich.console import Console

from benchmarks import (
    bench_history,
    bench_ingest,
    bench_log,
    bench_memory,
    bench_operators,
    bench_orders,
    bench_page,
    bench_replay,
    bench_scale,
)

TABLES = {
    "replay": bench_replay.bench,
    "operators": bench_operators.bench,
    "memory": bench_memory.bench,
    "log": bench_log.bench,
}


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = ArgumentParser("make bench", description=__doc__)
    known = (*TABLES, "ingest", "orders", "scale", "history", "page")
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(known)}; all but the last five")
    parser.add_argument(
        "--seconds", type=float, default=bench_ingest.SECONDS,
        help="of ingest and orders: how long latencies are measured (%(default).0f)",
    )  # fmt: skip
    parser.add_argument(
        "--hold", type=float, default=bench_ingest.HOLD_SECONDS,
        help="of ingest: how long a rate must hold (%(default).0f)",
    )  # fmt: skip
    parser.add_argument(
        "--trades", type=int, default=bench_history.TRADES,
        help="of history: how many there are to ask about (%(default)d)",
    )  # fmt: skip
    parser.add_argument(
        "--events", type=int, default=bench_page.EVENTS,
        help="of page: along how many trades its memory is watched (%(default)d)",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    named = {
        "ingest": partial(bench_ingest.bench, seconds=chosen.seconds, hold=chosen.hold),
        "orders": partial(bench_orders.bench, seconds=chosen.seconds),
        "scale": partial(bench_scale.bench, seconds=bench_scale.SECONDS),
        "history": partial(bench_history.bench, trades=chosen.trades),
        "page": partial(bench_page.bench, events=chosen.events),
    }
    unknown = [name for name in chosen.tables if name not in known]
    if unknown:
        raise SystemExit(f"no table {', '.join(unknown)}; there are {', '.join(known)}")
    for name in chosen.tables or TABLES:
        (TABLES | named)[name](Console())


if __name__ == "__main__":
    # Whatever ends us, what we started is to end first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    main(sys.argv[1:])
