/** The order book: ten levels a side, each with a bar as long as its share of the largest. */

import { bar, el, fill, say } from "./dom.js";
import { digitsOf, number, time } from "./format.js";

const LEVELS = 10;
const NONE = "No book. A feed with books shows ten levels here: deck ingest keeps them unless it is told not to.";

/** Return what draws a book into `parts`: `asks`, `bids`, `spread`, `note` and `at`. */
export function bookOf(parts) {
  return ({ book }) => {
    say(parts.note, book ? "" : NONE);
    parts.note.parentElement.classList.toggle("bare", !book);
    if (!book) return [parts.asks, parts.bids, parts.spread, parts.at].forEach((part) => fill(part));
    const [bids, asks] = [book.bids.slice(0, LEVELS), book.asks.slice(0, LEVELS)];
    const digits = digitsOf([...bids, ...asks].map(([price]) => price));
    const most = Math.max(...[...bids, ...asks].map(([, size]) => size));
    const draw = (levels, side) => levels.map((level) => line(level, side, digits, most));
    fill(parts.asks, draw(asks, "ask").reverse());
    fill(parts.bids, draw(bids, "bid"));
    fill(parts.spread, spread(bids, asks, digits));
    fill(parts.at, time(book.time));
  };
}

function line([price, size], side, digits, most) {
  return el("tr", {}, el("td", { class: `num ${side}` }, number(price, digits, digits)),
    el("td", { class: "num" }, number(size, 0, size < 100 ? 6 : size < 10_000 ? 2 : 0)), el("td", {}, bar(size / most, side)));
}

function spread(bids, asks, digits) {
  if (!bids.length || !asks.length) return "one side only";
  const [bid, ask] = [bids[0][0], asks[0][0]];
  const part = (ask - bid) / ((ask + bid) / 2);
  return `spread ${number(ask - bid, digits, digits)} · ${number(part * 10_000, 1, 1)} bp`;
}
