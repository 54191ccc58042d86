/** What the rule wanted, and what was refused; newest first. */

import { row } from "./dom.js";
import { time } from "./format.js";
import { Listing } from "./listing.js";

const NONE = "No signal yet: the rule has wanted nothing so far.";

/** Return what lists signals in `parts`: `table` (its body), `note` and `older` (a button). */
export function signalsOf(parts, failed) {
  return new Listing(parts, { name: "signals", none: NONE, whole: false, line }, failed);
}

function line({ time: at, what, action, why }) {
  return row([time(at), [{ class: `kind ${what}` }, what], action, [{ class: "text" }, why]]);
}
