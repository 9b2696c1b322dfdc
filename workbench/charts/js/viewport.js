// Which times and values are on view.
import { extremes } from "./levels.js";

const PIXELS_PER_CANDLE = 7;
const MIN_SLOTS = 30;
const LEAST_SPAN = 2e-5; // of the value: less than this is rounding and no movement, such as 0.2 of an equity of 10,000
const EDGE = 0.015; // of the height of a pane, free above and below
const LABEL_PIXELS = 76; // free room right of the newest bar, where the names of the level lines stand

export class Viewport {
  constructor(stepMs) {
    this.stepMs = stepMs;
    this.isFollowing = true;
    this.slots = 0; // bars on view while following; 0: as many as the width shows well
    this.range = null; // chosen by hand, while not following
    this.valueRanges = {};
    this.plotWidth = 800;
  }

  get #widening() {
    return 1 + LABEL_PIXELS / Math.max(2 * LABEL_PIXELS, this.plotWidth - LABEL_PIXELS);
  }

  follow() {
    this.isFollowing = true;
    this.slots = 0;
  }

  // All there is, however much is added.
  showAll() {
    this.isFollowing = true;
    this.slots = Infinity;
  }

  get showsAll() {
    return this.isFollowing && this.slots === Infinity;
  }

  // Zoom about the right edge while following, about the middle otherwise.
  zoom(factor, current, bars) {
    const slots = (factor * (current[1] - current[0])) / this.stepMs;
    if (this.isFollowing) {
      this.slots = clampSlots(slots / this.#widening, bars);
      return;
    }
    const middle = (current[0] + current[1]) / 2;
    const half = (clampSlots(slots, bars) * this.stepMs) / 2;
    this.range = this.#intoHistory([middle - half, middle + half], bars);
  }

  // The user dragged or wheeled. Zooming with the newest bar in view keeps following, everything else lets go.
  moveTo(range, current, bars) {
    const change = (range[1] - range[0]) / (current[1] - current[0]);
    const newest = bars.last("time");
    if (this.isFollowing && Math.abs(change - 1) > 0.005 && range[1] >= newest && range[0] < newest) {
      this.zoom(change, current, bars);
      return;
    }
    this.isFollowing = false;
    this.range = this.#intoHistory(range, bars);
  }

  // Nothing is to be seen beyond the first and the newest bar but an empty border.
  #intoHistory([from, to], bars) {
    const border = 0.1 * (to - from);
    const surplus = Math.max(0, to - (bars.last("time") + border));
    const lack = Math.max(0, bars.time[0] - border - (from - surplus));
    return [from - surplus + lack, to - surplus + lack];
  }

  timeRange(bars, plotWidth) {
    this.plotWidth = plotWidth;
    if (!this.isFollowing) return this.range;
    const slots = this.slots || Math.max(MIN_SLOTS, Math.round(plotWidth / PIXELS_PER_CANDLE));
    const newest = bars.last("time");
    const oldest = Math.max(bars.time[0], newest - slots * this.stepMs);
    const shown = Math.max((newest - oldest) / this.stepMs, Math.min(slots, MIN_SLOTS * 2));
    return [oldest - this.stepMs, oldest + (shown * this.#widening + 1) * this.stepMs];
  }

  // Ranges only move when the data leaves them or fills too little of them: an axis that trembles cannot be read.
  settle(pane, low, high, padding) {
    const previous = this.valueRanges[pane];
    const span = high - low;
    // A line that touches the border would be half hidden by it.
    const edge = previous ? EDGE * (previous[1] - previous[0]) : 0;
    const fits = previous && low >= previous[0] + edge && high <= previous[1] - edge;
    const isFlat = span <= LEAST_SPAN * Math.abs(high);
    const flat = Math.max(Math.abs(high) * 0.001, 1e-9);
    if (fits && (isFlat ? 3 * flat : span / 0.55) > previous[1] - previous[0]) return previous;
    const pad = isFlat ? flat : span * padding;
    this.valueRanges[pane] = [low - pad, high + pad];
    return this.valueRanges[pane];
  }
}

function clampSlots(slots, bars) {
  return Math.max(MIN_SLOTS, Math.min(1.2 * bars.length, slots));
}

// Lowest and highest price on view; level lines count while they do not squeeze the candles to nothing.
export function priceExtent(bars, from, to, levels) {
  const [low] = extremes(bars.columns.low, from, to);
  const [, high] = extremes(bars.columns.high, from, to);
  const reach = Math.max(high - low, Math.abs(high) * 0.002);
  const near = levels.filter((level) => level > low - reach && level < high + reach);
  return [Math.min(low, ...near), Math.max(high, ...near)];
}
