"""The best and the worst position of a run, candle by candle: charts may draw several as one."""

from __future__ import annotations

from collections.abc import Iterator

from clickhouse_connect.driver.client import Client

from infra.stories.bars import bars_of
from infra.stories.report.candles import Chart, candles
from infra.verify.which import Run

_AROUND, _MOST = 60, 2_000
"""Candles on each side of a position; and bars in all: of a long position several are one."""
_OF_RUN = "flow = {flow:String} AND run = {run:String}"
_END = f"""
SELECT market, position, side, why,
    toUnixTimestamp64Nano(p.opened) AS opened, toUnixTimestamp64Nano(p.closed) AS closed
FROM positions AS p WHERE {_OF_RUN} AND p.closed IS NOT NULL
ORDER BY p.net_return WAY, market, position LIMIT 1
"""  # noqa: S608 - our names; all values are parameters
_CANDLES = f"SELECT seq FROM candles WHERE {_OF_RUN} AND market = {{market:String}} AND kind = {{kind:String}}"  # noqa: S608, E501 - as above
_PLACES = f"""
SELECT min(seq), max(seq), count() FROM
(
    SELECT seq FROM ({_CANDLES} AND toUnixTimestamp64Nano(start) <= {{opened:Int64}} ORDER BY seq DESC LIMIT {{around:UInt32}})
    UNION ALL
    SELECT seq FROM ({_CANDLES} AND toUnixTimestamp64Nano(start) > {{closed:Int64}} ORDER BY seq LIMIT {{around:UInt32}})
)
"""  # noqa: S608, E501 - as above


def windows(client: Client, run: Run, kind: str) -> Iterator[Chart]:
    """Yield the chart of the best position of a run and that of the worst, after fees.

    Parameters
    ----------
    client
        Reads history.
    run
        Which.
    kind
        Of which candles.

    """
    seen = set()
    for what, way in (("best", "DESC"), ("worst", "ASC")):
        given: dict[str, object] = {"flow": run.flow, "run": run.run, "kind": kind}
        query = _END.replace("WAY", way)
        for row in client.query_arrow(query, given, use_strings=True).to_pylist():
            if (row["market"], row["position"]) in seen:
                continue
            seen.add((row["market"], row["position"]))
            asked = {**given, **row, "around": _AROUND}
            [(first, last, count)] = client.query(_PLACES, asked).result_rows
            if count:
                drawn = bars_of(
                    client, run.flow, run.run, kind, _MOST, [row["market"]], first, last
                )[row["market"]]
                name = f"{row['market']}, the {what}: position {row['position']}"
                yield candles(name, drawn, [row])
