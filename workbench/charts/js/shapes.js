// What moves with the tick, drawn as a few SVG elements over the plot. Plotly's own shapes cost ten times as much: each
// change of them runs through its whole layout.
import { MARGIN } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const PANE_OF = { y: "price", y4: "price", y2: "equity", y3: "drawdown" };
const RANGE_OF = { y: "price", y4: "volume", y2: "equity", y3: "drawdown" };
const DASHES = { dash: "8 6", dot: "2 3" };

export class ShapeLayer {
  constructor(parent) {
    this.root = document.createElementNS(SVG, "svg");
    this.root.setAttribute("class", "wb-live-shapes");
    parent.prepend(this.root);
    this.panes = {};
    for (const pane of new Set(Object.values(PANE_OF))) {
      // An svg within the svg cuts off what leaves its pane.
      const root = document.createElementNS(SVG, "svg");
      this.root.append(root);
      this.panes[pane] = { root, nodes: [] };
    }
  }

  place(geometry) {
    for (const [pane, { root }] of Object.entries(this.panes)) {
      const top = geometry.paneTop(pane);
      write(root, { x: MARGIN.left, y: top, width: geometry.plotWidth, height: geometry.paneBottom(pane) - top });
    }
  }

  draw(shapes, frame, geometry) {
    const used = { price: 0, equity: 0, drawdown: 0 };
    for (const shape of shapes) {
      const pane = PANE_OF[shape.yref];
      const node = nodeAt(this.panes[pane], used[pane]++, shape.type);
      write(node, shapeAttributes(shape, frame, geometry));
    }
    for (const [pane, { nodes }] of Object.entries(this.panes)) while (nodes.length > used[pane]) nodes.pop().remove();
  }
}

function nodeAt({ root, nodes }, index, type) {
  if (nodes[index]?.nodeName === type) return nodes[index];
  const node = document.createElementNS(SVG, type);
  if (nodes[index]) nodes[index].replaceWith(node);
  else root.append(node);
  nodes[index] = node;
  return node;
}

function write(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

// Pixels within the pane, from a shape in the units of the axes.
export function shapeAttributes(shape, frame, geometry) {
  const pane = PANE_OF[shape.yref];
  const isLevel = shape.xref === "paper";
  const x = (value) => (isLevel ? value * geometry.plotWidth : geometry.xOf(frame.time, value) - MARGIN.left);
  const y = (value) => geometry.yOf(pane, frame.ranges[RANGE_OF[shape.yref]], value) - geometry.paneTop(pane);
  const [x0, x1, y0, y1] = [x(shape.x0), x(shape.x1), y(shape.y0), y(shape.y1)];
  const stroke = { stroke: shape.line.color ?? "none", "stroke-width": shape.line.width };
  if (shape.type === "rect") {
    const box = { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) };
    return { ...box, ...stroke, fill: shape.fillcolor, class: "wb-live-moving" };
  }
  const ends = isLevel ? { y1: Math.round(y0) + 0.5, y2: Math.round(y0) + 0.5 } : { y1: y0, y2: y1 };
  const dash = DASHES[shape.line.dash] ?? "none";
  return { x1: x0, x2: x1, ...ends, ...stroke, "stroke-dasharray": dash, class: isLevel ? "" : "wb-live-moving" };
}
