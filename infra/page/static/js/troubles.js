/** What went wrong, newest first: faults, gaps, rejects, late trades and halts. */

import { el, row } from "./dom.js";
import { time } from "./format.js";
import { Listing } from "./listing.js";

const NONE = "Nothing went wrong.";

/** Return what lists troubles in `parts`: `table` (its body), `kind` (a select), `note` and `older` (a button). */
export function troublesOf(parts, failed) {
  const open = new Set(); // which details are unfolded: they stay so when all is drawn anew
  parts.table.addEventListener("toggle", ({ target }) => {
    if (target.open) open.add(target.dataset.key);
    else open.delete(target.dataset.key);
  }, true);
  const drawn = (trouble, key) => line(trouble, key, open.has(key));
  return new Listing(parts, { name: "troubles", none: NONE, whole: true, line: drawn }, failed);
}

function line({ time: at, kind, market, what, detail }, key, unfolded) {
  const told = detail ? unfolding(what, detail, key, unfolded) : what;
  return row([time(at), [{ class: `kind ${kind}` }, kind], market, [{ class: "text" }, told]]);
}

function unfolding(what, detail, key, open) {
  return el("details", { open, "data-key": key }, el("summary", {}, what), el("pre", {}, detail));
}
