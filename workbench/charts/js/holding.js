// When a position was held, as shaded areas: one path for all long ones and one for all short ones.

const HOLDING_SHADE = "17"; // two hexadecimal digits of opacity

// Times between which a position was held on one side, from the marks; an open one ends at `now`. What came before the
// first mark is not known.
export function heldSpans(marks, now) {
  const spans = [];
  let open = null;
  for (const [time, , , , held] of marks) {
    if (open && held === open.side) continue;
    if (open) spans.push({ ...open, to: time });
    open = held ? { side: held, from: time } : null;
  }
  if (open) spans.push({ ...open, to: now });
  return spans;
}

export function holdingTraces(store, frame, palette) {
  const now = store.bars.last("time") + frame.stepMs;
  const spans = heldSpans(store.marks, now).filter(({ from, to }) => to > frame.time[0] && from < frame.time[1]);
  return [areaTrace("long", spans.filter(({ side }) => side > 0), frame, palette.up),
    areaTrace("short", spans.filter(({ side }) => side < 0), frame, palette.down)];
}

function areaTrace(name, spans, frame, color) {
  const [low, high] = frame.ranges.price;
  // A candle stands in the middle of its time: an area begins and ends half a candle earlier.
  const half = frame.stepMs / 2;
  return {
    type: "scatter", mode: "lines", name, hoverinfo: "skip", line: { width: 0 }, fill: spans.length ? "toself" : "none",
    fillcolor: color + HOLDING_SHADE,
    x: spans.flatMap(({ from, to }) => [from - half, from - half, to - half, to - half, null]),
    y: spans.flatMap(() => [low, high, high, low, null]),
  };
}
