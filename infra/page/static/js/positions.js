/** Positions of the chosen market: the open one, the table of trades, and their marks on the chart. */

import { get } from "./api.js";
import { rows } from "./columns.js";
import { el, fill, onPick, row, say } from "./dom.js";
import { money, number, percent, sign, size, span, time } from "./format.js";

const FIRST = 200; // in the table
const KEPT = 1_000;
const MARKED = 1_000;
const WAIT = 300; // ms: while somebody pans, nothing is fetched
const FLAT = "Flat. A position shows here with its levels, and in the chart.";
const NONE = "No trade yet in this market. Each shows here with why it was entered and left.";

export class Positions {
  #parts;
  #candles;
  #choice = null;
  #known = new Map();
  #more = false; // there are older ones than those that are known
  #shown = FIRST;
  #covered = null; // since when all are known, as far as the chart asked
  #chosen = null;
  #timer = 0;
  #price = null; // the last that was told
  #digits = null; // that prices were drawn with
  #on;

  /**
   * @param {object} parts - elements: `open`, `table` (its body), `note`, `older` (a button)
   * @param {Candles} candles - where they are marked
   * @param {{failed: function(Error): void}} on
   */
  constructor(parts, candles, on) {
    this.#parts = parts;
    this.#candles = candles;
    this.#on = on;
    onPick(parts.table, (id) => this.#look(id));
    parts.older.addEventListener("click", () => this.#older());
  }

  /** Show another market: `{run, market}`. */
  choose(choice) {
    this.#choice = choice;
    this.#known.clear();
    this.#chosen = null;
    this.#shown = FIRST;
    this.#covered = null;
    this.#price = null;
    this.#draw();
  }

  /** Take the price, which says what the open position would make. */
  tick({ market, price }) {
    if (market !== this.#choice?.market || price === this.#price) return;
    this.#price = price;
    this.#drawOpen();
  }

  /** Take the newest, as they were pushed. */
  push({ positions, more }) {
    if (!this.#known.size) this.#more = more;
    this.#learn(positions);
  }

  /** Other candles are at hand: fetch what was held meanwhile, and mark it. */
  moved() {
    if (this.#digits === this.#candles.digits) this.#mark();
    else this.#draw();
    clearTimeout(this.#timer);
    const reach = this.#candles.reach;
    if (!reach || !this.#more || reach.since >= (this.#covered ?? this.#oldest() ?? Infinity)) return;
    this.#timer = setTimeout(async () => {
      this.#covered = reach.since;
      await this.#fetch({ ...reach, limit: MARKED }, false);
    }, WAIT);
  }

  async #older() {
    const last = this.#sorted()[this.#shown - 1] ?? this.#sorted().at(-1);
    this.#shown += FIRST;
    await this.#fetch({ until: last.opened, limit: FIRST }, true);
  }

  async #fetch(which, asTable) {
    const choice = this.#choice;
    try {
      const { run, market } = choice;
      const answer = await get(`/api/runs/${run}/positions`, { market, ...which });
      if (choice !== this.#choice) return;
      if (asTable) this.#more = answer.more;
      this.#learn(answer.positions);
    } catch (error) {
      this.#on.failed(error);
    }
  }

  #learn(columns) {
    for (const position of rows(columns)) {
      if (position.market === this.#choice?.market) this.#known.set(position.id, position);
    }
    this.#draw();
  }

  #sorted() {
    return [...this.#known.values()].sort((one, other) => other.opened - one.opened || other.position - one.position);
  }

  #oldest() {
    const opened = [...this.#known.values()].map((position) => position.opened);
    return opened.length ? Math.min(...opened) : null;
  }

  #draw() {
    const all = this.#sorted();
    this.#forget(all);
    const shown = all.slice(0, this.#shown);
    this.#digits = this.#candles.digits;
    this.#drawOpen();
    fill(this.#parts.table, shown.map((position) => this.#row(position)));
    say(this.#parts.note, shown.length ? "" : NONE);
    this.#parts.older.hidden = this.#shown >= KEPT || !(this.#more || all.length > this.#shown);
    this.#mark();
  }

  #drawOpen() {
    const held = [...this.#known.values()].filter(({ closed }) => closed == null);
    const drawn = held.map((position) => openPosition(position, this.#price, this.#candles.digits));
    fill(this.#parts.open, drawn.length ? drawn : el("p", { class: "empty" }, FLAT));
  }

  /** Let go of what neither the table nor the chart shows. */
  #forget(all) {
    const since = this.#candles.reach?.since ?? 0;
    for (const { id, closed } of all.slice(KEPT)) if (closed != null && closed < since) this.#known.delete(id);
  }

  #row(position) {
    const { id, opened, closed, side, amount, entry, exit, pnl, net_return: made, reason, why } = position;
    const button = el("button", { class: "link", "data-key": id, title: "Show it in the chart" }, String(position.position));
    return row([
      button, time(opened), side, num(size(amount), amount), this.#priced(entry), this.#priced(exit),
      [{ class: `num ${sign(pnl)}`, title: pnl }, money(pnl)], [{ class: `num ${sign(made)}` }, percent(made)],
      closed == null ? "open" : span(closed - opened), [{ class: "text" }, reason], [{ class: "text" }, why],
    ], { "aria-current": this.#chosen === id ? "true" : null });
  }

  /** An average price has more digits than the market's, which a column does not need. */
  #priced(price) {
    const { digits } = this.#candles;
    return num(number(price, digits, digits), price);
  }

  async #look(id) {
    this.#chosen = this.#chosen === id ? null : id;
    this.#draw();
    if (this.#chosen) await this.#candles.goTo(this.#known.get(id).opened);
  }

  #mark() {
    const all = [...this.#known.values()];
    const marks = all.flatMap((position) => this.#marks(position));
    this.#candles.mark(marks.sort((one, other) => one.at - other.at));
    const shown = all.find(({ id }) => id === this.#chosen);
    const levelled = shown ? [shown] : all.filter(({ closed }) => closed == null);
    this.#candles.levels(levelled.flatMap(levels));
  }

  #marks({ id, side, opened, closed, why, pnl }) {
    const chosen = id === this.#chosen;
    const long = side === "long";
    const made = [{ at: this.#candles.at(opened), bought: long, text: chosen ? side : "", chosen }];
    if (closed != null) {
      made.push({ at: this.#candles.at(closed), bought: !long, text: chosen ? `${why} ${money(pnl)}` : "", chosen });
    }
    return made.filter(({ at }) => at != null);
  }
}

function num(text, title = null) {
  return [{ class: "num", title }, text];
}

function levels({ entry, stop, take }) {
  const named = [[Number(entry), "entry", "entry"], [stop, "stop", "stop"], [take, "take", "take"]];
  return named.filter(([price]) => price != null).map(([price, title, kind]) => ({ price, title, kind }));
}

function openPosition(position, price, digits) {
  const { side, amount, entry, stop, take, trailing, deadline, opened, reason } = position;
  const priced = (value) => el("span", { title: value }, number(value, digits, digits));
  const facts = [
    ["side", el("strong", {}, `${side} ${number(amount)}`)], ["entry", priced(entry)],
    price == null ? null : ["so far", made(position, price)],
    ["stop", priced(stop)], ["take", priced(take)],
    trailing == null ? null : ["trailing", `${percent(trailing).replace("+", "")} behind the best`],
    ["opened", time(opened)], deadline == null ? null : ["until", time(deadline)], reason ? ["reason", reason] : null,
  ];
  return el("dl", {}, facts.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** What a position would make at a price: a guide for the eye, so that floats will do. */
function made({ side, amount, entry }, price) {
  const part = (price / Number(entry) - 1) * (side === "long" ? 1 : -1);
  const pnl = part * Number(entry) * Number(amount);
  return el("span", { class: sign(pnl), title: "at the last price, before fees" }, `${money(pnl)} (${percent(part)})`);
}
