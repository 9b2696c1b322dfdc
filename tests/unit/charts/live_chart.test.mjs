// Tests of the chart's browser module, run by node from test_live_assets.py.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import {
  axisDecimals, barsPerCandle, ChartStore, float64, formatNumber, formatPercent, formatTime, Geometry, makeFrame, makeTraces,
  heldSpans, lags, levelValues, mergeCandles, movingShapes, outgrows, PageLink, priceDecimals, priceExtent, shapeAttributes,
  spreadLabels, studyKeys, Table, thinLine, Viewport, visibleMarks,
} from "./chart.mjs";

const MINUTE = 60_000;
const START = 1_760_000_400_000;
const PALETTE = { up: "green", down: "red", equity: "blue", drawdown: "pink", background: "white", entry: "grey", stop: "gold" };

const bytes = (rows) => new DataView(Float64Array.from(rows.flat()).buffer);
const bar = (i, close = 100 + i) => [START + i * MINUTE, close - 1, close + 2, close - 3, close, 1];
const bars = (count) => Array.from({ length: count }, (_, i) => bar(i));
const points = (count) => Array.from({ length: count }, (_, i) => [START + i * MINUTE, 1000 + i, -i / 1000]);
const snapshot = (sequence, rows, extra = {}) => [
  { kind: "snapshot", sequence, final: false, marks: [], lines: {}, ...extra }, [bytes(rows), bytes(points(rows.length))],
];
const delta = (sequence, rows, extra = {}) => [
  { kind: "delta", sequence, marks: [], lines: {}, ...extra }, [bytes(rows), bytes([])],
];

const PLOT = new Geometry(790, 480);
const traceOf = (frame, store, name) => makeTraces(frame, store, PLOT, PALETTE).find((trace) => trace.name === name);
const isBody = (shape) => shape.type === "rect" && shape.yref === "y";

function filledStore(count) {
  const store = new ChartStore();
  store.apply(...snapshot(1, bars(count)));
  return store;
}

test("a row with a known time replaces that bar, a later one is appended, an unknown earlier one is dropped", () => {
  const table = new Table(["time", "value"], 100);
  table.merge([10, 1, 20, 2]);
  table.merge([20, 3, 30, 4, 10, 5, 15, 9]);
  assert.equal(table.length, 3);
  assert.deepEqual([...table.columns.value.slice(0, 3)], [5, 3, 4]);
});

test("a table keeps the newest rows only", () => {
  const table = new Table(["time", "value"], 100);
  for (let i = 0; i < 1000; i += 1) table.merge([i, i]);
  assert.ok(table.length <= 105);
  assert.equal(table.last("value"), 999);
  assert.equal(table.time[0], 1000 - table.length);
});

test("numbers are read at any byte offset", () => {
  const whole = new Uint8Array(17);
  whole.set(new Uint8Array(Float64Array.of(1.5, -2).buffer), 1);
  assert.deepEqual([...float64(new DataView(whole.buffer, 1, 16))], [1.5, -2]);
});

test("deltas are used in order, and a gap makes the store useless until a snapshot", () => {
  const store = new ChartStore();
  assert.equal(store.apply(...delta(1, [bar(0)])), "same");
  assert.equal(store.apply(...snapshot(4, bars(2))), "changed");
  assert.equal(store.apply(...delta(5, [bar(1, 500)])), "changed");
  assert.equal(store.bars.last("close"), 500);
  assert.equal(store.apply(...delta(5, [bar(1, 600)])), "same"); // known already
  assert.equal(store.apply(...delta(7, [bar(2)])), "gap");
  assert.equal(store.apply(...delta(8, [bar(2)])), "same");
  assert.equal(store.apply(...snapshot(9, bars(3))), "changed");
  assert.equal(store.isReady, true);
});

test("a pulse with a higher number tells of a lost last message", () => {
  const store = filledStore(3);
  assert.equal(store.apply({ kind: "pulse", sequence: 1 }, []), "same");
  assert.equal(store.apply({ kind: "pulse", sequence: 2 }, []), "gap");
});

test("marks are kept up to a limit and their change is seen", () => {
  const store = filledStore(3);
  const version = store.stillVersion;
  store.apply(...delta(2, [], { marks: Array.from({ length: 1500 }, (_, i) => [i, 1, 1, `mark ${i}`]) }));
  assert.equal(store.marks.length, 1000);
  assert.equal(store.marks.at(-1)[3], "mark 1499");
  assert.notEqual(store.stillVersion, version);
});

function fakeModel() {
  const sent = [];
  let listener;
  return {
    sent,
    get: () => MINUTE,
    on: (_event, callback) => { listener = callback; },
    off: () => { listener = null; },
    send: (content) => sent.push(content.symbol ? `${content.kind} ${content.symbol}` : content.kind),
    receive: (content, buffers) => listener?.(content, buffers),
  };
}

test("a page that can be seen beats, asks until it is answered, and is silent while hidden", () => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const model = fakeModel();
  const link = new PageLink(model, () => 0);
  mock.timers.tick(10_000);
  assert.deepEqual(model.sent, []);
  link.setVisible("view", true);
  assert.deepEqual(model.sent, ["beat", "snapshot"]);
  mock.timers.tick(1500);
  assert.deepEqual(model.sent.slice(2), ["snapshot"]);
  model.receive(...snapshot(1, bars(3)));
  model.sent.length = 0;
  mock.timers.tick(9000);
  assert.ok(model.sent.length >= 3 && model.sent.every((kind) => kind === "beat"));
  model.receive(...delta(3, [bar(3)]));
  assert.equal(model.sent.at(-1), "snapshot");
  link.setVisible("view", false);
  model.sent.length = 0;
  mock.timers.tick(20_000);
  assert.deepEqual(model.sent, []);
  link.close();
  mock.timers.reset();
});

test("a chosen symbol is asked for until its candles come, and the page shows them as its own", () => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  let now = 0;
  const model = fakeModel();
  const link = new PageLink(model, () => now);
  link.setVisible("view", true);
  model.receive(...snapshot(1, bars(3), { symbol: "BTC/USDT", final: true }));
  assert.deepEqual([link.store.symbol, link.wanted], ["BTC/USDT", null]);
  now = 60_000;
  model.sent.length = 0;
  let told = 0;
  link.listeners.add(() => { told += 1; });
  link.choose("ETH/USDT");
  assert.deepEqual([model.sent, link.wanted, told], [["snapshot ETH/USDT"], "ETH/USDT", 1]);
  assert.equal(link.staleMs, 0); // the session is over and was silent for a minute, rightly
  model.receive(...snapshot(2, bars(3), { symbol: "BTC/USDT", final: true })); // was on its way
  mock.timers.tick(1500);
  assert.deepEqual(model.sent, ["snapshot ETH/USDT", "snapshot ETH/USDT"]);
  now = 68_000;
  assert.equal(link.staleMs, 8000); // the choice is not answered
  model.receive(...snapshot(3, bars(4, 50), { symbol: "ETH/USDT", final: true }));
  assert.deepEqual([link.store.symbol, link.wanted, link.staleMs], ["ETH/USDT", null, 0]);
  model.sent.length = 0;
  mock.timers.tick(2900);
  assert.deepEqual(model.sent, ["beat"]);
  model.sent.length = 0;
  model.receive(...snapshot(4, bars(3), { symbol: "BTC/USDT" })); // another page of the same chart has chosen
  assert.deepEqual([link.store.symbol, link.wanted], ["BTC/USDT", null]);
  link.choose("BTC/USDT"); // is there
  assert.deepEqual([model.sent, link.wanted], [[], null]);
  link.close();
  mock.timers.reset();
});

test("a chart of the only symbol asks as before", () => {
  const model = fakeModel();
  const link = new PageLink(model, () => 0);
  link.setVisible("view", true);
  model.receive(...snapshot(1, bars(3)));
  assert.deepEqual([link.store.symbol, link.wanted, link.needsAnswer], [null, null, false]);
  link.close();
});

test("silence is stale, but not after the end, nor right after the page was hidden", () => {
  let now = 0;
  const model = fakeModel();
  const link = new PageLink(model, () => now);
  link.setVisible("view", true);
  model.receive(...snapshot(1, bars(3)));
  now = 5000;
  assert.equal(link.staleMs, 0);
  now = 8000;
  assert.equal(link.staleMs, 8000);
  link.setVisible("view", false);
  link.setVisible("view", true);
  assert.equal(link.staleMs, 0);
  model.receive(...snapshot(2, bars(3), { final: true }));
  now = 99_000;
  assert.equal(link.staleMs, 0);
  link.close();
});

test("no more than 400 candles are drawn, and their extremes are kept", () => {
  const store = filledStore(3000);
  const merged = barsPerCandle(3000, 400);
  const candles = mergeCandles(store.bars, 0, 3000, MINUTE, merged);
  assert.equal(merged, 8);
  assert.ok(candles.time.length <= 400);
  assert.equal(Math.max(...candles.high), 100 + 2999 + 2);
  assert.equal(Math.min(...candles.low), 100 - 3);
  assert.equal(candles.open[0], 99);
});

test("merged candles do not change when a bar is added", () => {
  const store = filledStore(1000);
  const before = mergeCandles(store.bars, 0, 1000, MINUTE, 4);
  store.bars.merge(bar(1000));
  const after = mergeCandles(store.bars, 0, 1001, MINUTE, 4);
  assert.deepEqual(after.close.slice(0, before.close.length - 1), before.close.slice(0, -1));
});

test("a thinned line keeps its spikes and its last point", () => {
  const time = Float64Array.from({ length: 5000 }, (_, i) => i);
  const values = new Float64Array(5000);
  values[2345] = 9;
  values[3456] = -7;
  const line = thinLine(time, values, 0, 5000, 1000);
  assert.ok(line.x.length <= 1010);
  assert.ok(line.y.includes(9) && line.y.includes(-7));
  assert.equal(line.x.at(-1), 4999);
  assert.deepEqual(line.x, [...line.x].sort((a, b) => a - b));
});

test("labels never overlap, stay inside, keep their order and move as little as they can", () => {
  assert.deepEqual(spreadLabels([100, 200], 18, 0, 300), [100, 200]);
  assert.deepEqual(spreadLabels([100, 100], 18, 0, 300), [91, 109]);
  const placed = spreadLabels([150, 152, 149, 300, 2], 18, 9, 291);
  const sorted = [...placed].sort((a, b) => a - b);
  sorted.slice(1).forEach((y, i) => assert.ok(y - sorted[i] >= 18 - 1e-9));
  assert.ok(sorted[0] >= 9 && sorted.at(-1) <= 291);
  assert.ok(placed[2] < placed[0] && placed[0] < placed[1]);
});

test("following shows the newest bars with room for labels at the right", () => {
  const store = filledStore(1000);
  const viewport = new Viewport(MINUTE);
  const [from, to] = viewport.timeRange(store.bars, 700);
  const newest = store.bars.last("time");
  assert.ok(from < newest && to > newest + MINUTE);
  assert.ok(Math.abs((newest - from) / MINUTE - 101) <= 1); // 700 pixels, 7 each, one bar of border
});

test("dragging lets go of the newest bar, zooming with it in view does not, Follow comes back", () => {
  const store = filledStore(1000);
  const viewport = new Viewport(MINUTE);
  const shown = viewport.timeRange(store.bars, 700);
  viewport.moveTo([shown[0] - 50 * MINUTE, shown[1]], shown, store.bars);
  assert.equal(viewport.isFollowing, true);
  viewport.moveTo(shown.map((time) => time - 300 * MINUTE), shown, store.bars);
  assert.equal(viewport.isFollowing, false);
  viewport.follow();
  assert.deepEqual(viewport.timeRange(store.bars, 700), shown);
});

test("no gesture leads far beyond the first or the newest bar", () => {
  const store = filledStore(200);
  const viewport = new Viewport(MINUTE);
  const shown = viewport.timeRange(store.bars, 700);
  viewport.moveTo(shown.map((time) => time + 9000 * MINUTE), shown, store.bars);
  let range = viewport.timeRange(store.bars, 700);
  assert.ok(range[1] <= store.bars.last("time") + 0.11 * (range[1] - range[0]));
  for (let i = 0; i < 30; i += 1) viewport.zoom(2, viewport.timeRange(store.bars, 700), store.bars);
  range = viewport.timeRange(store.bars, 700);
  assert.ok(range[1] - range[0] <= 1.2 * 200 * MINUTE + 1);
});

test("a value range stays while the data fits it well", () => {
  const viewport = new Viewport(MINUTE);
  const first = viewport.settle("price", 100, 200, 0.1);
  assert.deepEqual(first, [90, 210]);
  assert.equal(viewport.settle("price", 95, 205, 0.1), first);
  assert.notEqual(viewport.settle("price", 95, 215, 0.1), first);
  const flat = viewport.settle("equity", 10_000, 10_000, 0.1);
  assert.ok(flat[0] < 10_000 && flat[1] > 10_000);
});

test("rounding is no movement: an equity that has hardly changed is drawn flat", () => {
  const near = (range, expected) => range.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${range}`));
  const viewport = new Viewport(MINUTE);
  // 0.002 of 10,000 is 2e-7 of it, less than the least span of 2e-5: a thousandth, 10, is left free on either side.
  const flat = viewport.settle("equity", 9_999.998, 10_000, 0.1);
  near(flat, [9_989.998, 10_010]);
  assert.equal(viewport.settle("equity", 9_999.99, 10_000.1, 0.1), flat); // 0.11 is 1.1e-5 of it
  // 0.3 is 3e-5: a movement, so the axis goes to it, with a tenth of the span, 0.03, on either side ...
  near(viewport.settle("equity", 9_999.7, 10_000, 0.1), [9_999.67, 10_000.03]);
  // ... and back when it is out of view. The least span is a share of the value: 1e-9 of a price of 1e-5 is a movement.
  near(viewport.settle("equity", 10_000.05, 10_000.1, 0.1), [9_990.0499, 10_010.1001]);
  near(viewport.settle("price", 0.00001, 0.000010001, 0.1).map((value) => 1e9 * value), [9_999.9, 10_001.1]);
});

test("near levels widen the price range, far ones do not squeeze the candles", () => {
  const store = filledStore(10);
  assert.deepEqual(priceExtent(store.bars, 0, 10, []), [97, 111]);
  assert.deepEqual(priceExtent(store.bars, 0, 10, [115, 5000, 1]), [97, 115]);
});

test("the forming candle is a shape and not part of the trace", () => {
  const store = filledStore(100);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  const candles = traceOf(frame, store, "price");
  assert.equal(candles.x.at(-1), START + 98 * MINUTE);
  const forming = movingShapes(frame, store, PLOT, PALETTE).find(isBody);
  assert.deepEqual([forming.y0, forming.y1], [198, 199]);
  assert.equal(outgrows(frame, store), false);
  store.bars.merge(bar(100));
  assert.equal(lags(frame, store), true); // the next candle, which a shape shows until the still part is drawn
  assert.equal(outgrows(frame, store), false);
});

test("the newest equity point is a shape that joins the line", () => {
  const store = filledStore(100);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  const line = traceOf(frame, store, "equity");
  const end = movingShapes(frame, store, PLOT, PALETTE).find((shape) => shape.yref === "y2" && shape.xref === "x");
  assert.deepEqual([line.x.at(-1), line.y.at(-1)], [end.x0, end.y0]);
  assert.equal(end.y1, 1099);
});

test("a price beyond the range asks for a full drawing", () => {
  const store = filledStore(100);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  store.bars.merge([START + 99 * MINUTE, 198, 900, 190, 900, 1]);
  assert.equal(outgrows(frame, store), true);
});

test("a few bars are all shapes, since Plotly cannot tell a width from them", () => {
  const store = filledStore(2);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  assert.equal(traceOf(frame, store, "price").x.length, 0);
  assert.equal(movingShapes(frame, store, PLOT, PALETTE).filter(isBody).length, 2);
});

test("the past is drawn without what moves", () => {
  const store = filledStore(1000);
  const viewport = new Viewport(MINUTE);
  viewport.isFollowing = false;
  viewport.range = [START, START + 200 * MINUTE];
  const frame = makeFrame(store, viewport, 700);
  assert.equal(frame.movingFrom, null);
  assert.equal(movingShapes(frame, store, PLOT, PALETTE).filter(isBody).length, 0);
  store.bars.merge([START + 999 * MINUTE, 1, 9000, 1, 9000, 1]);
  assert.equal(outgrows(frame, store), false);
});

test("a mark stands at the candle in which it happened; buys and sells have shapes of their own", () => {
  const store = filledStore(100);
  store.apply(...delta(2, [], { marks: [[START + 95.5 * MINUTE, 190, 1, "BUY"], [START - MINUTE, 1, -1, "SELL"]] }));
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  assert.deepEqual(visibleMarks(store, frame).map((mark) => [mark.x, mark.text]), [[START + 95 * MINUTE, "BUY"]]);
  const [buys, sells] = ["buys", "sells"].map((name) => traceOf(frame, store, name));
  assert.notEqual(buys.marker.symbol, sells.marker.symbol);
});

test("pixels and values convert into each other", () => {
  const geometry = new Geometry(1000, 500);
  const y = geometry.yOf("price", [100, 200], 150);
  assert.equal(geometry.valueAt("price", [100, 200], y), 150);
  assert.equal(geometry.paneAt(y), "price");
  assert.equal(geometry.timeAt([0, 100], geometry.xOf([0, 100], 40)), 40);
});

test("numbers read well: no negative nothing, prices of any size, ticks that differ", () => {
  assert.equal(formatNumber(-0.001, 2), "0.00");
  assert.equal(formatNumber(-1234.5, 1), "-1,234.5");
  assert.equal(formatNumber(NaN, 1), "–");
  assert.equal(formatPercent(-0.0095), "-0.95 %");
  assert.deepEqual([105829.37, 31772.7, 100.5, 0.4, 0.00001234].map(priceDecimals), [1, 1, 3, 6, 8]);
  assert.deepEqual([axisDecimals(0, 600), axisDecimals(0, 1), axisDecimals(5, 5)], [0, 1, 2]);
});

test("times are UTC and as long as they need to be", () => {
  assert.equal(formatTime(START, MINUTE), "2025-10-09 09:00");
  assert.equal(formatTime(START, 1000), "2025-10-09 09:00:00");
  assert.equal(formatTime(START, 86_400_000), "2025-10-09");
});

// A study of two levels over the bars of `filledStore`, and a backtest that is 5 behind the session from the first bar on.
function studied(count) {
  const rows = bars(count);
  const levels = rows.map(([time, , , , close], i) => [time, i < 2 ? NaN : close - 1, close + 1]);
  const ghost = points(count).map(([time, equity]) => [time, equity - 5]);
  const study = { whole: true, names: ["fast", "slow"], fault: "", marks: [[START + 90_000, 101, 1, "backtest: buy", 1]] };
  const store = new ChartStore();
  const [content, buffers] = snapshot(1, rows);
  store.apply({ ...content, study }, [...buffers, bytes(levels), bytes(ghost)]);
  return store;
}

test("levels of the strategy are lines without their warm-up, and wait for nothing but closed bars", () => {
  const store = studied(60);
  const frame = makeFrame(store, new Viewport(MINUTE), 700, true);
  const [fast, slow] = ["fast", "slow"].map((name) => traceOf(frame, store, name));
  assert.equal(fast.x[0], START + 2 * MINUTE);
  assert.equal(slow.x[0], START);
  assert.equal(fast.y.at(-1), 100 + 59 - 1);
  assert.equal(fast.yaxis, undefined); // the price's
});

test("a later study adds rows, a whole one replaces all", () => {
  const store = studied(3);
  const more = { whole: false, names: ["fast", "slow"], fault: "", marks: [] };
  const [content, buffers] = delta(2, [bar(3)]);
  store.apply({ ...content, study: more }, [...buffers, bytes([[START + 3 * MINUTE, 7, 8]]), bytes([[START + 3 * MINUTE, 990]])]);
  assert.equal(store.study.levels.length, 4);
  assert.deepEqual(levelValues(store.study, START + 3 * MINUTE + 1).map(({ value }) => value), [7, 8]);
  const [next, tables] = delta(3, []);
  store.apply({ ...next, study: { ...more, whole: true, names: [] } }, [...tables, bytes([]), bytes([])]);
  assert.equal(store.study.levels.length, 0);
  assert.equal(store.study.hasGhost, false);
});

test("a study without bars comes in a message that has nothing else", () => {
  const store = studied(3);
  const version = store.stillVersion;
  const study = { whole: false, names: ["fast", "slow"], fault: "", marks: [] };
  store.apply({ kind: "delta", sequence: 2, study }, [bytes([]), bytes([]), bytes([]), bytes([])]);
  assert.equal(store.sequence, 2);
  assert.equal(store.bars.length, 3);
  assert.notEqual(store.stillVersion, version);
});

test("the backtest is a grey line whose gap to the session is shaded, and makes room on the axis", () => {
  const store = studied(60);
  const frame = makeFrame(store, new Viewport(MINUTE), 700, true);
  assert.ok(frame.ranges.equity[0] < 1000 - 5);
  const [line, gap] = ["backtest", "gap"].map((name) => traceOf(frame, store, name));
  assert.equal(line.y[0], 1000 - 5);
  assert.equal(gap.fill, "toself");
  assert.equal(gap.y[0], 1000); // along the session and back along the backtest
  assert.equal(gap.y.at(-1), 1000 - 5);
  assert.deepEqual(traceOf(frame, store, "backtest fills").x, [START + MINUTE]);
  const keys = studyKeys(store, START + 59 * MINUTE, 1, PALETTE, true).equity;
  assert.deepEqual(keys.map(({ value }) => value), ["1,054.00", "5.00"]);
});

test("why there is no backtest stands beside the equity", () => {
  const store = studied(3);
  store.study.fault = "two symbols";
  const [key] = studyKeys(store, START, 1, PALETTE, true).equity;
  assert.equal(key.name, "No backtest: two symbols");
});

test("all bars are on view, and stay so while more come, until the newest are followed or a part is looked at", () => {
  const store = filledStore(900);
  const viewport = new Viewport(MINUTE);
  viewport.showAll();
  assert.ok(viewport.showsAll);
  const [from, to] = viewport.timeRange(store.bars, 700);
  assert.equal(from, START - MINUTE);
  assert.ok(to > START + 899 * MINUTE);
  store.apply(...delta(2, [bar(900)]));
  assert.ok(viewport.timeRange(store.bars, 700)[1] > START + 900 * MINUTE);
  viewport.zoom(0.5, [from, to], store.bars);
  assert.ok(!viewport.showsAll);
  assert.ok(viewport.timeRange(store.bars, 700)[0] > START + 300 * MINUTE);
  viewport.showAll();
  viewport.follow();
  assert.equal(viewport.showsAll, false);
  // 100 bars of seven pixels, and one before them.
  assert.equal(viewport.timeRange(store.bars, 700)[0], START + (900 - 100 - 1) * MINUTE);
});

test("the backtest can be left out", () => {
  const store = studied(60);
  const frame = makeFrame(store, new Viewport(MINUTE), 700, false);
  assert.equal(traceOf(frame, store, "backtest"), undefined);
  assert.ok(frame.ranges.equity[0] > 1000 - 7);
  assert.deepEqual(studyKeys(store, START, 1, PALETTE, false).equity, []);
});

test("a position is held from the fill that opens it to the one that ends it, or turns it", () => {
  const marks = [[10, 1, 1, "", 1], [20, 1, 1, "", 1], [30, 1, -1, "", -1], [40, 1, 1, "", 0], [50, 1, -1, "", -1]];
  assert.deepEqual(heldSpans(marks, 99), [
    { side: 1, from: 10, to: 30 }, { side: -1, from: 30, to: 40 }, { side: -1, from: 50, to: 99 },
  ]);
});

test("a fill is something that stands still, and asks for a drawing", () => {
  const store = filledStore(60);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  store.apply(...delta(2, [bar(59, 158)]));
  assert.equal(lags(frame, store), false);
  store.apply(...delta(3, [], { marks: [[START, 1, 1, "", 1]] }));
  assert.equal(lags(frame, store), true);
});

test("held times are one area from the foot to the top of the price pane", () => {
  const store = filledStore(60);
  store.apply(...delta(2, [], { marks: [[START + 10 * MINUTE, 1, 1, "", 1], [START + 20 * MINUTE, 1, -1, "", 0]] }));
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  const area = traceOf(frame, store, "long");
  assert.deepEqual(area.x.slice(0, 4).map((x) => (x - START) / MINUTE), [9.5, 9.5, 19.5, 19.5]);
  assert.deepEqual([area.y[0], area.y[1]], frame.ranges.price);
  assert.equal(traceOf(frame, store, "short").fill, "none");
});

test("volume stands at the foot of the price pane, by the colour of its candle", () => {
  const store = filledStore(60);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  const rising = traceOf(frame, store, "volume up");
  assert.equal(rising.x.length, 3 * frame.stillCount); // from 0 up to the volume, and the pen lifted
  assert.deepEqual(rising.y.slice(0, 3), [0, 1, null]);
  assert.equal(traceOf(frame, store, "volume down").x.length, 0);
  assert.ok(Math.abs(frame.ranges.volume[1] - 1 / 0.16) < 1e-9); // the largest takes 16 % of the height
});

test("merged candles have the volume of all their bars", () => {
  const store = filledStore(8);
  const candles = mergeCandles(store.bars, 0, 8, MINUTE, 4);
  assert.equal(candles.volume.reduce((sum, volume) => sum + volume, 0), 8);
});

test("shapes are placed in pixels of their pane", () => {
  const frame = { time: [0, 100], ranges: { price: [0, 10], volume: [0, 4] }, stepMs: 1 };
  const height = PLOT.paneBottom("price") - PLOT.paneTop("price");
  const level = shapeAttributes({ type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: 5, y1: 5, line: { dash: "dot" } }, frame, PLOT);
  assert.deepEqual([level.x1, level.x2, level.y1], [0, PLOT.plotWidth, Math.round(height / 2) + 0.5]);
  const box = shapeAttributes({ type: "rect", xref: "x", x0: 50, x1: 25, yref: "y4", y0: 0, y1: 1, line: {} }, frame, PLOT);
  assert.ok(Math.abs(box.x - PLOT.plotWidth / 4) < 1e-9);
  assert.ok(Math.abs(box.height - height / 4) < 1e-9);
});

test("the result curves reach from the last drawn bar to now, over bars that closed since", () => {
  const store = filledStore(60);
  const frame = makeFrame(store, new Viewport(MINUTE), 700);
  store.apply({ kind: "delta", sequence: 2, marks: [], lines: {} }, [bytes([bar(60)]), bytes(points(62).slice(60))]);
  const ends = movingShapes(frame, store, PLOT, PALETTE).filter((shape) => shape.yref === "y2" && shape.xref === "x");
  assert.deepEqual(ends.map(({ x0 }) => (x0 - START) / MINUTE), [58, 59, 60]);
});
