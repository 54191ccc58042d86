/** Which flow or run is looked at, and which of its markets; the address keeps it. */

/** Read it from the address: `{flow, run, market}`, empty where nothing is said. */
export function chosenBefore() {
  const said = new URLSearchParams(location.hash.slice(1));
  return { flow: said.get("flow") ?? "", run: said.get("run") ?? "", market: said.get("market") ?? "" };
}

/** Keep it in the address, so that a reload or a bookmark comes back to it. */
export function keep({ flow, run, market }) {
  const said = Object.entries(flow ? { flow, market } : { run, market }).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(said)}`);
}

/** What to look at: what was chosen if it is still there, else a flow that runs, else the newest run. */
export function choiceOf(desk, { flow, run }) {
  const deployed = desk.flows.find(({ name }) => name === flow) ?? desk.flows.find((one) => run && one.run === run);
  if (deployed) return { flow: deployed.name, run: deployed.run };
  if (run) return { flow: "", run };
  const first = desk.flows.find(({ state }) => state === "running") ?? desk.flows[0];
  if (first) return { flow: first.name, run: first.run };
  return desk.runs.length ? { flow: "", run: desk.runs[0].run } : null;
}
