"""What the charts of a report are drawn from: thinned where there is too much, and told so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from infra.pictures.bars import Bars
from infra.stories.bars import bars_of, finest
from infra.stories.report.candles import Chart, candles, seconds
from infra.stories.report.figures import Figures, Rows
from infra.stories.report.windows import windows
from infra.verify.which import Run
from schemas.trades import Float64

_BARS = 30_000
"""Of all markets together."""
_MARKETS = 100
_FEWEST, _MOST = 200, 4_000
"""Bars of one market."""
_POINTS = 2_000
_CLOSELY = " The best and the worst position can be chosen beside the markets, candle by candle."
_EQUITY = """
SELECT currency, toUnixTimestamp64Nano(max(e.ts)) AS ts,
    toFloat64(argMax(e.equity, e.place)) AS equity, toFloat64(max(e.drawdown)) AS drawdown
FROM
(
    SELECT currency, ts, equity, drawdown,
        row_number() OVER (PARTITION BY currency ORDER BY ts, market, seq) - 1 AS place,
        intDiv(place, toUInt64(ceil(count() OVER (PARTITION BY currency) / {most:UInt32}))) AS part
    FROM equity WHERE flow = {flow:String} AND run = {run:String}
) AS e
GROUP BY currency, part ORDER BY currency, part
"""
_RETURNS = "SELECT net_return FROM closed WHERE flow = {flow:String} AND run = {run:String}"
_SLIPS = """
SELECT expected_bps, realised_bps FROM order_costs
WHERE flow = {flow:String} AND run = {run:String}
    AND expected_bps IS NOT NULL AND realised_bps IS NOT NULL
ORDER BY cityHash64(market, `order`) LIMIT {most:UInt32}
"""


class Charts(NamedTuple):
    """The data of all charts, and what is not shown of it."""

    equity: list[Chart]
    markets: list[Chart]
    losses: Chart
    note: str
    returns: Float64
    slips: tuple[list[float], list[float]]


def charts(client: Client, run: Run, found: Figures) -> Charts:
    """Ask for what is drawn of a run.

    Parameters
    ----------
    client
        Reads history.
    run
        Which.
    found
        Its numbers, with the positions that are marked.

    """
    given = {"flow": run.flow, "run": run.run, "most": _POINTS}
    slips = client.query_arrow(_SLIPS, given)
    returns = client.query_arrow(_RETURNS, given)["net_return"].to_pylist()
    markets, note = _markets(client, run, found)
    return Charts(
        _equity(client.query_arrow(_EQUITY, given, use_strings=True).to_pylist()),
        markets,
        _losses(found.hours),
        note,
        np.array(returns, np.float64),
        (slips["expected_bps"].to_pylist(), slips["realised_bps"].to_pylist()),
    )


def _equity(rows: Rows) -> list[Chart]:
    by_currency: dict[str, Rows] = {}
    for row in rows:
        by_currency.setdefault(row["currency"], []).append(row)
    return [
        {
            "currency": currency,
            "time": seconds(np.array([row["ts"] for row in own], np.int64)),
            "equity": [round(row["equity"], 8) for row in own],
            "drawdown": [-round(row["drawdown"], 8) for row in own],
        }
        for currency, own in by_currency.items()
    ]


def _losses(hours: Rows) -> Chart:
    return {
        "time": [row["hour"] for row in hours],
        "log_loss": [round(row["log_loss"], 6) for row in hours],
        "base": [round(row["base"], 6) for row in hours],
    }


def _markets(client: Client, run: Run, found: Figures) -> tuple[list[Chart], str]:
    kind = finest(client, run.flow, run.run)
    if kind is None:
        return [], "The run has no candles."
    names = _shown(client, run, found.positions)
    most = min(max(_BARS // len(names), _FEWEST), _MOST)
    drawn = bars_of(client, run.flow, run.run, kind, most, names)
    made = [
        candles(name, drawn[name], [row for row in found.positions if row["market"] == name])
        for name in names
    ]
    note = _note(kind, drawn, found, len(names))
    if all(one.each == 1 for one in drawn.values()):
        return made, note
    ends = [*windows(client, run, kind)]
    return [*made, *ends], note + (_CLOSELY if ends else "")


def _shown(client: Client, run: Run, positions: Rows) -> list[str]:
    """Return the markets whose candles are shown: those with most positions first."""
    query = """
    SELECT c.market FROM
    (
        SELECT DISTINCT market FROM candles WHERE flow = {flow:String} AND run = {run:String}
    ) AS c
    LEFT JOIN
    (
        SELECT market, count() AS positions FROM closed
        WHERE flow = {flow:String} AND run = {run:String} GROUP BY market
    ) AS p ON c.market = p.market
    ORDER BY p.positions DESC, c.market LIMIT {most:UInt32}
    """
    given = {"flow": run.flow, "run": run.run, "most": _MARKETS}
    return [str(name) for (name,) in client.query(query, given).result_rows]


def _note(kind: str, drawn: Mapping[str, Bars], found: Figures, markets: int) -> str:
    """Say what is shown, and what is not."""
    told = [f"Candles of {kind}"]
    most = max(one.each for one in drawn.values())
    if most > 1:
        told.append(f"up to {most:,} of them drawn as one")
    whole = found.span[0]["markets"]
    if markets < whole:
        told.append(f"of the {markets} markets with most positions, of {whole:,}")
    positions = sum(row["positions"] for row in found.totals)
    if positions > len(found.positions):
        told.append(f"with the latest {len(found.positions):,} positions, of {positions:,}")
    return ", ".join(told) + "."
