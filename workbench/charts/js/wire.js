// The page's end of the wire for one model: heartbeats and questions out, messages in. What a message means is told by
// whoever extends it.

const BEAT_MS = 3000;
const ASK_MS = 1500;
const STALE_MS = 6000;

export class Wire {
  // `question` asks the kernel for everything, with what `wish` adds; `needsAnswer` says whether it must be asked.
  constructor(model, question, now) {
    this.model = model;
    this.question = question;
    this.now = now;
    this.listeners = new Set();
    this.visible = new Set(); // the views of this page that can be seen
    this.lastMessageAt = now();
    this.onShown = () => {};
    this.hear = (content, buffers) => {
      this.lastMessageAt = this.now();
      this.receive(content, buffers);
    };
    model.on("msg:custom", this.hear);
    this.timer = setInterval(() => this.beat(), BEAT_MS);
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.askTimer);
    this.model.off("msg:custom", this.hear);
    this.listeners.clear();
    this.visible.clear();
  }

  // The kernel sends only while it hears this; a page nobody looks at stays silent and costs nothing.
  beat() {
    if (this.visible.size) this.send({ kind: "beat", ...this.confirmation });
  }

  setVisible(view, isVisible) {
    const wasVisible = this.visible.size > 0;
    if (isVisible) this.visible.add(view);
    else this.visible.delete(view);
    if (wasVisible || !this.visible.size) return;
    this.lastMessageAt = this.now(); // the kernel was silent because this page was: that is not "stale"
    this.beat();
    this.onShown();
    this.ask();
  }

  // Milliseconds of unexpected silence, 0 while all is well.
  get staleMs() {
    const silence = this.now() - this.lastMessageAt;
    return !this.isOver && this.visible.size && silence > STALE_MS ? silence : 0;
  }

  // Until answered: the question or its answer may be lost while a cell hogs the kernel or a server restarts.
  ask() {
    clearTimeout(this.askTimer);
    if (!this.needsAnswer || !this.visible.size) return;
    this.send({ kind: this.question, ...this.wish });
    this.askTimer = setTimeout(() => this.ask(), ASK_MS);
  }

  send(content) {
    try {
      this.model.send(content);
    } catch (error) {
      console.debug("the kernel cannot be reached", error); // the page says "stale" to the user
    }
  }
}

// What anywidget calls. It hands `initialize` and `render` different model objects, so what both share is found by the
// widget's own id.
export function entryPoints(makeWire, makeView) {
  const wires = new Map();
  return {
    initialize({ model }) {
      const id = model.get("uid");
      const wire = makeWire(model);
      wires.set(id, wire);
      return () => {
        wire.close();
        wires.delete(id);
      };
    },
    render({ model, el }) {
      const view = makeView(model, wires.get(model.get("uid")), el);
      view.open();
      return () => view.close();
    },
  };
}
