/** Numbers and times as people read them. */

import { el } from "./dom.js";

const MINUS = "\u2212";
const NONE = "\u2013";
const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const [DATE, YEAR] = ["2026-11-23 ".length, "2026-".length]; // what is left out if it is the present one
const DAY = 86_400_000;
const MOST_DIGITS = 8;
const AHEAD = 10_000; // ms: clocks that are said to agree
const shapes = new Map(); // making one takes longer than all the rest of a cell

/** A number with thousands set apart; a decimal text keeps all of its digits until it is rounded here. */
export function number(value, least = 0, most = MOST_DIGITS) {
  if (value == null || value === "") return NONE;
  return shape({ minimumFractionDigits: least, maximumFractionDigits: most }).format(value).replace("-", MINUS);
}

/** A size: five digits that count, and cents of what is large. The whole of it belongs into a title. */
export function size(value) {
  if (value == null || value === "") return NONE;
  return shape({ maximumSignificantDigits: 5, maximumFractionDigits: 2, roundingPriority: "morePrecision" }).format(value);
}

/** Money with its sign: `+12.30`. Small change keeps more digits, so that a fee is not nothing. */
export function money(value) {
  if (value == null || value === "") return NONE;
  const size = Math.abs(Number(value));
  const digits = size !== 0 && size < 1 ? Math.max(4, 1 - Math.floor(Math.log10(size))) : 2;
  return (Number(value) > 0 ? "+" : "") + number(value, Math.min(digits, MOST_DIGITS), Math.min(digits, MOST_DIGITS));
}

/** The currencies that markets such as `okx:BTC/USDT:USDT` are quoted in, `USDT` or `EUR + USDT`. */
export function quotes(markets) {
  const found = markets.map((market) => market.split("/")[1]?.split(":")[0]).filter(Boolean);
  return [...new Set(found)].sort().join(" + ");
}

/** A part of one, as a signed percentage: 0.0031 is `+0.31 %`. */
export function percent(value, digits = 2) {
  if (value == null) return NONE;
  return `${value > 0 ? "+" : ""}${number(value * 100, digits, digits)} %`;
}

/** Which class a gain or a loss has; the sign says it, too, for whoever sees no colour. */
export function sign(value) {
  const size = Number(value ?? 0);
  return size > 0 ? "gain" : size < 0 ? "loss" : "";
}

/** How many digits behind the point these prices need, at most eight. */
export function digitsOf(prices) {
  let digits = 0;
  for (const price of prices) {
    const text = Number(price.toPrecision(12)).toFixed(MOST_DIGITS).replace(/0+$/, "");
    digits = Math.max(digits, text.length - text.indexOf(".") - 1);
  }
  return digits;
}

/** `2026-11-23 06:30:01`, UTC. */
export function utc(ms) {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** A time in UTC, as short as can be; pointing at it tells all of it, and the local time. */
export function time(ms, now = Date.now()) {
  if (ms == null) return NONE;
  const title = `${utc(ms)} UTC\n${LOCAL.format(ms)}`;
  return el("time", { datetime: new Date(ms).toISOString(), title }, shortened(ms, now));
}

/** Write times anew that were written on another day: they may lack their date. */
export function redate(now = Date.now()) {
  for (const element of document.querySelectorAll("time")) element.textContent = shortened(Date.parse(element.dateTime), now);
}

function shortened(ms, now) {
  const [whole, today] = [utc(ms), utc(now)];
  return whole.slice([DATE, YEAR].find((length) => whole.slice(0, length) === today.slice(0, length)) ?? 0);
}

/** How long something takes or took: `340 ms`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function span(ms) {
  if (ms == null) return NONE;
  if (ms < 0) return MINUS + span(-ms);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const steps = [[60_000, 1_000, "s"], [3_600_000, 60_000, "min"], [2 * DAY, 3_600_000, "h"]];
  const [, unit, name] = steps.find(([below]) => ms < below) ?? [0, DAY, "d"];
  const size = ms / unit;
  return `${size < 10 ? number(size, 0, 1) : Math.round(size)} ${name}`;
}

/** How long ago something was. A market that is simulated may be ahead of the clock: then it is the time. */
export function ago(ms, now) {
  return now - ms < -AHEAD ? time(ms, now) : `${span(Math.max(now - ms, 0))} ago`;
}

/** A run's id, short enough to be told apart. */
export function short(run) {
  return run ? run.slice(0, 8) : NONE;
}

function shape(options) {
  const name = JSON.stringify(options);
  if (!shapes.has(name)) shapes.set(name, new Intl.NumberFormat("en-US", options));
  return shapes.get(name);
}
