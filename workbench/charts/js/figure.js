// What Plotly is given. A frame fixes ranges and the rows on view; traces are everything that stands still until the
// next bar, shapes everything that moves with a tick. Plotly never sees the shapes: they are drawn over it.
import { axisDecimals } from "./format.js";
import { MARGIN, PANES, VOLUME_SHARE } from "./geometry.js";
import { holdingTraces } from "./holding.js";
import { barsPerCandle, bucketStart, extremes, mergeCandles, thinLine } from "./levels.js";
import { ghostMarkTrace, ghostRows, ghostTraces, levelTraces } from "./study.js";
import { priceExtent } from "./viewport.js";
import { volumeShape, volumeTraces, volumeWidth } from "./volume.js";

const MAX_CANDLES = 400;
const MAX_POINTS = 1200;
const VOLUME_ROOM = 0.12; // of the candles' height is left free below them, where volume stands
const MIN_TRACE = 4; // Plotly takes a candle's width from the distance of its neighbours; fewer are drawn as shapes
const HALF_BODY = 0.245; // of the distance of two candles, as Plotly draws them

export function makeFrame(store, viewport, plotWidth, showsGhost = false) {
  const { bars, equity } = store;
  const time = viewport.timeRange(bars, plotWidth);
  const to = Math.min(bars.length, bars.search(time[1]) + 1);
  let from = Math.min(Math.max(0, bars.search(time[0]) - 1), Math.max(0, to - 1));
  const merged = barsPerCandle(to - from, MAX_CANDLES);
  from = bars.search(bucketStart(bars.time[from], viewport.stepMs, merged));
  const equityTo = to === bars.length ? equity.length : Math.min(equity.length, equity.search(time[1]) + 1);
  const equityFrom = Math.min(Math.max(0, equity.search(time[0]) - 1), Math.max(0, equityTo - 1));
  const frame = { time, from, to, merged, stepMs: viewport.stepMs, equityFrom, equityTo };
  frame.showsGhost = showsGhost && store.study.hasGhost;
  frame.stillVersion = store.stillVersion;
  frame.candles = mergeCandles(bars, from, to, frame.stepMs, merged);
  frame.ranges = valueRanges(store, viewport, frame);
  splitForming(frame, bars);
  frame.isEquityLive = equityTo === equity.length && equityTo > 0;
  frame.lineEnd = frame.isEquityLive && equityTo > 1 ? equity.time[equityTo - 2] : null;
  return frame;
}

function valueRanges(store, viewport, frame) {
  const { from, to, equityFrom, equityTo } = frame;
  // The levels of the present position do not belong to the past.
  const levels = to === store.bars.length ? Object.values(store.lines) : [];
  const [low, high] = priceExtent(store.bars, from, to, levels);
  const ranges = {
    price: viewport.settle("price", low - VOLUME_ROOM * (high - low), high, 0.07), equity: [0, 1], drawdown: [-0.01, 0.0005],
    volume: [0, Math.max(...frame.candles.volume, 1e-12) / VOLUME_SHARE],
  };
  if (equityTo > equityFrom) {
    const { columns } = store.equity;
    const own = extremes(columns.equity, equityFrom, equityTo);
    const ghost = frame.showsGhost ? extremes(store.study.ghost.columns.equity, ...ghostRows(store.study, frame)) : own;
    ranges.equity = viewport.settle("equity", Math.min(own[0], ghost[0]), Math.max(own[1], ghost[1]), 0.1);
    const [deepest] = extremes(columns.drawdown, equityFrom, equityTo);
    ranges.drawdown = viewport.settle("drawdown", Math.min(deepest, -0.001), 0, 0.08);
  }
  return ranges;
}

// The newest candle leaves the trace: it is redrawn at every tick.
function splitForming(frame, bars) {
  const total = frame.candles.time.length;
  frame.stillCount = frame.to < bars.length ? total : total - 1;
  if (frame.stillCount < MIN_TRACE) frame.stillCount = 0;
  frame.movingFrom = frame.stillCount < total ? frame.candles.time[frame.stillCount] : null;
  frame.newest = total ? frame.candles.time[total - 1] : null;
}

// Whether something that stands still has changed: a new candle, marks, or the lines of closed bars. The shapes show new
// candles too, so the drawing may wait a little.
export function lags(frame, store) {
  if (frame.stillVersion !== store.stillVersion) return true;
  return frame.movingFrom !== null && bucketStart(store.bars.last("time"), frame.stepMs, frame.merged) !== frame.newest;
}

// Whether the data has left what the frame shows, so that moving the shapes is not enough.
export function outgrows(frame, store) {
  const { bars, equity } = store;
  if (frame.movingFrom === null) return false;
  const outside = ([low, high], value) => value < low || value > high;
  return bars.last("volume") > 1.3 * VOLUME_SHARE * frame.ranges.volume[1]
    || outside(frame.ranges.price, bars.last("low")) || outside(frame.ranges.price, bars.last("high"))
    || (equity.length > 0 && (!frame.isEquityLive || outside(frame.ranges.equity, equity.last("equity"))
      || outside(frame.ranges.drawdown, equity.last("drawdown"))));
}

export function makeTraces(frame, store, geometry, palette) {
  const { study, bars } = store;
  const still = (name) => frame.candles[name].slice(0, frame.stillCount);
  const candle = (color) => ({ line: { color, width: 1 }, fillcolor: color });
  // The newest point moves with the ticks, so it belongs to the shapes.
  const equityTo = frame.isEquityLive ? frame.equityTo - 1 : frame.equityTo;
  const line = (name) => thinLine(store.equity.time, store.equity.columns[name], frame.equityFrom, equityTo, MAX_POINTS);
  return [
    ...holdingTraces(store, frame, palette),
    ...volumeTraces(frame, geometry, palette),
    {
      type: "candlestick", name: "price", x: still("time"), open: still("open"), high: still("high"), low: still("low"),
      close: still("close"), increasing: candle(palette.up), decreasing: candle(palette.down), hoverinfo: "skip",
    },
    ...levelTraces(study, frame, palette),
    ...(frame.showsGhost ? [...ghostTraces(study, store.equity, frame, palette), ghostMarkTrace(study, bars, frame, palette)] : []),
    {
      type: "scatter", mode: "lines", name: "equity", yaxis: "y2", ...line("equity"), hoverinfo: "skip",
      line: { color: palette.equity, width: 1.5 },
    },
    {
      type: "scatter", mode: "lines", name: "drawdown", yaxis: "y3", ...line("drawdown"), hoverinfo: "skip",
      fill: "tozeroy", fillcolor: palette.drawdown_fill, line: { color: palette.drawdown, width: 1 },
    },
    markTrace("buys", store, frame, palette, 1),
    markTrace("sells", store, frame, palette, -1),
  ];
}

// Buys and sells differ in shape as well as in colour, for those who cannot tell the colours apart.
function markTrace(name, store, frame, palette, side) {
  const marks = visibleMarks(store, frame).filter((mark) => mark.side === side);
  return {
    type: "scatter", mode: "markers", name, x: marks.map((mark) => mark.x), y: marks.map((mark) => mark.price),
    hoverinfo: "skip",
    marker: {
      symbol: side > 0 ? "triangle-up" : "triangle-down", size: 12, color: side > 0 ? palette.up : palette.down,
      line: { width: 1.5, color: palette.background },
    },
  };
}

// Marks on view, each moved to the time of the candle in which it happened.
export function visibleMarks(store, frame) {
  const { bars } = store;
  const marks = [];
  for (const [time, price, side, text] of store.marks) {
    const row = bars.search(time + 1) - 1;
    if (row < frame.from || row >= frame.to) continue;
    marks.push({ x: bucketStart(bars.time[row], frame.stepMs, frame.merged), time, price, side, text });
  }
  return marks;
}

export function movingShapes(frame, store, geometry, palette) {
  const close = store.bars.last("close");
  const shapes = [];
  if (frame.movingFrom !== null) shapes.push(...candleShapes(frame, store.bars, geometry, palette));
  for (const [name, price] of Object.entries(store.lines)) shapes.push(levelLine("y", price, levelColor(name, palette), "dash"));
  shapes.push(levelLine("y", close, directionColor(store, palette), "dot"));
  if (store.equity.length) shapes.push(levelLine("y2", store.equity.last("equity"), palette.equity, "dot"));
  if (frame.lineEnd !== null) shapes.push(...liveEnds(store.equity, frame.lineEnd, palette));
  return shapes;
}

function candleShapes(frame, bars, geometry, palette) {
  const candles = mergeCandles(bars, bars.search(frame.movingFrom), bars.length, frame.stepMs, frame.merged);
  const half = HALF_BODY * frame.stepMs * frame.merged;
  return candles.time.flatMap((x, i) => {
    const line = { width: 1, color: candles.close[i] >= candles.open[i] ? palette.up : palette.down };
    const place = { xref: "x", yref: "y", line };
    return [
      volumeShape(x, candles.volume[i], volumeWidth(frame, geometry), line.color),
      { ...place, type: "line", x0: x, x1: x, y0: candles.low[i], y1: candles.high[i] },
      { ...place, type: "rect", x0: x - half, x1: x + half, y0: candles.open[i], y1: candles.close[i], fillcolor: line.color },
    ];
  });
}

// The last pieces of the result curves, from where the traces end to now: several where bars closed since.
function liveEnds(equity, lineEnd, palette) {
  const { length, time, columns } = equity;
  const shapes = [];
  for (let now = equity.search(lineEnd) + 1; now < length; now += 1) {
    const before = now - 1;
    const end = (yref, name, color, width) => ({
      type: "line", xref: "x", yref, x0: time[before], y0: columns[name][before], x1: time[now], y1: columns[name][now],
      line: { color, width },
    });
    const fill = {
      type: "rect", xref: "x", yref: "y3", x0: time[before], x1: time[now], y0: 0, y1: columns.drawdown[now],
      fillcolor: palette.drawdown_fill, line: { width: 0 }, layer: "below",
    };
    shapes.push(end("y2", "equity", palette.equity, 1.5), end("y3", "drawdown", palette.drawdown, 1), fill);
  }
  return shapes;
}

function levelLine(yref, y, color, dash) {
  return { type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: y, y1: y, line: { width: 1, dash, color } };
}

export function levelColor(name, palette) {
  const kind = ["stop", "target", "take", "trail", "entry"].find((word) => name.toLowerCase().includes(word));
  return { stop: palette.stop, target: palette.target, take: palette.target, trail: palette.trailing }[kind] ?? palette.entry;
}

export function directionColor(store, palette) {
  return store.bars.last("close") >= store.bars.last("open") ? palette.up : palette.down;
}

export function makeLayout(frame, geometry, palette, font) {
  const axis = { gridcolor: palette.grid, zeroline: false, showline: false, tickfont: { size: 11, color: palette.muted } };
  const value = (pane, extra) => ({
    ...axis, side: "right", domain: PANES[pane].domain, range: frame.ranges[pane], autorange: false, fixedrange: true, ...extra,
  });
  const decimals = (pane) => axisDecimals(...frame.ranges[pane]);
  return {
    width: geometry.width, height: geometry.height, autosize: false, showlegend: false, hovermode: false, dragmode: "pan",
    margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom, pad: 0 },
    paper_bgcolor: palette.background, plot_bgcolor: palette.background, font: { family: font, size: 11, color: palette.text },
    // The type is stated at every drawing: a numeric time would silently turn the axis into a linear one.
    xaxis: { ...axis, type: "date", anchor: "y3", range: frame.time, autorange: false, rangeslider: { visible: false }, automargin: false },
    yaxis: value("price", { tickformat: `,.${decimals("price")}f`, nticks: 8 }),
    yaxis2: value("equity", { tickformat: `,.${decimals("equity")}f`, nticks: 4, showticklabels: frame.equityTo > 0 }),
    // Over the price axis: an axis with a place of its own would have a background that hides the candles' feet.
    yaxis4: {
      overlaying: "y", anchor: "x", range: frame.ranges.volume, autorange: false, fixedrange: true, showgrid: false,
      zeroline: false, showticklabels: false,
    },
    yaxis3: value("drawdown", { tickformat: `.${Math.max(0, decimals("drawdown") - 2)}%`, nticks: 4, showticklabels: frame.equityTo > 0 }),
  };
}
