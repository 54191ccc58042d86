/** What the reader has to know before trusting the rest: the server, history, the log or the flow is gone. */

import { el, fill, say } from "./dom.js";
import { time } from "./format.js";

const LINK = {
  live: () => "live",
  silent: (since) => ["silent since ", time(since)],
  lost: (since) => (since ? ["no connection since ", time(since)] : "no connection"),
};

export class Banners {
  #said = new Map();
  #parts;

  /** @param {object} parts - elements: `list`, and `state`, that of the connection */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Say what is wrong with something; nothing is wrong if `message` is empty. */
  say(what, message) {
    if ((this.#said.get(what) ?? "") === message) return;
    if (message) this.#said.set(what, message);
    else this.#said.delete(what);
    fill(this.#parts.list, [...this.#said].map(([name, text]) => el("p", { class: "banner", "data-what": name }, text)));
  }

  /** Say how the connection is: "live", "silent" or "lost", and since when nothing came. */
  link(state, since) {
    if (this.#parts.state.dataset.state === state) return;
    this.#parts.state.dataset.state = state;
    fill(this.#parts.state, el("span", { "aria-hidden": "true" }, state === "live" ? "\u25cf " : "\u25b2 "), LINK[state](since));
    document.body.classList.toggle("stale", state !== "live");
    this.say("server", state === "live" ? "" : STALE[state]);
  }
}

const STALE = {
  silent: "The dashboard's server says nothing: what you see is old.",
  lost: "The dashboard's server cannot be reached: what you see is old. It is tried again; if it does not come back, start `deck dashboard`.",
};
