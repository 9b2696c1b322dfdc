// The page's end of the wire for one model: numbered messages in; heartbeats and questions out.
import { ChartStore } from "./store.js";

const BEAT_MS = 3000;
const ASK_MS = 1500;
const STALE_MS = 6000;

export class PageLink {
  constructor(model, now = () => performance.now()) {
    this.model = model;
    this.now = now;
    this.store = new ChartStore();
    this.listeners = new Set();
    this.visible = new Set(); // the views of this page that can be seen
    this.lastMessageAt = now();
    this.showsGhost = true; // here, so that the choice outlives a view that is drawn again
    this.onScript = () => {};
    this.onShown = () => {};
    this.receive = (content, buffers) => this.#receive(content, buffers);
    model.on("msg:custom", this.receive);
    this.timer = setInterval(() => this.beat(), BEAT_MS);
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.askTimer);
    this.model.off("msg:custom", this.receive);
    this.listeners.clear();
    this.visible.clear();
  }

  // The kernel sends only while it hears this; a page nobody looks at stays silent and costs nothing. What the page has
  // is confirmed here and not message by message: an answer to each would cost the kernel more than the message.
  beat() {
    if (this.visible.size) this.#send({ kind: "beat", sequence: this.store.sequence });
  }

  setVisible(view, isVisible) {
    const wasVisible = this.visible.size > 0;
    if (isVisible) this.visible.add(view);
    else this.visible.delete(view);
    if (wasVisible || !this.visible.size) return;
    this.lastMessageAt = this.now(); // the kernel was silent because this page was: that is not "stale"
    this.beat();
    this.onShown();
    if (!this.store.isReady) this.#ask();
  }

  askScript() {
    this.#send({ kind: "script" });
  }

  // Milliseconds of unexpected silence, 0 while all is well.
  get staleMs() {
    const silence = this.now() - this.lastMessageAt;
    return !this.store.isFinal && this.visible.size && silence > STALE_MS ? silence : 0;
  }

  #receive(content, buffers) {
    this.lastMessageAt = this.now();
    if (content.kind === "script") {
      this.onScript(buffers[0]);
      return;
    }
    const outcome = this.store.apply(content, buffers);
    if (outcome === "gap") this.#ask();
    if (outcome !== "same") for (const listener of this.listeners) listener();
  }

  // Until answered: the question or its answer may be lost while a cell hogs the kernel or a server restarts.
  #ask() {
    clearTimeout(this.askTimer);
    if (this.store.isReady || !this.visible.size) return;
    this.#send({ kind: "snapshot" });
    this.askTimer = setTimeout(() => this.#ask(), ASK_MS);
  }

  #send(content) {
    try {
      this.model.send(content);
    } catch (error) {
      console.debug("live chart: the kernel cannot be reached", error); // the stale badge tells the user
    }
  }
}
