/** Halt, resume and flatten: nothing is sent before a dialog has said what will happen. */

import { post } from "./api.js";
import { el, fill, say } from "./dom.js";

export class Commands {
  #parts;
  #desk = null;
  #flow = null;
  #prepared = null;
  #doing = null; // what the dialog is about: `{action, flow}`
  #last = "";

  /**
   * @param {object} parts - elements: `bar` (with a button per `data-action`), `note`, `dialog`, and in it
   *   `form`, `title`, `says`, `held`, `typing`, `word`, `typed`, `wrong`, `go`, `cancel`
   */
  constructor(parts) {
    this.#parts = parts;
    for (const button of parts.bar.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.#prepare(button.dataset.action));
    }
    parts.typed.addEventListener("input", () => this.#ready());
    parts.cancel.addEventListener("click", () => parts.dialog.close());
    parts.dialog.addEventListener("close", () => (this.#prepared = null));
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Show which commands there are for a flow of the desk; null if a past run is looked at. */
  show(desk, flow) {
    this.#desk = desk;
    if (flow && this.#last !== flow.name) {
      say(this.#parts.note, ""); // what was said was of another
      this.#last = flow.name;
    }
    this.#flow = flow;
    this.#parts.bar.hidden = desk.read_only || !flow;
    for (const button of this.#parts.bar.querySelectorAll("[data-action]")) {
      button.disabled = !flow?.commandable;
      button.title = flow?.commandable ? "" : "This flow does not hear commands: it does not run, or has a tape of its own.";
    }
  }

  async #prepare(action) {
    if (!this.#flow) return; // it went while it was clicked
    const { flow } = this.#flow;
    say(this.#parts.note, "");
    try {
      this.#prepared = await post("/api/commands/prepare", this.#desk.csrf, { action, flow, markets: [] });
    } catch (error) {
      return say(this.#parts.note, error.message);
    }
    this.#doing = { action, flow };
    this.#open();
  }

  #open() {
    const { says, held, type } = this.#prepared;
    const { dialog, title, word, typed, typing, wrong, go } = this.#parts;
    const { action, flow } = this.#doing;
    const name = action[0].toUpperCase() + action.slice(1);
    title.textContent = `${name} ${flow}?`;
    fill(this.#parts.says, says.map((line) => el("li", {}, line)));
    const holds = held.map(({ market, position }) => el("li", {}, el("strong", {}, position), ` in ${market}`));
    fill(this.#parts.held, holds.length ? [el("p", {}, "Held now:"), el("ul", {}, holds)] : el("p", {}, "Nothing is held now."));
    typing.hidden = !type;
    word.textContent = type ?? "";
    typed.value = "";
    wrong.textContent = "";
    go.textContent = name;
    go.classList.toggle("danger", action === "flatten");
    this.#ready();
    dialog.showModal();
    (type ? typed : this.#parts.cancel).focus();
  }

  #ready() {
    const type = this.#prepared?.type;
    this.#parts.go.disabled = Boolean(type) && this.#parts.typed.value !== type;
  }

  async #send() {
    const { dialog, typed, wrong, note, go } = this.#parts;
    if (go.disabled) return;
    go.disabled = true; // once is enough, however often it is clicked
    try {
      const { confirm } = this.#prepared;
      const answer = await post("/api/commands", this.#desk.csrf, { confirm, typed: typed.value });
      dialog.close();
      note.textContent = [answer.done, ...answer.notes].join(" · ");
    } catch (error) {
      wrong.textContent = error.status ? `${error.message} Close this and begin again.` :
        `${error.message}. Whether it was said is not known: look at the mode of the flow, or say it with \`deck ${this.#doing.action}\`.`;
    }
  }
}
