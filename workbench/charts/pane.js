// A pane: markup that the kernel writes, part by part, while somebody looks. Acts of the user go back by name.
import { entryPoints, Wire } from "./js/wire.js";

const CHECK_MS = 1000;

class PaneLink extends Wire {
  constructor(model, now = () => performance.now()) {
    super(model, "whole", now);
    this.parts = null;
    this.sequence = 0;
    this.needsAnswer = true; // parts that lack a change are shown until the whole has come
  }

  receive(content) {
    const { kind, parts, sequence } = content;
    const isNext = !this.needsAnswer && sequence === this.sequence + 1;
    if (kind === "whole" || (kind === "change" && isNext)) {
      this.parts = kind === "whole" ? parts : { ...this.parts, ...parts };
      this.sequence = sequence;
      this.needsAnswer = false;
      for (const view of this.listeners) view.fill(kind === "whole" ? [""] : Object.keys(parts));
    } else if (kind === "change" || (kind === "pulse" && sequence !== this.sequence)) {
      this.needsAnswer = true;
      this.ask();
    }
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

const { initialize, render } = entryPoints((model) => new PaneLink(model), (_model, link, el) => new PaneView(link, el));

export default { initialize, render };
