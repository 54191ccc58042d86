/** What candles, volume, averages, entries and exits look like, and how rows become them. */

import { utc } from "./format.js";
import { chartLook, colour, lineColour } from "./theme.js";

/** The look of a chart of candles as a whole. */
export function look() {
  const shared = chartLook();
  return {
    ...shared,
    timeScale: {
      ...shared.timeScale, timeVisible: true, secondsVisible: false, barSpacing: 6, minBarSpacing: 0.2, rightOffset: 6,
    },
    crosshair: { mode: 0 },
    localization: { timeFormatter: (at) => `${utc(at * 1000)} UTC` },
  };
}

export function candleLook() {
  const [up, down] = [colour("up"), colour("down")];
  return { upColor: up, wickUpColor: up, borderVisible: false, downColor: down, wickDownColor: down };
}

export function volumeLook() {
  return { priceScaleId: "volume", priceFormat: { type: "volume" }, priceLineVisible: false, lastValueVisible: false };
}

export function averageLook(index) {
  return {
    color: lineColour(index), lineWidth: 1, priceLineVisible: false, lastValueVisible: false,
    crosshairMarkerVisible: false,
  };
}

export function candle({ at, open, high, low, close }) {
  return { time: at, open, high, low, close };
}

export function volume(row) {
  return { time: row.at, value: row.volume, color: colour(row.close < row.open ? "volume-down" : "volume-up") };
}

/** A point of an average; where there is none the line stops. */
export function average(row, name) {
  const value = row.averages?.[name];
  return value == null ? { time: row.at } : { time: row.at, value };
}

/** Arrows point the way of the trade that was made: a long's entry and a short's exit are bought. */
export function marker({ at, bought, text, chosen }) {
  return {
    time: at, text, size: chosen ? 2 : 1,
    color: colour(bought ? "up" : "down"),
    position: bought ? "belowBar" : "aboveBar",
    shape: bought ? "arrowUp" : "arrowDown",
  };
}
