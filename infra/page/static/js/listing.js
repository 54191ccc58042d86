/** A table whose newest rows are pushed; older ones are fetched when they are wanted. */

import { get } from "./api.js";
import { rows } from "./columns.js";
import { fill, say } from "./dom.js";

const MOST = 1_000; // in the table, and asked for at once
const KEPT = 3 * MOST; // those of a single kind may be much older than the others

export class Listing {
  #parts;
  #of;
  #failed;
  #choice = null;
  #known = new Map();
  #more = false; // history has older ones than those that are pushed
  #asked = new Set(); // for which kinds older ones were fetched

  /**
   * @param {object} parts - elements: `table` (its body), `note`, `older` (a button), and `kind` (a select) if rows have one
   * @param {{name: string, none: string, whole: boolean, line: function(object, string): Element}} of - what is listed:
   *   its `name` in answers and addresses, what is said if there is `none`, whether that of the `whole` run, and
   *   how a row is drawn that has this key
   * @param {function(Error): void} failed
   */
  constructor(parts, of, failed) {
    this.#parts = parts;
    this.#of = of;
    this.#failed = failed;
    parts.older.addEventListener("click", () => this.#older());
    parts.kind?.addEventListener("change", () => this.#draw());
  }

  /** Show those of another run and market: `{run, market}`. */
  choose(choice) {
    this.#choice = choice;
    this.#known.clear();
    this.#asked.clear();
    this.#more = false;
    this.#draw();
  }

  /** Take the newest, as they were pushed. */
  push(answer) {
    if (!this.#asked.size) {
      this.#known.clear();
      this.#more = answer.more;
    }
    this.#learn(answer);
  }

  get #kind() {
    return this.#parts.kind?.value ?? "";
  }

  async #older() {
    const [choice, kind] = [this.#choice, this.#kind];
    const { name, whole } = this.#of;
    this.#parts.older.disabled = true;
    try {
      const market = whole ? null : choice.market;
      const answer = await get(`/api/runs/${choice.run}/${name}`, { market, kind, limit: MOST });
      if (choice !== this.#choice) return;
      this.#asked.add(kind);
      if (!kind) this.#more = answer.more;
      this.#learn(answer);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#parts.older.disabled = false;
    }
  }

  #learn(answer) {
    for (const one of rows(answer[this.#of.name])) this.#known.set(keyOf(one), one);
    this.#draw();
  }

  #draw() {
    const { table, note, older } = this.#parts;
    const kind = this.#kind;
    const all = [...this.#known].sort(([, one], [, other]) => other.time - one.time || other.seq - one.seq);
    for (const [key] of all.splice(KEPT)) this.#known.delete(key);
    const shown = all.filter(([, one]) => !kind || one.kind === kind).slice(0, MOST);
    older.hidden = !this.#more || this.#asked.has(kind);
    say(note, shown.length ? "" : all.length ? `No ${kind}${older.hidden ? "" : " among the newest"}.` : this.#of.none);
    fill(table, shown.map(([key, one]) => this.#of.line(one, key)));
  }
}

/** What tells a row from others: one event may be the cause of several. */
function keyOf({ time, kind, market, seq, what }) {
  return [time, kind, market, seq, what].join("\n");
}
