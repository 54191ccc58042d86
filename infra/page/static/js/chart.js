/** The chart of a market: candles, volume, averages, entries and exits, and the levels of a position. */

import { digitsOf, number } from "./format.js";
import { average, averageLook, candle, candleLook, look, marker, volume, volumeLook } from "./look.js";
import { colour, onTheme } from "./theme.js";

const { CandlestickSeries, HistogramSeries, LineSeries, LineStyle, createChart, createSeriesMarkers } =
  window.LightweightCharts;
const SHOWN = 160; // candles, at most, that a place is brought into the middle of
const STEP = 0.15; // of what is seen, for a key
const NEAR = 60; // candles from an end: more are fetched
const JUDGED = 200; // candles that tell how many digits a price has

export class PriceChart {
  #chart;
  #candles;
  #volume;
  #marks;
  #averages = new Map();
  #levels = [];
  #rows = [];
  #forming = null;
  #on;

  /**
   * @param {HTMLElement} place - where it is drawn; it takes the keys, too
   * @param {{edge: function(string): void, point: function(?object): void, pan: function(): void}} on - `edge`
   *   hears "older", "newer" or "newest" when that is wanted, `point` the candle that is pointed at, or null, and
   *   `pan` that others are seen
   */
  constructor(place, on) {
    this.#on = on;
    this.#chart = createChart(place, { autoSize: true, ...look() });
    this.#volume = this.#chart.addSeries(HistogramSeries, volumeLook());
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    this.#candles = this.#chart.addSeries(CandlestickSeries, candleLook());
    this.#candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.18 } });
    this.#marks = createSeriesMarkers(this.#candles, []);
    this.#chart.subscribeCrosshairMove(({ logical }) => on.point(this.#rowAt(logical)));
    this.#scale.subscribeVisibleLogicalRangeChange(() => this.#edges());
    place.addEventListener("keydown", (event) => this.#key(event));
    onTheme(() => this.#recolour());
  }

  get #scale() {
    return this.#chart.timeScale();
  }

  /** How many digits its prices have behind the point. */
  digits = 2;

  /**
   * Draw rows anew. `moved`: by how many places they went to the right; "end" keeps what is seen as far from
   * their end as it was, and "newest" shows their end.
   */
  draw(rows, moved) {
    const seen = this.seen();
    this.#rows = rows;
    this.#measure();
    this.#candles.setData(rows.map(candle));
    this.#volume.setData(rows.map(volume));
    this.#drawAverages();
    const forming = this.#forming;
    this.#forming = null;
    this.form(forming);
    if (moved === "newest" || !seen) this.newest();
    else if (moved !== "end") this.#scale.setVisibleLogicalRange({ from: seen.from + moved, to: seen.to + moved });
  }

  /** Draw the last of the rows, which came behind those drawn, or are some of them again. */
  add(rows, many) {
    const fresh = rows.slice(rows.length - many);
    const drawn = Math.max(this.#forming?.at ?? 0, this.#rows.at(-1)?.at ?? 0);
    if (drawn > fresh[0].at || this.#unknown(fresh)) return this.draw(rows, this.atEnd ? "end" : 0);
    this.#rows = rows;
    for (const row of fresh) {
      this.#candles.update(candle(row));
      this.#volume.update(volume(row));
      for (const [name, series] of this.#averages) series.update(average(row, name));
    }
  }

  /** Draw the candle in the making behind the others, unless some between are missing. */
  form(row) {
    const last = this.#rows.at(-1);
    const reached = this.#forming?.at > last?.at ? this.#forming : last;
    if (!row || !last || row.at <= last.at || row.start > reached.end) return;
    this.#forming = row;
    this.#candles.update(candle(row));
    this.#volume.update(volume(row));
  }

  /** Show entries and exits, in the order of their times; see `marker`. */
  mark(marks) {
    this.#marks.setMarkers(marks.map(marker));
  }

  /** Show levels as lines across: `{price, title, kind}`, kind being entry, stop or take. */
  levels(levels) {
    for (const line of this.#levels) this.#candles.removePriceLine(line);
    this.#levels = levels.map(({ price, title, kind }) =>
      this.#candles.createPriceLine({
        price, title, color: colour(kind), lineWidth: 1, axisLabelVisible: true,
        lineStyle: kind === "entry" ? LineStyle.Solid : LineStyle.Dashed,
      }));
  }

  /** Go to the newest candles: not to places, which are others by the next frame if more candles come. */
  newest() {
    this.#scale.resetTimeScale();
  }

  /** Whether the newest of its candles is seen. */
  get atEnd() {
    const seen = this.seen();
    return !seen || seen.to >= this.#rows.length - 1;
  }

  /** Bring a candle into the middle. */
  centre(place) {
    const seen = this.seen();
    const half = Math.min(seen ? seen.to - seen.from : SHOWN, SHOWN) / 2;
    this.#scale.setVisibleLogicalRange({ from: place - half, to: place + half });
  }

  /** The places of the first and the last candle that are seen; null if nothing is drawn. */
  seen() {
    return this.#rows.length ? this.#scale.getVisibleLogicalRange() : null;
  }

  #rowAt(logical) {
    if (logical == null) return null;
    const place = Math.round(logical);
    return place === this.#rows.length ? this.#forming : (this.#rows[place] ?? null);
  }

  #edges() {
    const seen = this.seen();
    if (!seen) return;
    this.#on.pan();
    if (seen.from < NEAR) this.#on.edge("older");
    if (seen.to > this.#rows.length - NEAR) this.#on.edge("newer");
  }

  #measure() {
    this.digits = digitsOf(this.#rows.slice(-JUDGED).map((row) => row.close));
    this.#candles.applyOptions({
      priceFormat: {
        type: "custom", minMove: 10 ** -this.digits, formatter: (price) => number(price, this.digits, this.digits),
      },
    });
  }

  #unknown(rows) {
    return rows.some((row) => Object.keys(row.averages).some((name) => !this.#averages.has(name)));
  }

  #drawAverages() {
    const names = Object.keys(this.#rows.at(-1)?.averages ?? {});
    for (const [name, series] of this.#averages) {
      if (names.includes(name)) continue;
      this.#chart.removeSeries(series);
      this.#averages.delete(name);
    }
    names.forEach((name, index) => {
      const series = this.#averages.get(name) ?? this.#chart.addSeries(LineSeries, averageLook(index));
      this.#averages.set(name, series);
      series.setData(this.#rows.map((row) => average(row, name)));
    });
  }

  #key(event) {
    const seen = this.seen();
    if (!seen || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (seen.to - seen.from) * STEP;
    const moves = { ArrowLeft: [-step, -step], ArrowRight: [step, step], "+": [step, -step], "-": [-step, step] };
    const by = moves[event.key];
    if (event.key === "End") this.#on.edge("newest");
    else if (by) this.#scale.setVisibleLogicalRange({ from: seen.from + by[0], to: seen.to + by[1] });
    else return;
    event.preventDefault();
  }

  #recolour() {
    this.#chart.applyOptions(look());
    this.#candles.applyOptions(candleLook());
    this.#volume.setData(this.#rows.map(volume));
    [...this.#averages.values()].forEach((series, index) => series.applyOptions(averageLook(index)));
  }
}
