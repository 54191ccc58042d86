/** The head of the page: which flow and run this is, how it is, and which market of it is shown. */

import { el, fill, say } from "./dom.js";
import { chip, modes } from "./flows.js";
import { ago, money, number, quotes, short, sign, span, time, utc } from "./format.js";

const NOTHING = "Nothing chosen";
const OLD = { silent: "no news", lost: "no connection" }; // of the server, in the tab's title

/** Return what draws the head into `parts`: `name`, `state`, `facts`, `market` and `kind` (selects), `clock`, `mode`, `welcome`. */
export function headOf(parts, on) {
  parts.market.addEventListener("change", () => on.market(parts.market.value));
  parts.kind.addEventListener("change", () => on.kind(parts.kind.value));
  return ({ desk, flow, run, choice, link, now }) => {
    const name = flow?.name ?? run?.flow ?? NOTHING;
    say(parts.name, name);
    say(parts.clock, `${utc(now)} UTC`);
    parts.mode.hidden = !desk.read_only;
    parts.welcome.hidden = Boolean(flow || run || desk.runs.length);
    parts.welcome.parentElement.classList.toggle("blank", !parts.welcome.hidden);
    fill(parts.state, flow ? [chip(flow.state, flow.bad), ...modes(flow)] : run ? chip(run.status, false) : null);
    fill(parts.facts, flow ? ofFlow(flow, now) : run ? ofRun(run) : null);
    const markets = run?.markets ?? [];
    choices(parts.market, markets.map(({ market }) => market), choice.market);
    const kinds = markets.find(({ market }) => market === choice.market)?.kinds ?? [];
    choices(parts.kind, kinds.map(({ kind }) => kind), choice.kind, 2);
    const wrong = OLD[link] ?? (flow?.bad ? flow.state : "");
    document.title = `${wrong && `\u25b2 ${wrong}: `}${name} \u00b7 Tapedeck`;
  };
}

function ofFlow(flow, now) {
  const lag = flow.lag_seconds == null ? null : fact("lag", span(flow.lag_seconds * 1000));
  const last = flow.last_event == null ? null : fact("last event", ago(flow.last_event, now));
  return [
    fact("closed PnL", el("span", { class: `num ${sign(flow.pnl)}`, title: closed(flow) },
      `${money(flow.pnl)} ${quotes(flow.markets)}`)),
    fact("trades read", number(flow.trades)), lag, last, flow.behind ? fact("behind", number(flow.behind)) : null,
    fact("since", time(flow.since)), flow.restarts ? fact("restarts", number(flow.restarts)) : null,
    fact("run", short(flow.run)),
  ];
}

function closed({ pnl, markets }) {
  const several = quotes(markets).includes("+") ? ", currencies added as if they were one" : "";
  return `${pnl}: what closed positions have made, after fees${several}; open ones are not in it`;
}

function ofRun(run) {
  return [
    fact("mode", run.mode), fact("source", run.source), fact("started", time(run.started)),
    fact("finished", time(run.finished)), fact("run", short(run.run)), fact("code", short(run.code_version)),
  ];
}

function fact(name, value) {
  return el("span", {}, el("span", { class: "muted" }, `${name} `), value);
}

/** Offer names to choose from, without a move if they are the same; hide them where there are too few. */
function choices(select, names, chosen, least = 1) {
  const said = names.join("\n");
  if (select.dataset.names !== said) {
    fill(select, names.map((name) => el("option", { value: name }, name)));
    select.dataset.names = said;
  }
  select.value = chosen;
  select.parentElement.hidden = names.length < least;
}
