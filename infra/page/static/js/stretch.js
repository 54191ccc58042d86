/**
 * The candles that are at hand: one stretch of the tape, in its order, of a bounded length.
 *
 * A chart wants times that grow. Candles of ticks or of volume may begin in the same millisecond, so each
 * row has `at`, in seconds, which is a little behind that of the one before where their times are equal.
 */

const LEAST = 0.0001;

/** Columns, as the server gives candles and averages, as rows. */
export function rowsOf({ candles, averages }) {
  return candles.seq.map((seq, i) => ({
    seq,
    start: candles.time[i],
    end: candles.end[i],
    open: candles.open[i],
    high: candles.high[i],
    low: candles.low[i],
    close: candles.close[i],
    volume: candles.volume[i],
    complete: candles.complete[i],
    averages: Object.fromEntries(Object.entries(averages).map(([name, values]) => [name, values[i]])),
  }));
}

export class Stretch {
  /** @param {number} most - how many candles are kept */
  constructor(most) {
    this.most = most;
    this.clear();
  }

  /** Forget all. */
  clear() {
    this.rows = [];
    this.older = false; // the server has more in front of these
    this.newer = false; // and behind them: what comes live does not belong here
  }

  /** Begin again with these. */
  replace(rows, { older, newer }) {
    Object.assign(this, { rows, older, newer });
    this.#axis(0);
  }

  /** Put newer ones behind, in the place of those that they are again; return how many. */
  append(rows) {
    if (!rows.length) return 0;
    const kept = this.rows.filter((row) => row.seq < rows[0].seq);
    this.rows = kept.concat(rows);
    this.#axis(kept.length);
    return rows.length;
  }

  /** Put older ones in front; return how many there are that were not here. */
  prepend(rows) {
    const first = this.rows[0]?.seq ?? Infinity;
    const fresh = rows.filter((row) => row.seq < first);
    this.rows = fresh.concat(this.rows);
    this.#axis(0);
    return fresh.length;
  }

  /** Drop the oldest that are too many; return how many. */
  dropOldest() {
    const many = Math.max(this.rows.length - this.most, 0);
    if (many) this.older = true;
    this.rows = this.rows.slice(many);
    return many;
  }

  /** Drop the newest that are too many; return how many. */
  dropNewest() {
    const many = Math.max(this.rows.length - this.most, 0);
    if (many) this.newer = true;
    this.rows = this.rows.slice(0, this.rows.length - many);
    return many;
  }

  /** The place of the candle that a time falls into: the last that began by then; -1 if none. */
  placeOf(ms) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].start <= ms) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #axis(from) {
    for (let i = from; i < this.rows.length; i += 1) {
      const at = this.rows[i].start / 1000;
      const before = i ? this.rows[i - 1].at : -Infinity;
      this.rows[i].at = at > before ? at : before + LEAST;
    }
  }
}
