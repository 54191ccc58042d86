/** The numbers of one candle, above the chart. */

import { el, fill } from "./dom.js";
import { number, utc } from "./format.js";

/** Tell a row of the chart, or nothing if there is none. */
export function legend(place, row, digits) {
  if (!row) return fill(place);
  const price = (value) => number(value, digits, digits);
  const prices = ["open", "high", "low", "close"].map((name) => pair(name[0].toUpperCase(), name, price(row[name])));
  const averages = Object.entries(row.averages).map(([name, value], index) =>
    el("span", { class: `line${(index % 5) + 1}` }, `${name} ${price(value)}`));
  const doubt = row.complete ? null : el("span", { class: "warn" }, row.seq == null ? "in the making" : "not complete");
  fill(place, el("span", {}, `${utc(row.start)} UTC`), prices, pair("V", "volume", number(row.volume, 0, 4)), averages, doubt);
}

function pair(letter, name, value) {
  return el("span", {}, el("abbr", { title: name }, letter), ` ${value}`);
}
