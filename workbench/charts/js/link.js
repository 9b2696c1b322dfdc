// The wire of one chart: numbered messages go into its store.
import { ChartStore } from "./store.js";
import { Wire } from "./wire.js";

export class PageLink extends Wire {
  constructor(model, now = () => performance.now()) {
    super(model, "snapshot", now);
    this.store = new ChartStore();
    this.showsGhost = true; // here, so that the choice outlives a view that is drawn again
    this.wanted = null; // the symbol that was chosen and has not come yet
    this.onScript = () => {};
  }

  choose(symbol) {
    this.wanted = symbol === this.store.symbol ? null : symbol;
    this.lastMessageAt = this.now(); // of a session that is over nothing came for long, and that was no fault
    this.ask();
    this.#tell();
  }

  // Part of the question, which is asked until the symbol comes.
  get wish() {
    return this.wanted === null ? {} : { symbol: this.wanted };
  }

  // What the page has is confirmed by the heartbeat and not message by message: an answer to each would cost the kernel
  // more than the message.
  get confirmation() {
    return { sequence: this.store.sequence };
  }

  get needsAnswer() {
    return !this.store.isReady || this.wanted !== null;
  }

  get isOver() {
    return this.store.isFinal && this.wanted === null;
  }

  askScript() {
    this.send({ kind: "script" });
  }

  receive(content, buffers) {
    if (content.kind === "script") {
      this.onScript(buffers[0]);
      return;
    }
    const outcome = this.store.apply(content, buffers);
    if (this.wanted === this.store.symbol) this.wanted = null;
    if (outcome === "gap") this.ask();
    if (outcome !== "same") this.#tell();
  }

  #tell() {
    for (const listener of this.listeners) listener();
  }
}
