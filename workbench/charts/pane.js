// A pane: markup that the kernel writes, part by part, while somebody looks. Acts of the user go back by name.
// anywidget hands `initialize` and `render` different model objects, so what both share is found by the pane's own id.

const BEAT_MS = 3000;
const ASK_MS = 1500;
const STALE_MS = 6000;
const CHECK_MS = 1000;
const links = new Map();

class PaneLink {
  constructor(model) {
    this.model = model;
    this.parts = null;
    this.sequence = 0;
    this.listeners = new Set();
    this.visible = new Set(); // the views of this page that can be seen
    this.lastMessageAt = performance.now();
    this.receive = (content) => this.#receive(content);
    model.on("msg:custom", this.receive);
    this.timer = setInterval(() => this.beat(), BEAT_MS);
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.askTimer);
    this.model.off("msg:custom", this.receive);
    this.visible.clear();
  }

  // The kernel writes only while it hears this; a page nobody looks at stays silent and costs nothing.
  beat() {
    if (this.visible.size) this.send({ kind: "beat" });
  }

  setVisible(view, isVisible) {
    const wasVisible = this.visible.size > 0;
    if (isVisible) this.visible.add(view);
    else this.visible.delete(view);
    if (wasVisible || !this.visible.size) return;
    this.lastMessageAt = performance.now(); // the kernel was silent because this page was: that is not "stale"
    this.beat();
    if (!this.parts) this.#ask();
  }

  // Milliseconds of unexpected silence, 0 while all is well.
  get staleMs() {
    const silence = performance.now() - this.lastMessageAt;
    return this.visible.size && silence > STALE_MS ? silence : 0;
  }

  send(content) {
    try {
      this.model.send(content);
    } catch (error) {
      console.debug("pane: the kernel cannot be reached", error); // the stale note tells the user
    }
  }

  #receive(content) {
    this.lastMessageAt = performance.now();
    const isNext = this.parts && content.sequence === this.sequence + 1;
    if (content.kind === "pulse") {
      if (!this.parts || content.sequence !== this.sequence) this.#ask();
    } else if (content.kind === "whole") {
      this.parts = content.parts;
      this.sequence = content.sequence;
      for (const view of this.listeners) view.fill([""]);
    } else if (content.kind === "change" && isNext) {
      Object.assign(this.parts, content.parts);
      this.sequence = content.sequence;
      for (const view of this.listeners) view.fill(Object.keys(content.parts));
    } else if (content.kind === "change") {
      this.parts = null;
      this.#ask();
    }
  }

  // Until answered: the question or its answer may be lost while a cell hogs the kernel.
  #ask() {
    clearTimeout(this.askTimer);
    if (!this.visible.size) return;
    this.send({ kind: "whole" });
    this.askTimer = setTimeout(() => { if (!this.parts) this.#ask(); }, ASK_MS);
  }
}

class PaneView {
  constructor(link, element) {
    this.link = link;
    this.root = document.createElement("div");
    this.root.className = "wb-pane";
    this.body = document.createElement("div");
    this.body.dataset.slot = "";
    this.note = document.createElement("div");
    this.note.className = "wb-pane-stale";
    this.note.hidden = true;
    this.tip = document.createElement("div");
    this.tip.className = "wb-pane-tip";
    this.tip.hidden = true;
    this.root.append(this.note, this.body, this.tip);
    element.append(this.root);
    this.isOnScreen = false;
  }

  open() {
    this.link.listeners.add(this);
    const seen = new IntersectionObserver((entries) => { this.isOnScreen = entries.at(-1).isIntersecting; this.#look(); });
    seen.observe(this.root);
    const look = () => this.#look();
    document.addEventListener("visibilitychange", look);
    const timer = setInterval(() => this.#checkSilence(), CHECK_MS);
    this.undo = () => {
      seen.disconnect();
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
    };
    this.root.addEventListener("click", (event) => this.#click(event));
    this.root.addEventListener("keydown", (event) => this.#press(event));
    this.root.addEventListener("pointermove", (event) => this.#point(event));
    this.root.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    if (this.link.parts) this.fill([""]);
  }

  close() {
    this.undo();
    this.link.setVisible(this, false);
    this.link.listeners.delete(this);
  }

  fill(names) {
    const root = names.includes("") ? [this.body] : [];
    const nodes = root.length ? root : names.flatMap((name) => [...this.body.querySelectorAll(`[data-slot="${CSS.escape(name)}"]`)]);
    for (const node of nodes) this.#fill(node);
  }

  #fill(node) {
    const active = document.activeElement;
    const key = active && node.contains(active) ? active.dataset.key : undefined;
    node.innerHTML = this.link.parts[node.dataset.slot] ?? "";
    for (const inner of node.querySelectorAll("[data-slot]")) this.#fill(inner);
    // Whoever uses the keyboard stays where they were.
    if (key) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }

  #look() {
    this.link.setVisible(this, this.isOnScreen && !document.hidden);
  }

  #checkSilence() {
    const silence = this.link.staleMs;
    this.note.hidden = !silence;
    this.root.classList.toggle("wb-pane-is-stale", silence > 0);
    if (silence) this.note.textContent = `▲ stale: no word from the kernel for ${Math.round(silence / 1000)} s`;
  }

  #click(event) {
    const target = event.target.closest("[data-act]");
    if (!target || target.disabled) return;
    const place = this.#place(event, target);
    const value = place ? place.join(",") : (target.dataset.value ?? "");
    this.link.send({ kind: "act", act: target.dataset.act, value });
  }

  // Column and row under the pointer of an element that says how many it has; rows count from below, as values do.
  #place(event, target) {
    const { columns, rows } = target.dataset;
    if (!columns) return null;
    const box = target.getBoundingClientRect();
    const share = (at, begin, length, count) => Math.max(0, Math.min(count - 1, Math.floor(((at - begin) / length) * count)));
    const row = share(event.clientY, box.top, box.height, rows);
    return [share(event.clientX, box.left, box.width, columns), rows - 1 - row];
  }

  #press(event) {
    const target = event.target.closest("[data-keys]");
    const step = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
    // Shift and the like are JupyterLab's.
    if (!target || !step || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.link.send({ kind: "act", act: target.dataset.keys, value: step });
  }

  #point(event) {
    const target = event.target.closest("[data-tip], [data-tips]");
    this.tip.hidden = !target;
    if (!target) return;
    const place = this.#place(event, target);
    this.tip.textContent = place ? this.#tipOf(target, place) : target.dataset.tip;
    const box = this.root.getBoundingClientRect();
    const x = event.clientX - box.left;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(x + 14, box.width - width))}px`;
    this.tip.style.top = `${event.clientY - box.top + 16}px`;
  }

  // The texts of a map are a part of their own: names and values of both axes, and the figures row by row.
  #tipOf(target, [column, row]) {
    const { x, y, names, figures } = JSON.parse(this.link.parts[target.dataset.tips]);
    const lines = [`${names[0]} ${x[column]}`];
    if (names[1]) lines.push(`${names[1]} ${y[row]}`);
    return [...lines, `${names[2]} ${figures[row][column]}`].join("\n");
  }
}

function initialize({ model }) {
  const id = model.get("uid");
  const link = new PaneLink(model);
  links.set(id, link);
  return () => {
    link.close();
    links.delete(id);
  };
}

function render({ model, el }) {
  const view = new PaneView(links.get(model.get("uid")), el);
  view.open();
  return () => view.close();
}

export default { initialize, render };
