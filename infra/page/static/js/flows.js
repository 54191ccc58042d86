/** What is deployed, and the runs that history keeps; one of them is chosen. */

import { el, fill, say } from "./dom.js";
import { money, short, sign, time } from "./format.js";

const NONE = "Nothing runs yet. Deploy a flow with `deck deploy FLOW`, or replay one with `make run`; it shows up here.";
const NO_RUNS = "History keeps no run yet.";

/** Return what draws flows into `parts`: `flows`, `runs`, `note`; `choose` gets `{flow, run}`. */
export function flowsOf(parts, choose) {
  return (desk, chosen) => {
    say(parts.note, desk.flows.length || desk.runs.length ? "" : NONE);
    const focused = document.activeElement?.dataset?.key;
    fill(parts.flows, desk.flows.map((flow) => deployed(flow, chosen, choose)));
    const past = desk.runs.filter(({ run }) => !desk.flows.some((flow) => flow.run === run));
    fill(parts.runs, past.length ? past.map((run) => kept(run, chosen, choose)) : el("li", { class: "empty" }, NO_RUNS));
    if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
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
  return said.map((mode) => el("span", { class: "chip idle" }, mode));
}

const NO_MODE = "\u2013";

function deployed(flow, chosen, choose) {
  const current = chosen?.flow === flow.name;
  const many = flow.markets.length;
  return el("li", {}, el("button", {
    class: "flow", "aria-current": current ? "true" : null, "data-key": `flow ${flow.name}`,
    onclick: () => choose({ flow: flow.name, run: flow.run }),
  }, el("span", { class: "name" }, flow.name), el("span", { class: `pnl num ${sign(flow.pnl)}`, title: flow.pnl }, money(flow.pnl)),
  el("span", { class: "state" }, chip(flow.state, flow.bad), modes(flow)),
  el("span", { class: "facts" }, `${flow.broker}${flow.account ? ` · ${flow.account}` : ""} · ${many === 1 ? flow.markets[0] : `${many} markets`}`)));
}

function kept(run, chosen, choose) {
  const current = !chosen?.flow && chosen?.run === run.run;
  return el("li", {}, el("button", {
    class: "flow", "aria-current": current ? "true" : null, "data-key": `run ${run.run}`,
    onclick: () => choose({ flow: "", run: run.run }),
  }, el("span", { class: "name" }, run.flow), el("span", { class: "facts" }, `${run.mode} · ${run.status}`),
  el("span", { class: "facts" }, short(run.run), " · ", time(run.started))));
}
