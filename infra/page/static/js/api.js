/** What the server is asked, and what it answers. */

const PATIENCE = 20_000;
const NO_ENTRY = "not let in: open the address that `deck dashboard` printed once more";

/** An answer that is none: `message` says why, `status` is HTTP's, 0 if the server did not answer. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask for something; parameters that are empty are left out. */
export function get(path, parameters = {}) {
  return ask(path + query(parameters), { method: "GET" });
}

/** Order something, with the token that shows that it was this page. */
export function post(path, token, body) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Write parameters as they stand in an address. */
export function query(parameters) {
  const said = Object.entries(parameters).filter(([, value]) => value != null && value !== "");
  return said.length ? `?${new URLSearchParams(said)}` : "";
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    const why = error.name === "TimeoutError" ? "does not answer" : "cannot be reached";
    throw new Refusal(0, `the dashboard's server ${why}`);
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw new Refusal(answer.status, answer.status === 401 ? NO_ENTRY : (said.error?.message ?? `HTTP ${answer.status}`));
}
