/** What is deployed, and the runs that history keeps; one of them is chosen. */

import { el, fill, onPick, say } from "./dom.js";
import { money, quotes, short, sign, time } from "./format.js";

const NONE = "None is deployed.";
const NO_MODE = "\u2013";
const NO_RUNS = "History keeps no run yet.";

/**
 * Return what draws flows into `parts`: `flows`, `runs`, `past` (they are folded into it) and `note`.
 * `choose` gets `{flow, run}`.
 */
export function flowsOf(parts, choose) {
  let desk = null;
  onPick(parts.flows, (name) => choose({ flow: name, run: desk.flows.find((flow) => flow.name === name)?.run }));
  onPick(parts.runs, (run) => choose({ flow: "", run }));
  return (told, chosen) => {
    if (!desk) parts.past.open = !told.flows.length;
    desk = told;
    say(parts.note, desk.flows.length ? "" : NONE);
    fill(parts.flows, desk.flows.map((flow) => deployed(flow, chosen)));
    const past = desk.runs.filter(({ run }) => !desk.flows.some((flow) => flow.run === run));
    fill(parts.runs, past.length ? past.map((run) => kept(run, chosen)) : el("li", { class: "empty" }, NO_RUNS));
  };
}

/** A word and a shape for how a flow is: not by its colour alone. */
export function chip(state, bad) {
  const kind = bad ? "bad" : state === "running" ? "good" : "idle";
  const shape = { bad: "\u25b2", good: "\u25cf", idle: "\u25cb" }[kind];
  return el("span", { class: `chip ${kind}` }, el("span", { "aria-hidden": "true" }, shape), ` ${state}`);
}

/** The worst mode of a flow's markets, if that is not plain active. */
export function modes(flow) {
  const said = [...new Set(flow.lines.map(({ mode }) => mode))].filter((mode) => mode && mode !== "active" && mode !== NO_MODE);
  return said.flatMap((mode) => [" ", el("span", { class: "chip idle" }, mode)]);
}

function deployed(flow, chosen) {
  const current = chosen?.flow === flow.name;
  const many = flow.markets.length;
  return el("li", {}, el("button", {
    class: "flow", "aria-current": current ? "true" : null, "data-key": flow.name,
  }, el("span", { class: "name" }, flow.name), el("span", { class: `pnl num ${sign(flow.pnl)}`, title: `closed PnL ${flow.pnl} ${quotes(flow.markets)}` }, money(flow.pnl)),
  el("span", { class: "state" }, chip(flow.state, flow.bad), modes(flow)),
  el("span", { class: "facts" }, `${flow.broker}${flow.account ? ` · ${flow.account}` : ""} · ${many === 1 ? flow.markets[0] : `${many} markets`}`)));
}

function kept(run, chosen) {
  const current = !chosen?.flow && chosen?.run === run.run;
  return el("li", {}, el("button", {
    class: "flow", "aria-current": current ? "true" : null, "data-key": run.run,
  }, el("span", { class: "name" }, run.flow), el("span", { class: "facts" }, `${run.mode} · ${run.status}`),
  el("span", { class: "facts" }, short(run.run), " · ", time(run.started))));
}
