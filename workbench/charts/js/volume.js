// Traded volume at the foot of the price pane. Lines instead of bars: two paths, whatever their number.

const VOLUME_WIDTH = 0.5; // of the distance of two candles, as the bodies are wide
const VOLUME_SHADE = "66"; // two hexadecimal digits of opacity

export function volumeTraces(frame, geometry, palette) {
  const { candles, stillCount } = frame;
  const trace = (name, color, isRising) => {
    const [x, y] = [[], []];
    for (let i = 0; i < stillCount; i += 1) {
      if ((candles.close[i] >= candles.open[i]) !== isRising || !(candles.volume[i] > 0)) continue;
      x.push(candles.time[i], candles.time[i], null);
      y.push(0, candles.volume[i], null);
    }
    return {
      type: "scatter", mode: "lines", name, x, y, yaxis: "y4", hoverinfo: "skip", connectgaps: false,
      line: { color: color + VOLUME_SHADE, width: volumeWidth(frame, geometry), simplify: false },
    };
  };
  return [trace("volume up", palette.up, true), trace("volume down", palette.down, false)];
}

export function volumeShape(x, volume, width, color) {
  return { type: "line", xref: "x", yref: "y4", x0: x, x1: x, y0: 0, y1: volume, line: { width, color: color + VOLUME_SHADE } };
}

export function volumeWidth(frame, geometry) {
  const pixels = (geometry.plotWidth * frame.stepMs * frame.merged) / (frame.time[1] - frame.time[0]);
  return Math.max(1, VOLUME_WIDTH * pixels);
}
