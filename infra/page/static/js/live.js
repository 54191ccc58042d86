/** What the server pushes, and whether it still does. */

const SILENT = 12_000; // the server beats every few seconds
const LOOK = 1_000;
const AGAIN = [500, 1_000, 2_000, 5_000];

/**
 * One stream of pushed updates. It comes back by itself, however often it is lost.
 *
 * `on.push(kind, data)` gets what comes; `on.state(state, since)` hears "live", "silent" and "lost". What was
 * pushed while it was lost is missing: the server says `hello` first, and then how everything is.
 */
export class Live {
  #source = null;
  #kinds;
  #on;
  #heard = 0;
  #tries = 0;
  #lost = false;
  #timer = 0;
  #path = "";

  constructor(kinds, on) {
    this.#kinds = kinds;
    this.#on = on;
    setInterval(() => this.#look(), LOOK);
  }

  /** Listen to this address from now on. */
  open(path) {
    this.#path = path;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(this.#path);
    this.#source = source;
    source.onopen = () => this.#opened();
    source.onerror = () => this.#failed(source);
    for (const kind of this.#kinds) {
      source.addEventListener(kind, (event) => this.#heardOf(source, kind, event.data));
    }
  }

  #opened() {
    this.#tries = 0;
    this.#lost = false;
    this.#alive();
  }

  #heardOf(source, kind, data) {
    if (source !== this.#source) return; // of a choice that is over
    this.#alive();
    if (data) this.#on.push(kind, JSON.parse(data));
  }

  #alive() {
    this.#heard = Date.now();
    this.#on.state("live", this.#heard);
  }

  #failed(source) {
    if (source !== this.#source) return;
    source.close(); // its own tries come at a fixed pace, and none behind an HTTP error
    this.#lost = true;
    this.#on.state("lost", this.#heard);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), AGAIN[Math.min(this.#tries, AGAIN.length - 1)]);
    this.#tries += 1;
  }

  #look() {
    if (this.#lost || !this.#heard || Date.now() - this.#heard < SILENT) return;
    this.#on.state("silent", this.#heard);
    if (Date.now() - this.#heard > 2 * SILENT) this.#failed(this.#source);
  }
}
