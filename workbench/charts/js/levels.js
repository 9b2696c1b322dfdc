// Level of detail: what is drawn is bounded by the pixels, whatever the history.

// Bars merged into one candle, a power of two so that zooming out changes it rarely.
export function barsPerCandle(count, maxCandles) {
  let merged = 1;
  while (count / merged > maxCandles) merged *= 2;
  return merged;
}

// Start of the bucket of `merged` bars that holds `time`. Buckets are aligned to absolute time: aligned to the window,
// merged candles would change their shape at every new bar.
export function bucketStart(time, stepMs, merged) {
  return merged === 1 ? time : Math.floor(time / (stepMs * merged)) * stepMs * merged;
}

// Candles of rows [from, to), each of up to `merged` bars.
export function mergeCandles(bars, from, to, stepMs, merged) {
  const { time, open, high, low, close, volume } = bars.columns;
  const candles = { time: [], open: [], high: [], low: [], close: [], volume: [] };
  let at = -1;
  for (let row = from; row < to; row += 1) {
    const start = bucketStart(time[row], stepMs, merged);
    if (candles.time[at] !== start) {
      at += 1;
      candles.time.push(start);
      candles.open.push(open[row]);
      candles.high.push(high[row]);
      candles.low.push(low[row]);
      candles.volume.push(0);
    }
    candles.high[at] = Math.max(candles.high[at], high[row]);
    candles.low[at] = Math.min(candles.low[at], low[row]);
    candles.close[at] = close[row];
    candles.volume[at] += volume[row];
  }
  return candles;
}

// Points of rows [from, to): every row, or the extremes of each bucket in their order (a spike must not vanish).
export function thinLine(time, values, from, to, maxPoints) {
  const x = [];
  const y = [];
  const push = (row) => { x.push(time[row]); y.push(values[row]); };
  const rows = Math.max(1, Math.ceil((2 * (to - from)) / maxPoints));
  // Aligned to multiples of the bucket, like the candles, so that the line does not shimmer while it moves.
  for (let start = from - (from % rows); start < to; start += rows) {
    const first = Math.max(start, from);
    let lowest = first;
    let highest = first;
    for (let row = first; row < Math.min(start + rows, to); row += 1) {
      if (values[row] < values[lowest]) lowest = row;
      if (values[row] > values[highest]) highest = row;
    }
    push(Math.min(lowest, highest));
    if (lowest !== highest) push(Math.max(lowest, highest));
  }
  if (to > from && x[x.length - 1] !== time[to - 1]) push(to - 1);
  return { x, y };
}

export function extremes(values, from, to) {
  let low = Infinity;
  let high = -Infinity;
  for (let row = from; row < to; row += 1) {
    if (values[row] < low) low = values[row];
    if (values[row] > high) high = values[row];
  }
  return [low, high];
}
