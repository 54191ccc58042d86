/** What the model knows: its loss beside that of the base rate, and whether its odds can be believed. */

import { rows } from "./columns.js";
import { bar, el, fill, row, say } from "./dom.js";
import { number, time } from "./format.js";
import { lineColour, onTheme, smallLook } from "./theme.js";

const { LineSeries, createChart } = window.LightweightCharts;
const HOURS = 48;
const NONE = "No outcome yet. If the flow learns, its loss shows here from the first outcome on.";

/** Return what draws a model into `parts`: `chart`, `facts`, `table` (its body), `calibration` and `note`. */
export function modelOf(parts) {
  const chart = createChart(parts.chart, { autoSize: true, ...smallLook() });
  const lines = [chart.addSeries(LineSeries, lineLook(0)), chart.addSeries(LineSeries, lineLook(1))];
  onTheme(() => {
    chart.applyOptions(smallLook());
    lines.forEach((line, index) => line.applyOptions(lineLook(index)));
  });
  return ({ metrics, calibration }) => {
    const hours = rows(metrics);
    const last = hours.at(-1);
    say(parts.note, last ? "" : NONE);
    for (const part of [parts.chart, parts.calibration]) part.hidden = !last;
    fill(parts.facts, last ? facts(last) : null);
    ["log_loss", "base_log_loss"].forEach((name, index) =>
      lines[index].setData(hours.slice(-HOURS).map((hour) => ({ time: hour.time / 1000, value: hour[name] }))));
    chart.timeScale().fitContent();
    fill(parts.table, rows(calibration).map(bin));
  };
}

function facts({ time: hour, outcomes, log_loss: loss, base_log_loss: base }) {
  const better = loss < base;
  return [
    el("span", { class: "line1" }, `log loss ${number(loss, 3, 3)}`),
    el("span", { class: "line2" }, `base rate ${number(base, 3, 3)}`),
    el("span", { class: better ? "gain" : "loss" }, better ? "better than the base rate" : "no better than the base rate"),
    el("span", {}, `${number(outcomes)} outcomes in the hour of `, time(hour)),
  ];
}

function bin({ bin: low, outcomes, odds, won }) {
  const range = `${number(low, 1, 1)}\u2013${number(low + 0.1, 1, 1)}`;
  return row([range, [{ class: "num" }, number(outcomes)], [{ class: "num" }, number(odds, 3, 3)],
    [{ class: "num" }, number(won, 3, 3)], el("div", { class: "bars" }, bar(odds, "odds"), bar(won, "won"))]);
}

function lineLook(index) {
  return { color: lineColour(index), lineWidth: 2, priceLineVisible: false, lineStyle: index ? 2 : 0 };
}
