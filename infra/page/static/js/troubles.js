/** What went wrong, newest first: faults, gaps, rejects, late trades and halts. */

import { rows } from "./columns.js";
import { el, fill, row, say } from "./dom.js";
import { time } from "./format.js";

const NONE = "Nothing went wrong.";

/** Return what draws troubles into `parts`: `table` (its body), `kind` (a select), `note`. */
export function troublesOf(parts) {
  let last = { troubles: {} };
  const open = new Set(); // which details are unfolded: they stay so when all is drawn anew
  const draw = () => {
    const all = rows(last.troubles);
    const shown = all.filter(({ kind }) => !parts.kind.value || kind === parts.kind.value);
    say(parts.note, shown.length ? "" : all.length ? `No ${parts.kind.value}.` : NONE);
    fill(parts.table, shown.map((trouble) => line(trouble, open)));
  };
  parts.table.addEventListener("toggle", ({ target }) => {
    if (target.open) open.add(target.dataset.key);
    else open.delete(target.dataset.key);
  }, true);
  parts.kind.addEventListener("change", draw);
  return (pushed) => {
    last = pushed;
    draw();
  };
}

function line({ time: at, kind, market, what, detail, seq }, open) {
  const key = [at, kind, market, seq, what].join("\n");
  return row([time(at), [{ class: `kind ${kind}` }, kind], market, [{ class: "text" }, detail ? unfolding(what, detail, key, open) : what]]);
}

function unfolding(what, detail, key, open) {
  return el("details", { open: open.has(key), "data-key": key }, el("summary", {}, what), el("pre", {}, detail));
}
