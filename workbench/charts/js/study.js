// What the strategy looks at (its price levels) and what its backtest does on the same bars: lines, the gap between the
// two equities, and marks. All of it moves with closed bars only, so a tick costs nothing here.
import { formatNumber } from "./format.js";
import { bucketStart, thinLine } from "./levels.js";
import { Table, float64 } from "./table.js";

const MAX_LINE_POINTS = 800;
const MAX_GHOST_MARKS = 1000;
const LEVEL_COLORS = 6;
const GHOST_SHADE = "2e"; // two hexadecimal digits of opacity

export class Study {
  constructor(capacity) {
    this.capacity = capacity;
    this.load({ names: [], fault: "", marks: [] }, []);
  }

  get hasGhost() {
    return this.ghost.length > 1;
  }

  // A whole study replaces what was known, any other adds to it.
  apply(content, buffers) {
    if (content.whole) this.load(content, buffers);
    else this.#merge(content, buffers);
  }

  load(content, buffers) {
    this.names = content.names;
    this.fault = content.fault;
    this.marks = [];
    this.levels = new Table(["time", ...this.names.map(columnOf)], this.capacity);
    this.ghost = new Table(["time", "equity"], this.capacity);
    if (buffers.length) this.#merge(content, buffers);
  }

  #merge(content, buffers) {
    this.levels.merge(float64(buffers[0]));
    this.ghost.merge(float64(buffers[1]));
    this.marks = [...this.marks, ...content.marks].slice(-MAX_GHOST_MARKS);
  }
}

function columnOf(_name, index) {
  return `level${index}`;
}

export function levelLineColor(palette, index) {
  return palette[`level_${(index % LEVEL_COLORS) + 1}`];
}

// Values of the levels at a time, or at the newest closed bar before it.
export function levelValues(study, time) {
  const row = Math.min(study.levels.search(time + 1), study.levels.length) - 1;
  return study.names.map((name, i) => ({ name, value: row < 0 ? NaN : study.levels.columns[columnOf(name, i)][row] }));
}

// Equity of the backtest at a time, and of the session after the same bar; NaN where there is none.
function bothEquities(study, equity, time) {
  const row = study.ghost.search(time + 1) - 1;
  if (row < 0) return [NaN, NaN];
  const own = equity.search(study.ghost.time[row]);
  return [study.ghost.columns.equity[row], equity.time[own] === study.ghost.time[row] ? equity.columns.equity[own] : NaN];
}

function rowsOnView(table, [begin, end]) {
  const to = Math.min(table.length, table.search(end) + 1);
  return [Math.min(Math.max(0, table.search(begin) - 1), to), to];
}

export function ghostRows(study, frame) {
  return rowsOnView(study.ghost, frame.time);
}

export function levelTraces(study, frame, palette) {
  const [from, to] = rowsOnView(study.levels, frame.time);
  return study.names.map((name, i) => {
    const values = study.levels.columns[columnOf(name, i)];
    let first = from;
    while (first < to && !Number.isFinite(values[first])) first += 1;
    return {
      type: "scatter", mode: "lines", name, ...thinLine(study.levels.time, values, first, to, MAX_LINE_POINTS),
      hoverinfo: "skip", line: { color: levelLineColor(palette, i), width: 1.2 },
    };
  });
}

// The backtest's equity in grey, and the area between it and the session's.
export function ghostTraces(study, equity, frame, palette) {
  const [from, to] = ghostRows(study, frame);
  const line = thinLine(study.ghost.time, study.ghost.columns.equity, from, to, MAX_LINE_POINTS);
  const between = (time) => to > from && time >= study.ghost.time[from] && time <= study.ghost.time[to - 1];
  const rows = [];
  for (let row = frame.equityFrom; row < frame.equityTo; row += 1) if (between(equity.time[row])) rows.push(row);
  const own = rows.length
    ? thinLine(equity.time, equity.columns.equity, rows[0], rows[rows.length - 1] + 1, MAX_LINE_POINTS) : { x: [], y: [] };
  const base = { type: "scatter", mode: "lines", yaxis: "y2", hoverinfo: "skip" };
  return [
    {
      ...base, name: "gap", x: [...own.x, ...line.x.toReversed()], y: [...own.y, ...line.y.toReversed()], line: { width: 0 },
      fill: own.x.length ? "toself" : "none", fillcolor: palette.ghost + GHOST_SHADE,
    },
    { ...base, name: "backtest", ...line, line: { color: palette.ghost, width: 1.2 } },
  ];
}

export function ghostMarkTrace(study, bars, frame, palette) {
  const trace = { x: [], y: [], symbol: [] };
  for (const [time, price, side] of study.marks) {
    const row = bars.search(time + 1) - 1;
    if (row < frame.from || row >= frame.to) continue;
    trace.x.push(bucketStart(bars.time[row], frame.stepMs, frame.merged));
    trace.y.push(price);
    trace.symbol.push(side > 0 ? "triangle-up-open" : "triangle-down-open");
  }
  return {
    type: "scatter", mode: "markers", name: "backtest fills", x: trace.x, y: trace.y, hoverinfo: "skip",
    marker: { symbol: trace.symbol, size: 12, color: palette.ghost, line: { width: 1.5 } },
  };
}

// What is written beside the names of the panes: each level with its value, and the backtest's distance.
export function studyKeys({ study, equity }, time, decimals, palette, isGhostShown) {
  const price = levelValues(study, time).map(({ name, value }, i) => ({
    name, value: formatNumber(value, decimals), color: levelLineColor(palette, i),
  }));
  if (study.fault) return { price, equity: [{ name: `No backtest: ${study.fault}`, value: "", color: palette.muted }] };
  const [ghost, own] = isGhostShown ? bothEquities(study, equity, time) : [NaN, NaN];
  if (!Number.isFinite(ghost)) return { price, equity: [] };
  const keys = [{ name: "Backtest", value: formatNumber(ghost, 2), color: palette.ghost }];
  const lead = own - ghost;
  if (Number.isFinite(lead)) keys.push({ name: "Session ahead by", value: formatNumber(lead, 2), color: palette.muted });
  return { price, equity: keys };
}
