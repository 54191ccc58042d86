/** The sections of the page, each with the elements it draws into. */

import { bookOf } from "./book.js";
import { Candles } from "./candles.js";
import { Commands } from "./commands.js";
import { equityOf } from "./equity.js";
import { feedOf } from "./feed.js";
import { flowsOf } from "./flows.js";
import { headOf } from "./head.js";
import { modelOf } from "./model.js";
import { parts } from "./parts.js";
import { Positions } from "./positions.js";
import { signalsOf } from "./signals.js";
import { troublesOf } from "./troubles.js";

/**
 * Return what draws each section.
 *
 * @param {object} on - what they tell: `choose({flow, run})`, `market(name)`, `kind(name)`, `failed(error)`
 */
export function sections(on) {
  const { failed } = on;
  const candles = new Candles(parts("candles", "chart", "legend", "note", "width", "newest"), {
    moved: () => positions.moved(), failed,
  });
  const positions = new Positions(parts("positions", "open", "table", "note", "older"), candles, { failed });
  return {
    candles,
    positions,
    commands: new Commands(parts("command", "bar", "note", "dialog", "form", "title", "says", "held", "typing", "word",
      "typed", "wrong", "go", "cancel")),
    head: headOf({
      ...parts("head", "name", "state", "facts", "market", "kind", "clock", "mode"), welcome: document.getElementById("welcome"),
    }, on),
    flows: flowsOf(parts("flows", "flows", "runs", "past", "note"), on.choose),
    book: bookOf(parts("book", "asks", "bids", "spread", "note", "at")),
    equity: equityOf(parts("equity", "chart", "facts", "currency", "note")),
    model: modelOf(parts("model", "chart", "facts", "table", "calibration", "note")),
    feed: feedOf(parts("feed", "table", "note"), on.market),
    troubles: troublesOf(parts("troubles", "table", "kind", "note", "older"), failed),
    signals: signalsOf(parts("signals", "table", "note", "older"), failed),
  };
}
