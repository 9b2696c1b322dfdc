// The wire of one chart: numbered messages go into its store.
import { ChartStore } from "./store.js";
import { Wire } from "./wire.js";

export class PageLink extends Wire {
  constructor(model, now = () => performance.now()) {
    super(model, "snapshot", now);
    this.store = new ChartStore();
    this.showsGhost = true; // here, so that the choice outlives a view that is drawn again
    this.onScript = () => {};
  }

  // What the page has is confirmed by the heartbeat and not message by message: an answer to each would cost the kernel
  // more than the message.
  get confirmation() {
    return { sequence: this.store.sequence };
  }

  get needsAnswer() {
    return !this.store.isReady;
  }

  get isOver() {
    return this.store.isFinal;
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
    if (outcome === "gap") this.ask();
    if (outcome !== "same") for (const listener of this.listeners) listener();
  }
}
