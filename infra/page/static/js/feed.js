/** The health of each market of the run; a click chooses the market. */

import { rows } from "./columns.js";
import { el, fill, onPick, row, say } from "./dom.js";
import { ago, number, time } from "./format.js";

const OLD = 10_000; // ms: a market of an exchange is hardly ever quiet for so long
const NONE = "This run has no market yet.";

/** Return what draws the feed into `parts`: `table` (its body), `note`; `choose` gets a market. */
export function feedOf(parts, choose) {
  onPick(parts.table, choose);
  return ({ feed }, { now, running, chosen }) => {
    const markets = rows(feed);
    say(parts.note, markets.length ? "" : NONE);
    fill(parts.table, markets.map((market) => line(market, { now, running, chosen })));
  };
}

function line(told, { now, running, chosen }) {
  const { market, last_event: last, gaps, disconnects, rejects, late, repeated, mode, last_gap: gap } = told;
  const old = running && last != null && now - last > OLD;
  const button = el("button", { class: "link", "data-key": market }, market);
  return row([
    button, mode,
    [{ class: old ? "num warn" : "num" }, running && last != null ? ago(last, now) : time(last)],
    count(gaps, gap == null ? null : `the last one at ${new Date(gap).toISOString()}`), count(disconnects),
    count(rejects), count(late), count(repeated),
  ], { "aria-current": market === chosen ? "true" : null });
}

function count(many, title = null) {
  return [{ class: many ? "num warn" : "num", title }, number(many)];
}
