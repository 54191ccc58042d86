"use strict";

// The charts and tables of a report. What it knows stands in the page; it asks nobody.
const data = JSON.parse(document.getElementById("data").textContent);
const LINES = ["#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#5e5e5e"];
const UP = "#0072b2", DOWN = "#d55e00";
const AROUND = 60; // Bars shown on each side of a chosen position.
const FEW = 30; // With more marks than this, only the chosen ones say what they are.
const dark = matchMedia("(prefers-color-scheme: dark)");
const charts = [];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function look() {
  return {
    autoSize: true,
    layout: { background: { color: color("--paper") }, textColor: color("--faint"), panes: { separatorColor: color("--grid") } },
    grid: { vertLines: { color: color("--grid") }, horzLines: { color: color("--grid") } },
    rightPriceScale: { borderColor: color("--grid") },
    timeScale: { borderColor: color("--grid"), timeVisible: true, secondsVisible: false, minBarSpacing: 0.05 },
    crosshair: { mode: 0 },
  };
}

function chart(id) {
  const made = LightweightCharts.createChart(document.getElementById(id), look());
  charts.push(made);
  return made;
}

dark.addEventListener("change", () => charts.forEach((one) => one.applyOptions(look())));

function points(time, values) {
  return time.map((at, n) => (values[n] === null ? { time: at } : { time: at, value: values[n] }));
}

function drawEquity() {
  const made = chart("equity");
  data.equity.forEach((one, n) => {
    const line = { color: n ? LINES[n % LINES.length] : UP, lineWidth: 2, title: one.currency, priceLineVisible: false };
    made.addSeries(LightweightCharts.LineSeries, line, 0).setData(points(one.time, one.equity));
    const fall = { lineColor: line.color, topColor: "transparent", bottomColor: DOWN + "66", lineWidth: 1, invertFilledArea: true, title: "drawdown", priceLineVisible: false };
    made.addSeries(LightweightCharts.AreaSeries, fall, 1).setData(points(one.time, one.drawdown));
  });
  made.panes()[0].setStretchFactor(3);
  made.panes()[1].setStretchFactor(1);
  made.timeScale().fitContent();
}

function drawLosses() {
  const made = chart("losses");
  const { time, log_loss: loss, base } = data.losses;
  [["model", loss, UP], ["base rate", base, LINES[0]]].forEach(([title, values, own]) =>
    made.addSeries(LightweightCharts.LineSeries, { title, color: own, lineWidth: 2, priceLineVisible: false }).setData(points(time, values)));
  made.timeScale().fitContent();
}

// One chart shows one market at a time.
const candles = { chart: null, series: [], bars: null, markers: null, market: null };

function marks(one, chosen) {
  const says = (mark) => mark.position === chosen || one.marks.length <= FEW;
  const shape = (mark) => ({
    time: one.time[mark.bar], position: mark.bought ? "belowBar" : "aboveBar", shape: mark.bought ? "arrowUp" : "arrowDown",
    color: mark.position === chosen ? LINES[2] : color("--ink"), text: says(mark) ? mark.says : "", size: mark.position === chosen ? 2 : 1,
  });
  return one.marks.map(shape).sort((a, b) => a.time - b.time);
}

function drawMarket(name) {
  const one = data.markets.find((market) => market.market === name);
  candles.series.forEach((series) => candles.chart.removeSeries(series));
  const format = { type: "price", precision: Math.min(one.places, 8), minMove: 10 ** -Math.min(one.places, 8) };
  const bars = candles.chart.addSeries(LightweightCharts.CandlestickSeries, {
    upColor: UP, wickUpColor: UP, downColor: DOWN, wickDownColor: DOWN, borderVisible: false, priceFormat: format,
  });
  bars.setData(one.time.map((time, n) => ({ time, open: one.o[n], high: one.h[n], low: one.l[n], close: one.c[n] })));
  const legend = document.getElementById("legend");
  legend.replaceChildren();
  candles.series = [bars, ...Object.entries(one.averages).map(([title, values], n) => {
    const own = LINES[n % LINES.length];
    const line = candles.chart.addSeries(LightweightCharts.LineSeries, {
      color: own, lineWidth: 1, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false, priceFormat: format,
    });
    line.setData(points(one.time, values));
    const named = document.createElement("span");
    named.textContent = title;
    named.style.color = own;
    legend.append(named);
    return line;
  })];
  candles.markers = LightweightCharts.createSeriesMarkers(bars, marks(one, null));
  candles.market = one;
  document.getElementById("market").value = name;
  document.getElementById("each").textContent = one.each > 1 ? `Here ${one.each} candles are one bar.` : "";
  candles.chart.timeScale().fitContent();
}

function choose(name, position) {
  if (!data.markets.some((market) => market.market === name)) return;
  if (candles.market.market !== name) drawMarket(name);
  const own = candles.market.marks.filter((mark) => mark.position === position).map((mark) => mark.bar);
  candles.markers.setMarkers(marks(candles.market, position));
  if (!own.length) return;
  candles.chart.timeScale().setVisibleLogicalRange({ from: Math.min(...own) - AROUND, to: Math.max(...own) + AROUND });
  document.getElementById("candles").scrollIntoView({ block: "center" });
}

function drawCandles() {
  const select = document.getElementById("market");
  data.markets.forEach(({ market }) => select.append(new Option(market, market)));
  candles.chart = chart("candles");
  select.addEventListener("change", () => drawMarket(select.value));
  document.getElementById("whole").addEventListener("click", () => candles.chart.timeScale().fitContent());
  drawMarket(data.markets[0].market);
  document.querySelectorAll("tr[data-market]").forEach((row) => row.addEventListener("click", () => {
    document.querySelectorAll("tr.chosen").forEach((other) => other.classList.remove("chosen"));
    row.classList.add("chosen");
    choose(row.dataset.market, Number(row.dataset.position));
  }));
}

function sortable(table) {
  table.querySelectorAll("th").forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const way = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    const numbers = head.classList.contains("right");
    const key = (row) => row.cells[column].dataset.key;
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => way * (numbers ? key(a) - key(b) : key(a).localeCompare(key(b))));
    body.append(...rows);
  }));
}

if (data.equity.length) drawEquity();
if (data.markets.length) drawCandles();
if (data.losses.time.length) drawLosses();
document.querySelectorAll("table").forEach(sortable);
