// HTML over the plot: axis labels, pane names, crosshair. Moving a few elements is far cheaper than a relayout, and
// text goes in by textContent only, so no name from outside can become markup.
import { axisDecimals, formatNumber, formatPercent, formatTime, priceDecimals } from "./format.js";
import { directionColor, levelColor } from "./figure.js";
import { MARGIN } from "./geometry.js";
import { spreadLabels } from "./labels.js";

const LABEL_HEIGHT = 18;
const NAME_HEIGHT = 17;
const DAY_MS = 86_400_000;
const TICK_ROOM = 14; // half a tag and half an axis label
const LABEL_WIDTH = MARGIN.right - 2; // covers the tick labels below it

export function element(tag, className, parent, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  parent?.append(node);
  return node;
}

export class Overlay {
  constructor(parent, { quote, symbol }) {
    this.root = element("div", "wb-live-overlay", parent);
    const texts = { price: "", equity: `Equity, ${quote}`, drawdown: "Drawdown, %" };
    this.names = {};
    this.keys = {};
    this.texts = {};
    for (const [pane, text] of Object.entries(texts)) {
      this.names[pane] = element("div", "wb-live-pane", this.root);
      this.texts[pane] = element("span", "", this.names[pane], text);
      this.keys[pane] = [];
    }
    this.volume = element("div", "wb-live-pane wb-live-volume", this.root);
    this.zone = element("div", "wb-live-zone", this.root, "UTC");
    this.vertical = element("div", "wb-live-cross wb-live-cross-v", this.root);
    this.horizontal = element("div", "wb-live-cross wb-live-cross-h", this.root);
    this.crossValue = element("div", "wb-live-cross-value", this.root);
    this.crossTime = element("div", "wb-live-cross-time", this.root);
    this.tags = new Map();
    this.ticks = []; // the axes' own labels, each with its height on the page
    this.showSymbol(symbol);
    this.hideCrosshair();
  }

  showSymbol(symbol) {
    this.texts.price.textContent = `Price of ${symbol}`;
    this.volume.textContent = `Volume, ${symbol.split("/")[0]}`;
  }

  place(geometry, newestTime, stepMs) {
    // In the gap above its pane, where no line can run through it.
    for (const [pane, node] of Object.entries(this.names)) node.style.top = `${geometry.paneTop(pane) - NAME_HEIGHT}px`;
    for (const node of Object.values(this.names)) node.style.maxWidth = `${geometry.plotWidth}px`;
    this.zone.textContent = stepMs < DAY_MS ? `UTC\n${formatTime(newestTime, DAY_MS)}` : "UTC";
    this.volume.style.top = `${geometry.volumeTop}px`;
    this.vertical.style.top = `${MARGIN.top}px`;
    this.vertical.style.height = `${geometry.plotHeight}px`;
    this.horizontal.style.width = `${geometry.plotWidth}px`;
  }

  // An axis label of which a tag would leave a slice is not shown. Plotly writes where it stands into an attribute, so
  // nothing has to be measured.
  readTicks(plot) {
    this.ticks = [...plot.querySelectorAll(".ytick text, .y2tick text, .y3tick text")].map((node) => ({
      node, y: Number(/translate\([^,]*,\s*(-?[\d.]+)/.exec(node.getAttribute("transform"))?.[1]), isHidden: false,
    }));
  }

  #clearTicks(tags) {
    for (const tick of this.ticks) {
      const isHidden = tags.some(({ y }) => Math.abs(y - tick.y) < TICK_ROOM);
      if (isHidden === tick.isHidden) continue;
      tick.isHidden = isHidden;
      tick.node.style.visibility = isHidden ? "hidden" : "";
    }
  }

  // Names and values of lines, in their colours, beside the name of their pane.
  showKeys(pane, keys) {
    const nodes = this.keys[pane];
    while (nodes.length > keys.length) nodes.pop().root.remove();
    while (nodes.length < keys.length) {
      const root = element("span", "wb-live-key", this.names[pane]);
      nodes.push({ root, name: element("i", "", root), value: element("b", "", root) });
    }
    keys.forEach(({ name, value, color }, i) => {
      nodes[i].root.style.color = color;
      nodes[i].name.textContent = name;
      nodes[i].name.title = name;
      nodes[i].value.textContent = value;
    });
  }

  // Labels of the level lines, the last price, and the current equity and drawdown.
  showTags(store, frame, geometry, palette) {
    const tags = [...priceTags(store, frame, geometry, palette), ...resultTags(store, frame, geometry, palette)];
    for (const tag of tags) this.#tag(tag);
    this.#clearTicks(tags);
    const wanted = new Set(tags.map((tag) => tag.key));
    for (const [key, { node }] of this.tags) {
      if (wanted.has(key)) continue;
      node.remove();
      this.tags.delete(key);
    }
  }

  #tag({ key, name, value, color, y, isSolid }) {
    let tag = this.tags.get(key);
    if (!tag) {
      const node = element("div", "wb-live-tag", this.root);
      tag = { node, name: element("span", "wb-live-tag-name", node), value: element("span", "wb-live-tag-value", node) };
      tag.value.style.width = `${LABEL_WIDTH}px`;
      this.tags.set(key, tag);
    }
    tag.node.style.setProperty("--tag-color", color);
    tag.node.classList.toggle("wb-live-tag-solid", isSolid);
    tag.node.style.transform = `translateY(${Math.round(y - LABEL_HEIGHT / 2)}px)`;
    tag.name.textContent = name;
    tag.value.textContent = value;
  }

  showCrosshair(pointer, frame, geometry, time) {
    const pane = geometry.paneAt(pointer.y);
    const x = geometry.xOf(frame.time, time);
    this.vertical.style.transform = `translateX(${Math.round(x)}px)`;
    this.horizontal.style.transform = `translate(${MARGIN.left}px, ${Math.round(pointer.y)}px)`;
    this.crossTime.textContent = formatTime(time, frame.stepMs);
    this.crossTime.style.left = `${Math.min(Math.max(x, 60), geometry.right - 60)}px`;
    this.root.classList.add("wb-live-hover");
    this.root.classList.toggle("wb-live-hover-value", pane !== undefined);
    if (!pane) return;
    const range = frame.ranges[pane];
    const value = geometry.valueAt(pane, range, pointer.y);
    this.crossValue.textContent = pane === "drawdown" ? formatPercent(value) : formatNumber(value, axisDecimals(...range) + 1);
    this.crossValue.style.width = `${LABEL_WIDTH}px`;
    this.crossValue.style.transform = `translateY(${Math.round(pointer.y - LABEL_HEIGHT / 2)}px)`;
  }

  hideCrosshair() {
    this.root.classList.remove("wb-live-hover", "wb-live-hover-value");
  }
}

function priceTags(store, frame, geometry, palette) {
  const close = store.bars.last("close");
  const decimals = priceDecimals(close);
  const range = frame.ranges.price;
  const tags = Object.entries(store.lines).map(([name, price]) => ({
    // Looking at the past, the names would cover candles: the colour must do.
    key: `line ${name}`, name: frame.movingFrom === null ? "" : name, price, color: levelColor(name, palette), isSolid: false,
  }));
  tags.push({ key: "last", name: "", price: close, color: directionColor(store, palette), isSolid: true });
  tags.sort((a, b) => b.price - a.price); // also among those beyond the border, which want the same place
  const top = geometry.paneTop("price");
  const bottom = geometry.paneBottom("price");
  const wanted = tags.map((tag) => Math.min(bottom, Math.max(top, geometry.yOf("price", range, tag.price))));
  const placed = spreadLabels(wanted, LABEL_HEIGHT, top + LABEL_HEIGHT / 2, bottom - LABEL_HEIGHT / 2);
  return tags.map((tag, i) => ({ ...tag, y: placed[i], value: edgeArrow(tag.price, range) + formatNumber(tag.price, decimals) }));
}

// A level beyond the range keeps its label at the border, with the direction in which it lies.
function edgeArrow(price, range) {
  if (price > range[1]) return "↑ ";
  return price < range[0] ? "↓ " : "";
}

function resultTags(store, frame, geometry, palette) {
  if (!store.equity.length) return [];
  const clamp = (pane, value) => Math.min(
    geometry.paneBottom(pane) - LABEL_HEIGHT / 2,
    Math.max(geometry.paneTop(pane) + LABEL_HEIGHT / 2, geometry.yOf(pane, frame.ranges[pane], value)),
  );
  const equity = store.equity.last("equity");
  const drawdown = store.equity.last("drawdown");
  return [
    { key: "equity", name: "", value: formatNumber(equity, 2), color: palette.equity, y: clamp("equity", equity), isSolid: true },
    { key: "drawdown", name: "", value: formatPercent(drawdown), color: palette.drawdown, y: clamp("drawdown", drawdown), isSolid: false },
  ];
}
