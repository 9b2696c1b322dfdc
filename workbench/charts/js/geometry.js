// Where things are. All ranges, margins and pane borders are set by us and never by Plotly's autorange, so that
// pixels and values convert into each other here without looking into Plotly's internals.

export const MARGIN = { left: 6, right: 84, top: 18, bottom: 36 };

// Fractions of the plot height, bottom to top.
export const PANES = {
  price: { axis: "y", domain: [0.43, 1] },
  equity: { axis: "y2", domain: [0.2, 0.385] },
  drawdown: { axis: "y3", domain: [0, 0.155] },
};

// Of the price pane's height, from its foot: where volume stands.
export const VOLUME_SHARE = 0.16;

export class Geometry {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.plotWidth = Math.max(1, width - MARGIN.left - MARGIN.right);
    this.plotHeight = Math.max(1, height - MARGIN.top - MARGIN.bottom);
    this.right = MARGIN.left + this.plotWidth;
  }

  paneTop(pane) {
    return MARGIN.top + (1 - PANES[pane].domain[1]) * this.plotHeight;
  }

  paneBottom(pane) {
    return MARGIN.top + (1 - PANES[pane].domain[0]) * this.plotHeight;
  }

  get volumeTop() {
    return this.paneBottom("price") - VOLUME_SHARE * (this.paneBottom("price") - this.paneTop("price"));
  }

  paneAt(y) {
    return Object.keys(PANES).find((pane) => y >= this.paneTop(pane) && y <= this.paneBottom(pane));
  }

  yOf(pane, range, value) {
    const share = (value - range[0]) / (range[1] - range[0]);
    return this.paneBottom(pane) - share * (this.paneBottom(pane) - this.paneTop(pane));
  }

  valueAt(pane, range, y) {
    const share = (this.paneBottom(pane) - y) / (this.paneBottom(pane) - this.paneTop(pane));
    return range[0] + share * (range[1] - range[0]);
  }

  xOf(range, time) {
    return MARGIN.left + ((time - range[0]) / (range[1] - range[0])) * this.plotWidth;
  }

  timeAt(range, x) {
    return range[0] + ((x - MARGIN.left) / this.plotWidth) * (range[1] - range[0]);
  }
}
