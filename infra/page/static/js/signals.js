/** What the rule wanted, and what was refused; newest first. */

import { rows } from "./columns.js";
import { fill, row, say } from "./dom.js";
import { time } from "./format.js";

const NONE = "No signal yet: the rule has wanted nothing so far.";

/** Return what draws signals into `parts`: `table` (its body) and `note`. */
export function signalsOf(parts) {
  return ({ signals }) => {
    const all = rows(signals);
    say(parts.note, all.length ? "" : NONE);
    fill(parts.table, all.map(({ time: at, what, action, why }) =>
      row([time(at), [{ class: `kind ${what}` }, what], action, [{ class: "text" }, why]])));
  };
}
