/** The candles of the chosen market: fetched, continued by what is pushed, and scrolled through. */

import { get } from "./api.js";
import { say } from "./dom.js";
import { PriceChart } from "./chart.js";
import { later } from "./frame.js";
import { legend } from "./legend.js";
import { Stretch, rowsOf } from "./stretch.js";
import { offerWidths } from "./width.js";

const MOST = 6_000; // candles that are kept
const SLACK = 1_000; // more of them before some are dropped, which draws all anew
const FIRST = 500;
const MORE = 1_500;
const NONE = "No candle yet. The first one comes when it is over; until then see Feed for whether trades come in.";

export class Candles {
  #stretch = new Stretch(MOST);
  #chart;
  #parts;
  #choice = null;
  #asking = false;
  #fresh = false;
  #on;

  /**
   * @param {object} parts - elements: `chart`, `legend`, `note`, `width` (a select), `newest` (a button)
   * @param {{moved: function(): void, failed: function(Error): void}} on - `moved` is called when other
   *   candles are at hand
   */
  constructor(parts, on) {
    this.#parts = parts;
    this.#on = on;
    this.#chart = new PriceChart(parts.chart, {
      edge: (which) => this.#edge(which),
      point: (row) => this.#tell(row),
      pan: () => this.#offerNewest(),
    });
    parts.newest.addEventListener("click", () => this.#edge("newest"));
    parts.width.addEventListener("change", () => this.#load({ moved: "newest" }));
  }

  /** Show another market: `{run, market, kind, step}`, or null if the run has none yet. */
  async choose(choice) {
    this.#choice = choice;
    this.#stretch.clear();
    this.#chart.draw([], "newest");
    offerWidths(this.#parts.width, choice);
    if (!choice) return this.#tell(null);
    await this.#load({ moved: "newest" });
  }

  /** The stream began again: what it brings next may have a hole in front of it. */
  again() {
    this.#fresh = true;
  }

  /** Take candles that were pushed. */
  push(answer) {
    const last = this.#stretch.rows.at(-1);
    if (answer.market !== this.#choice?.market || !answer.candles.seq.length) return;
    if (this.#asking) return this.again(); // what is asked for may not have it
    if (!last) return this.#load({ moved: "newest" });
    const rows = rowsOf(answer);
    if (answer.reset || (this.#fresh && rows[0].seq > last.seq)) this.#stretch.newer = true;
    this.#fresh = false;
    if (this.#step || this.#stretch.newer) return this.#chart.atEnd ? this.#more("newer", { follow: true }) : undefined;
    this.#added(this.#stretch.append(rows));
  }

  /** Take the candle in the making. */
  tick({ market, forming }) {
    if (market !== this.#choice?.market || this.#step || this.#stretch.newer) return;
    if (!forming) return;
    const row = { ...forming, start: forming.time, at: forming.time / 1000, averages: {}, complete: false };
    later("forming", () => {
      this.#chart.form(row);
      this.#parts.chart.dataset.forming = row.start;
    });
  }

  /** The time on the axis of the candle that a time falls into; null if it is not at hand. */
  at(ms) {
    const { rows, newer } = this.#stretch;
    const place = this.#stretch.placeOf(ms);
    if (place < 0 || (newer && ms > rows.at(-1).end)) return null;
    return rows[place].at;
  }

  /** From when to when candles are at hand. */
  get reach() {
    const { rows, newer } = this.#stretch;
    return rows.length ? { since: rows[0].start, until: newer ? rows.at(-1).end : null } : null;
  }

  get digits() {
    return this.#chart.digits;
  }

  mark(marks) {
    this.#chart.mark(marks);
  }

  levels(levels) {
    this.#chart.levels(levels);
  }

  /** Show the candles around a time, wherever it is. */
  async goTo(ms) {
    if (this.at(ms) == null) await this.#load({ until: ms + this.#halfWindow(), moved: 0 });
    const place = this.#stretch.placeOf(ms);
    if (place >= 0) this.#chart.centre(place);
    this.#parts.legend.scrollIntoView({ block: "nearest" });
  }

  get #step() {
    return Number(this.#parts.width.value) || null;
  }

  #halfWindow() {
    const width = (this.#step ?? this.#choice.step ?? 60) * 1000;
    return (width * FIRST) / 2;
  }

  #added(many) {
    this.#chart.add(this.#stretch.rows, many); // first: until then what is seen ends in front of them
    if (this.#stretch.rows.length > MOST + SLACK && this.#chart.atEnd) {
      this.#stretch.dropOldest();
      this.#chart.draw(this.#stretch.rows, "end");
    } else if (this.#stretch.rows.length > 2 * MOST) {
      this.#stretch.dropNewest(); // somebody looks at the oldest: the newest come back when they are wanted
      this.#chart.draw(this.#stretch.rows, 0);
    }
    this.#tell(null);
    this.#on.moved();
  }

  async #load({ until = null, moved }) {
    await this.#asked(async () => {
      const answer = await this.#ask({ until, limit: FIRST });
      if (!answer) return;
      this.#stretch.replace(rowsOf(answer), { older: answer.more, newer: until != null });
      this.#drawn(moved);
    });
  }

  #edge(which) {
    if (which === "newest") {
      if (this.#stretch.newer) this.#load({ moved: "newest" });
      else this.#chart.newest();
    } else if (this.#stretch[which] && !this.#asking) {
      this.#more(which);
    }
  }

  #offerNewest() {
    this.#parts.newest.hidden = this.#chart.atEnd && !this.#stretch.newer;
  }

  async #more(side, { follow = false } = {}) {
    const { rows } = this.#stretch;
    const last = this.#step ? rows.at(-2) : rows.at(-1); // the last wide one may have grown
    const where = side === "older" ? { before: rows[0].seq } : { after: last?.seq ?? -1 };
    await this.#asked(async () => {
      const answer = await this.#ask({ ...where, limit: MORE });
      if (!answer) return;
      this.#stretch[side] = answer.more;
      if (side === "newer") {
        this.#stretch.append(rowsOf(answer));
        const dropped = this.#stretch.dropOldest();
        return this.#drawn(follow ? "end" : -dropped);
      }
      const many = this.#stretch.prepend(rowsOf(answer));
      this.#stretch.dropNewest();
      this.#drawn(many);
    });
  }

  /** Ask the server; null if something else was chosen meanwhile. */
  async #ask(parameters) {
    const choice = this.#choice;
    const step = this.#step;
    const { run, market, kind } = choice;
    const answer = await get(`/api/runs/${run}/candles`, { market, kind, step, ...parameters });
    return choice === this.#choice && step === this.#step ? answer : null;
  }

  async #asked(ask) {
    this.#asking = true;
    this.#parts.chart.setAttribute("aria-busy", "true");
    try {
      await ask();
    } catch (error) {
      this.#on.failed(error);
    } finally {
      this.#asking = false;
      this.#parts.chart.removeAttribute("aria-busy");
    }
  }

  #drawn(moved) {
    this.#chart.draw(this.#stretch.rows, moved);
    this.#tell(null);
    this.#offerNewest();
    this.#on.moved();
  }

  #tell(pointed) {
    const row = pointed ?? this.#stretch.rows.at(-1);
    this.#parts.chart.classList.toggle("void", !row); // hidden it would have no size, and no places
    say(this.#parts.note, row ? "" : NONE);
    legend(this.#parts.legend, row, this.digits);
    this.#parts.chart.dataset.first = this.#stretch.rows[0]?.seq ?? "";
    this.#parts.chart.dataset.many = this.#stretch.rows.length;
  }
}
