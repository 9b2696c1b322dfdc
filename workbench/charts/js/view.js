// One visible chart: decides when to draw and what, and turns gestures into a viewport.
import { lags, makeFrame, makeLayout, makeTraces, movingShapes, outgrows, visibleMarks } from "./figure.js";
import { priceDecimals } from "./format.js";
import { Geometry } from "./geometry.js";
import { Header } from "./header.js";
import { loadPlotly } from "./loader.js";
import { element, Overlay } from "./overlay.js";
import { ShapeLayer } from "./shapes.js";
import { studyKeys } from "./study.js";
import { Viewport } from "./viewport.js";

const FRAME_MS = 50; // at most 20 drawings a second
const FULL_MS = 1000; // the still part at most once a second, unless something left its range
const RETRY_MS = 100;
const MIN_WIDTH = 50; // pixels; a narrower chart is not drawn
const MARK_PIXELS = 14;
const DOUBLE_CLICK_MS = 400;
const DOUBLE_CLICK_PIXELS = 6;
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false };

export class ChartView {
  constructor(model, link, parent) {
    this.model = model;
    this.link = link;
    this.store = link.store;
    this.viewport = new Viewport(model.get("timeframe_ms"));
    if (model.get("is_whole")) this.viewport.showAll();
    this.root = element("div", "wb-live", parent);
    this.header = new Header(this.root, model.get("title"), {
      zoomIn: () => this.#zoom(1 / 1.4), zoomOut: () => this.#zoom(1.4), follow: () => this.#follow(),
      all: () => this.#showAll(), ghost: () => this.#toggleGhost(), choose: (symbol) => this.link.choose(symbol),
    });
    this.symbol = model.get("title").symbol;
    this.stage = element("div", "wb-live-stage", this.root);
    this.stage.style.height = `${model.get("height")}px`;
    this.plot = element("div", "wb-live-plot", this.stage);
    this.overlay = new Overlay(this.stage, model.get("title"));
    this.shapes = new ShapeLayer(this.overlay.root);
    this.root.classList.add("wb-live-empty");
    this.message = element("div", "wb-live-message", this.stage, "Waiting for the session…");
    this.undo = [];
    this.drawnAt = -Infinity;
    this.fullAt = -Infinity;
    this.frame = null;
    this.pointer = null;
    this.needsFull = true;
  }

  async open() {
    this.#paint();
    this.#showChoice();
    this.#watchPage();
    this.#watchPointer();
    const schedule = () => {
      this.#showChoice();
      this.schedule();
    };
    this.link.listeners.add(schedule);
    this.undo.push(() => this.link.listeners.delete(schedule));
    try {
      this.plotly = await loadPlotly(this.link);
    } catch (error) {
      this.message.textContent = `The chart cannot be drawn: ${error.message}.`;
      return;
    }
    this.schedule();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.later);
    for (const undo of this.undo) undo();
    this.link.setVisible(this, false);
    if (this.frame) this.plotly.purge(this.plot);
  }

  // Drawings are coalesced: however many messages come, at most one waits, and none while nobody can see it.
  schedule(needsFull = false) {
    this.needsFull ||= needsFull;
    this.isDirty = true;
    if (this.isDrawing || this.isClosed || !this.plotly || !this.isShown || this.isGrabbed) return;
    this.isDrawing = true;
    const wait = Math.max(0, this.drawnAt + FRAME_MS - performance.now());
    setTimeout(() => requestAnimationFrame(() => this.#drawFrame()), wait);
  }

  async #drawFrame() {
    this.drawnAt = performance.now();
    this.isDirty = false;
    try {
      if (!this.isClosed && !this.isGrabbed) await this.#draw();
    } catch (error) {
      console.error("live chart: drawing failed", error);
      this.header.showSilence(0, error.message);
    }
    this.isDrawing = false;
    if (this.isDirty) this.schedule();
  }

  async #draw() {
    const { store } = this;
    if (store.isReady) this.#turn();
    if (!store.isReady || !store.bars.length) {
      if (store.isReady) this.#clear("No bars yet");
      return;
    }
    if (this.stage.clientWidth < MIN_WIDTH) {
      // While JupyterLab changes its theme nothing has a size, for a moment that the observer of sizes need not see.
      this.#drawLater(RETRY_MS);
      return;
    }
    this.message.hidden = true;
    this.root.classList.remove("wb-live-empty");
    if (this.#mustRedraw()) await this.#drawFull();
    if (this.isClosed) return;
    this.shapes.draw(movingShapes(this.frame, store, this.geometry, this.palette), this.frame, this.geometry);
    this.overlay.showTags(store, this.frame, this.geometry, this.palette);
    this.#showPointer();
    this.root.dataset.sequence = store.sequence;
  }

  // Another symbol: where the chart looks stays, the values are others.
  #turn() {
    const symbol = this.store.symbol ?? this.symbol;
    if (symbol === this.symbol) return;
    this.symbol = symbol;
    this.overlay.showSymbol(symbol);
    this.viewport.valueRanges = {};
    this.needsFull = true;
  }

  #clear(text) {
    this.message.textContent = text;
    this.message.hidden = false;
    this.root.classList.add("wb-live-empty");
    if (this.frame) this.plotly.purge(this.plot);
    this.frame = null;
    this.isWatchingPlot = false;
  }

  // What was chosen stands in the chooser at once; until its candles come those of the other are faint.
  #showChoice() {
    const { store, wanted } = this.link;
    this.header.showSymbol(wanted ?? store.symbol ?? this.symbol);
    this.root.classList.toggle("wb-live-is-turning", wanted !== null);
  }

  #mustRedraw() {
    const { frame, store } = this;
    if (this.needsFull || !frame || outgrows(frame, store)) return true;
    if (!lags(frame, store)) return false;
    const wait = this.fullAt + FULL_MS - performance.now();
    // Also when no message follows that would bring it about.
    if (wait > 0) this.#drawLater(wait);
    return wait <= 0;
  }

  #drawLater(waitMs) {
    this.later ??= setTimeout(() => {
      this.later = undefined;
      this.schedule(true);
    }, waitMs);
  }

  // react, never restyle or extendTraces: those forget the axis type, and cost as much.
  async #drawFull() {
    const { store } = this;
    this.needsFull = false;
    clearTimeout(this.later);
    this.later = undefined;
    this.fullAt = performance.now();
    this.geometry = new Geometry(this.stage.clientWidth, this.stage.clientHeight);
    this.frame = makeFrame(store, this.viewport, this.geometry.plotWidth, this.link.showsGhost);
    const layout = makeLayout(this.frame, this.geometry, this.palette, this.model.get("font"));
    await this.plotly.react(this.plot, makeTraces(this.frame, store, this.geometry, this.palette), layout, CONFIG);
    this.overlay.place(this.geometry, store.bars.time[this.frame.to - 1], this.frame.stepMs);
    this.overlay.readTicks(this.plot);
    this.shapes.place(this.geometry);
    this.header.showFollow(this.viewport);
    this.header.showGhost(store.study.hasGhost, this.frame.showsGhost);
    this.#watchPlot();
  }

  // ---- what the user does ----

  #follow() {
    this.viewport.follow();
    this.schedule(true);
  }

  #showAll() {
    this.viewport.showAll();
    this.schedule(true);
  }

  #toggleGhost() {
    this.link.showsGhost = !this.link.showsGhost;
    this.viewport.valueRanges = {}; // an axis that made room for the other line may shrink again
    this.schedule(true);
  }

  #zoom(factor) {
    if (!this.frame) return;
    this.viewport.zoom(factor, this.frame.time, this.store.bars);
    this.schedule(true);
  }

  #watchPlot() {
    if (this.isWatchingPlot) return;
    this.isWatchingPlot = true;
    this.plot.on("plotly_relayout", (change) => {
      const range = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (range[0] === undefined) return;
      this.viewport.moveTo(range.map(timeOf), this.frame.time, this.store.bars);
      this.schedule(true);
    });
  }

  #watchPointer() {
    this.#listen(this.stage, "pointermove", (event) => {
      const box = this.stage.getBoundingClientRect();
      this.pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
      this.#showPointer();
    });
    this.#listen(this.stage, "pointerleave", () => { this.pointer = null; this.#showPointer(); });
    this.#listen(this.plot, "pointerdown", (event) => this.#grab(event), true);
    this.#listen(window, "pointerup", () => this.#release());
    this.#listen(window, "pointercancel", () => this.#release());
    // The wheel belongs to the notebook; with Ctrl or Cmd it zooms.
    this.#listen(this.plot, "wheel", (event) => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); }, true);
  }

  // A drawing in the middle of a drag would tear the plot out of the user's hand, so there is none until the release.
  // Double clicks are told here: a drawing between the two makes Plotly forget the first.
  #grab(event) {
    const before = this.pressed;
    this.pressed = { at: performance.now(), x: event.clientX, y: event.clientY };
    const isNear = before && Math.hypot(before.x - event.clientX, before.y - event.clientY) < DOUBLE_CLICK_PIXELS;
    this.isDoubleClick = isNear && this.pressed.at - before.at < DOUBLE_CLICK_MS;
    this.isGrabbed = true;
    this.overlay.root.classList.add("wb-live-grabbed");
  }

  #release() {
    if (!this.isGrabbed) return;
    this.isGrabbed = false;
    this.overlay.root.classList.remove("wb-live-grabbed");
    if (this.isDoubleClick) this.#follow();
    else this.schedule(true);
  }

  #showPointer() {
    const { frame, store, pointer, geometry } = this;
    if (!frame) return;
    const isInside = pointer && pointer.x <= geometry.right && pointer.y <= geometry.paneBottom("drawdown");
    if (!isInside) {
      this.overlay.hideCrosshair();
      this.#showValues(store.bars.length - 1, "");
      return;
    }
    const row = nearestRow(store.bars, geometry.timeAt(frame.time, pointer.x), frame.stepMs);
    this.overlay.showCrosshair(pointer, frame, geometry, store.bars.time[row]);
    this.#showValues(row, this.#markAt(pointer));
  }

  #showValues(row, mark) {
    const { frame, store, palette } = this;
    this.header.showRow(store, row, frame.stepMs, mark);
    const { columns, time } = store.bars;
    const keys = studyKeys(store, time[row], priceDecimals(columns.close[row]), palette, frame.showsGhost);
    this.overlay.showKeys("price", keys.price);
    this.overlay.showKeys("equity", keys.equity);
  }

  #markAt(pointer) {
    const { frame, geometry } = this;
    const distance = (mark) => Math.hypot(
      geometry.xOf(frame.time, mark.x) - pointer.x, geometry.yOf("price", frame.ranges.price, mark.price) - pointer.y,
    );
    const near = visibleMarks(this.store, frame).filter((mark) => distance(mark) < MARK_PIXELS);
    return near.map((mark) => mark.text).join(" · ");
  }

  // ---- the page around ----

  #watchPage() {
    const seen = new IntersectionObserver((entries) => { this.isOnScreen = entries.at(-1).isIntersecting; this.#look(); });
    seen.observe(this.root);
    const resize = new ResizeObserver(() => { this.#watchPanel(seen); this.schedule(true); });
    resize.observe(this.stage);
    this.#listen(document, "visibilitychange", () => this.#look());
    const repaint = () => { this.#paint(); this.schedule(true); };
    const theme = new MutationObserver(repaint);
    theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
    this.#listen(systemTheme(), "change", repaint);
    const timer = setInterval(() => this.#checkSilence(), 1000);
    this.undo.push(() => { resize.disconnect(); seen.disconnect(); theme.disconnect(); clearInterval(timer); });
  }

  // A panel around the chart lives on the chart's heartbeat, so it counts as long as any part of it can be seen. It is
  // found late: a chart is rendered before it is put into the page.
  #watchPanel(seen) {
    const panel = this.root.closest(".wb-panel");
    if (!panel || panel === this.panel) return;
    this.panel = panel;
    seen.disconnect();
    seen.observe(panel);
  }

  #look() {
    this.isShown = this.isOnScreen && !document.hidden;
    this.link.setVisible(this, this.isShown);
    if (this.isShown) this.schedule(true);
  }

  #checkSilence() {
    const { staleMs } = this.link;
    this.header.showSilence(staleMs, this.store.fault);
    this.root.classList.toggle("wb-live-is-stale", staleMs > 0);
    // The panel around the chart is as old as the chart.
    this.panel?.classList.toggle("wb-is-stale", staleMs > 0);
  }

  #paint() {
    const name = isDark() ? "dark" : "light";
    this.palette = this.model.get("palettes")[name];
    for (const [key, color] of Object.entries(this.palette)) this.root.style.setProperty(`--wb-${key.replaceAll("_", "-")}`, color);
    this.root.style.setProperty("--wb-font", this.model.get("font"));
  }

  #listen(target, type, listener, isCapture = false) {
    target.addEventListener(type, listener, { capture: isCapture, passive: true });
    this.undo.push(() => target.removeEventListener(type, listener, { capture: isCapture }));
  }
}

// JupyterLab, Notebook, Voila and nbconvert's page say so on the body, VS Code by a class. On a page that says nothing
// the system's own theme counts. The panel's style sheet follows the same order (`style_sheet` in panels/markup.py).
function isDark() {
  const { dataset, classList } = document.body;
  if (dataset.jpThemeLight !== undefined) return dataset.jpThemeLight === "false";
  if (classList.contains("vscode-high-contrast-light") || classList.contains("vscode-light")) return false;
  return classList.contains("vscode-dark") || classList.contains("vscode-high-contrast") || systemTheme().matches;
}

function systemTheme() {
  return window.matchMedia("(prefers-color-scheme: dark)");
}

// Plotly reports a dragged range as "2025-10-09 17:03:20.5" without a zone; the axis is UTC.
function timeOf(value) {
  return typeof value === "number" ? value : Date.parse(`${String(value).replace(" ", "T")}Z`);
}

function nearestRow(bars, time, stepMs) {
  return Math.min(bars.length - 1, Math.max(0, bars.search(time - stepMs / 2)));
}
