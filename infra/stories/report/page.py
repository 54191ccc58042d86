"""A report as one HTML file: nothing in it is fetched, and nothing but its own scripts may run."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from infra.pictures.calibration import calibration, expectations, slippage
from infra.pictures.returns import returns
from infra.pictures.style import svg
from infra.stories import words
from infra.stories.report.charts import Charts
from infra.stories.report.figures import Figures
from infra.stories.report.grids import grids, mood
from infra.times import write_time
from infra.verify.which import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HERE = Path(__file__).parent
_CHARTS = _HERE.parents[1] / (
    "page/static/vendor/lightweight-charts/lightweight-charts.standalone.production.js"
)


def page(run: Run, found: Figures, drawn: Charts, most: int, now: int) -> str:
    """Return the page.

    Parameters
    ----------
    run
        Which run it is about.
    found, drawn
        Its numbers, and what its charts show.
    most
        Rows of a table.
    now
        When it is written, in nanoseconds.

    """
    scripts = [_CHARTS.read_text("utf-8"), (_HERE / "report.js").read_text("utf-8")]
    data = {"equity": drawn.equity, "markets": drawn.markets, "losses": drawn.losses}
    return _template().render(
        run=run,
        about=found.about[0] if found.about else {},
        span=found.span,
        totals=found.totals,
        falls={row["currency"]: row for row in found.falls},
        open=[row for row in found.positions if row["closed"] is None],
        gap=found.gap[0] if found.gap else None,
        grids=grids(run, found, most),
        note=drawn.note,
        shown=data,
        pictures=[Markup(svg(made)) for made in _pictures(found, drawn)],  # noqa: S704 - ours
        style=Markup((_HERE / "report.css").read_text("utf-8")),  # noqa: S704 - ours
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - ours
        hashes=[_hash(script) for script in scripts],
        data=Markup(_harmless(data)),  # noqa: S704 - no character of it ends a script
        now=now,
    )


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        bps=words.bps, percent=words.percent, short=words.short, lasted=words.lasted,
        money=lambda number, currency: words.money(number, f":/{currency}"),
        cost=lambda number, currency: words.money(number, f":/{currency}", signed=False),
        time=write_time, mood=mood,
    )  # fmt: skip
    return environment.get_template("report.html")


def _pictures(found: Figures, drawn: Charts) -> list[Figure]:
    made: list[Figure] = []
    if len(drawn.returns):
        made.append(returns(drawn.returns, "Returns of positions"))
    if drawn.slips[0]:
        made.append(slippage(*drawn.slips))
    if rows := found.calibration:
        columns = ([row[name] for row in rows] for name in ("odds", "won", "outcomes"))
        made.append(calibration(*columns))
    if rows := found.expectations:
        made.append(expectations(*([row[name] for row in rows] for name in ("expected", "net"))))
    return made


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _harmless(data: object) -> str:
    r"""Return data as JSON that stays data inside a page, whatever texts are in it.

    Examples
    --------
    >>> _harmless({"market": "</script>&"})
    '{"market":"\\u003c/script\\u003e\\u0026"}'

    """
    text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
