/** How wide a candle is: as the flow makes it, or several put together by the server. */

import { el, fill } from "./dom.js";
import { span } from "./format.js";

const WIDER = [60, 300, 900, 3_600, 14_400, 86_400]; // seconds

/** Offer the widths that are wider than what is chosen: `{kind, step}`, or null if nothing is. */
export function offerWidths(select, choice) {
  select.parentElement.hidden = !choice;
  const wider = WIDER.filter((seconds) => seconds > (choice?.step ?? 0));
  const names = [["", choice?.kind || "as made"], ...wider.map((seconds) => [seconds, span(seconds * 1000)])];
  fill(select, names.map(([value, name]) => el("option", { value }, name)));
  select.value = "";
}
