"""`make bench`: all tables, or those named behind it: `make bench ARGS="replay memory"`."""

import sys

from rich.console import Console

from benchmarks import bench_memory, bench_operators, bench_replay

TABLES = {
    "replay": bench_replay.bench,
    "operators": bench_operators.bench,
    "memory": bench_memory.bench,
}


def main(names: list[str]) -> None:
    """Print the tables."""
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        raise SystemExit(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    for name in names or TABLES:
        TABLES[name](Console())


if __name__ == "__main__":
    main(sys.argv[1:])
