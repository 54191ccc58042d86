/** What the run made, and how far it is below the most it had made. */

import { el, fill, say } from "./dom.js";
import { money, number, sign } from "./format.js";
import { colour, onTheme, smallLook } from "./theme.js";

const { BaselineSeries, LineSeries, createChart } = window.LightweightCharts;
const LEAST = 0.0001;
const NONE = "Nothing closed yet: the curve begins with the first trade that is over.";

/** Return what draws the equity into `parts`: `chart`, `facts`, `currency` (a select) and `note`. */
export function equityOf(parts) {
  const chart = createChart(parts.chart, { autoSize: true, ...smallLook() });
  const below = chart.addSeries(BaselineSeries, belowLook());
  const line = chart.addSeries(LineSeries, lineLook());
  let answer = { currencies: {} };
  const draw = () => show(parts, { chart, line, below }, answer.currencies);
  parts.currency.addEventListener("change", draw);
  onTheme(() => {
    chart.applyOptions(smallLook());
    line.applyOptions(lineLook());
    below.applyOptions(belowLook());
  });
  return (pushed) => {
    answer = pushed;
    choices(parts.currency, Object.keys(pushed.currencies));
    draw();
  };
}

function show(parts, { chart, line, below }, currencies) {
  const told = currencies[parts.currency.value];
  say(parts.note, told ? "" : NONE);
  parts.chart.hidden = !told;
  if (!told) return fill(parts.facts);
  const at = growing(told.time);
  line.setData(at.map((time, i) => ({ time, value: Number(told.equity[i]) })));
  below.setData(at.map((time, i) => ({ time, value: -Number(told.drawdown[i]) })));
  chart.timeScale().fitContent();
  fill(parts.facts,
    el("span", { class: sign(told.pnl), title: told.pnl }, `${money(told.pnl)} ${parts.currency.value}`),
    el("span", {}, `${number(told.positions)} trades`), el("span", {}, `worst drawdown ${money(told.worst).replace("+", "")}`));
}

function choices(select, names) {
  const was = select.value;
  fill(select, names.map((name) => el("option", { value: name, selected: name === was }, name)));
  select.hidden = names.length < 2;
}

function growing(times) {
  let before = -Infinity;
  return times.map((ms) => (before = Math.max(ms / 1000, before + LEAST)));
}

function lineLook() {
  return { color: colour("line1"), lineWidth: 2, priceLineVisible: false };
}

function belowLook() {
  const paint = colour("below");
  return { baseValue: { type: "price", price: 0 }, bottomLineColor: paint, bottomFillColor1: paint, bottomFillColor2: paint,
    lineWidth: 1, priceLineVisible: false, lastValueVisible: false };
}
