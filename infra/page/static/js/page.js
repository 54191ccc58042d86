/** One choice of run and market, one stream of updates, and sections that draw what comes. */

import { get, query } from "./api.js";
import { choiceOf, chosenBefore, keep } from "./choice.js";
import { redate, utc } from "./format.js";
import { drop, later } from "./frame.js";
import { Live } from "./live.js";

const WHOLE = ["positions", "signals", "equity", "model", "troubles", "feed", "book"];
const LISTED = ["positions", "signals", "troubles"]; // of these older ones can be asked for
const KINDS = ["hello", "desk", "candles", "tick", "trouble", "beat", ...WHOLE];
const NOTHING = { flow: "", run: "", market: "" };
const AGAIN = 3_000;
const GONE = 404;

export class Page {
  #sections;
  #banners;
  #live;
  #desk = null;
  #choice = chosenBefore();
  #run = null; // what there is to say of the run that is shown
  #asked = ""; // its id, or that of the one which is to be shown
  #version = null;
  #ahead = 0; // of the server's clock, in ms
  #feed = null;
  #link = ""; // how the stream is
  #day = "";

  /**
   * @param {function(object): object} sections - see `sections.js`
   * @param {Banners} banners - where it is told what is wrong
   */
  constructor(sections, banners) {
    this.#banners = banners;
    this.#sections = sections({
      choose: (choice) => {
        banners.say("run", "");
        this.#choose(choice);
      },
      market: (market) => this.#choose({ ...this.#choice, market }),
      kind: (kind) => this.#choose({ ...this.#choice, kind }),
      failed: (error) => this.#failed(error),
    });
    this.#live = new Live(KINDS, {
      push: (kind, data) => this.#push(kind, data),
      state: (state, since) => {
        this.#link = state;
        banners.link(state, since);
      },
    });
  }

  /** Ask for the desk, and for what is chosen of it. */
  async begin() {
    try {
      this.#show(await get("/api/desk"));
    } catch (error) {
      this.#failed(error);
      if (error.status !== 401) setTimeout(() => this.begin(), AGAIN);
      return;
    }
    if (!this.#asked) this.#live.open("/api/stream"); // nothing to look at yet: what comes is told
    setInterval(() => {
      this.#tell();
      this.#turn();
    }, 1_000);
  }

  #push(kind, data) {
    if (kind === "hello") this.#greeted(data);
    else if (kind === "beat") this.#ahead = data.now - Date.now();
    else if (kind === "trouble") this.#banners.say(data.what, data.up ? "" : data.message);
    else if (kind === "desk") later(kind, () => this.#show(data));
    else if (kind === "candles") this.#sections.candles.push(data);
    else if (kind === "tick") this.#tick(data);
    else later(kind, () => this.#draw(kind, data));
  }

  #greeted({ now, version }) {
    this.#ahead = now - Date.now();
    if (this.#version && this.#version !== version) location.reload(); // it was started again, with another page
    this.#version = version;
    this.#sections.candles.again();
  }

  #tick(data) {
    this.#sections.candles.tick(data);
    later("tick", () => this.#sections.positions.tick(data));
  }

  #draw(kind, data) {
    if (kind === "feed") {
      this.#feed = data;
      this.#tell();
    } else if (LISTED.includes(kind)) {
      this.#sections[kind].push(data);
    } else {
      this.#sections[kind](data);
    }
  }

  #show(desk) {
    this.#desk = desk;
    if (desk.now) this.#ahead = desk.now - Date.now(); // what is pushed has no time
    this.#banners.say("page", "");
    this.#banners.say("history", desk.history.up ? "" : desk.history.why);
    this.#banners.say("log", desk.log.up ? "" : desk.log.why);
    const choice = choiceOf(desk, this.#choice);
    if (choice?.run && choice.run !== this.#asked) this.#choose({ ...this.#choice, ...choice });
    else if (choice) this.#choice = { ...this.#choice, ...choice };
    this.#tell();
  }

  /** Tell what is chosen, how it is, and what can be ordered. */
  #tell() {
    if (!this.#desk) return;
    const flow = this.#desk.flows.find(({ name }) => name === this.#choice.flow) ?? null;
    const now = Date.now() + this.#ahead;
    this.#sections.flows(this.#desk, this.#choice);
    this.#sections.head({ desk: this.#desk, flow, run: this.#run, choice: this.#choice, link: this.#link, now });
    this.#sections.commands.show(this.#desk, flow);
    this.#banners.say("flow", flow?.bad ? badly(flow) : "");
    if (this.#feed) {
      this.#sections.feed(this.#feed, { now, running: flow?.state === "running", chosen: this.#choice.market });
    }
  }

  /** At midnight, times that were written without their date get it. */
  #turn() {
    const today = utc(Date.now()).slice(0, "2026-11-23".length);
    if (this.#day && this.#day !== today) redate();
    this.#day = today;
  }

  async #choose(choice) {
    this.#choice = choice;
    this.#asked = choice.run;
    if (choice.run !== this.#run?.run) {
      const run = await this.#about(choice);
      if (this.#asked !== choice.run) return; // another was chosen meanwhile
      if (!run) {
        this.#asked = ""; // the next desk that is pushed says what to look at
        return this.#listen();
      }
      this.#run = run;
      this.#feed = null;
    }
    this.#look();
  }

  async #about({ run }) {
    try {
      return await get(`/api/runs/${encodeURIComponent(run)}`);
    } catch (error) {
      if (error.status === GONE) {
        this.#banners.say("run", error.message);
        this.#choice = NOTHING;
      } else {
        this.#failed(error); // it is asked for again
      }
      return null;
    }
  }

  /** Look at the market that is chosen, or the first. */
  #look() {
    const { run, markets } = this.#run;
    const told = markets.find(({ market }) => market === this.#choice.market) ?? markets[0];
    const kind = told?.kinds.find(({ kind: name }) => name === this.#choice.kind) ?? told?.kinds[0];
    this.#choice = { ...this.#choice, run, market: told?.market ?? "", kind: kind?.kind ?? "" };
    keep(this.#choice);
    this.#listen();
    for (const name of LISTED) this.#sections[name].choose(this.#choice);
    this.#sections.candles.choose(told ? { ...this.#choice, step: kind?.step ?? null } : null);
    this.#tell();
  }

  #listen() {
    const { run, market, kind } = this.#run ? this.#choice : {};
    drop();
    this.#live.open(`/api/stream${query({ run, market, kind })}`);
  }

  #failed(error) {
    if (error.status !== 0) this.#banners.say("page", error.message); // 0: the stream says it
    console.debug(error.message);
  }
}

/** Why somebody should look at a flow. */
function badly({ name, state, why }) {
  return why.startsWith(name) ? why : `${name} is ${state}${why ? `: ${why}` : ""}`;
}
