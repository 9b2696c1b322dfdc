// What the page knows of one chart, fed by numbered messages. Pure: no DOM, no Plotly, no network.
import { Study } from "./study.js";
import { Table, float64 } from "./table.js";

const CAPACITY = 5000;
const MAX_MARKS = 1000;

export class ChartStore {
  constructor() {
    this.bars = new Table(["time", "open", "high", "low", "close", "volume"], CAPACITY);
    this.equity = new Table(["time", "equity", "drawdown"], CAPACITY);
    this.marks = [];
    this.lines = {};
    this.symbol = null; // whose candles these are, where the session has several symbols
    this.study = new Study(CAPACITY); // what the strategy looks at and what its backtest does
    this.sequence = -1;
    this.isReady = false; // false: deltas cannot be used until a snapshot has come
    this.isFinal = false; // true: the session is over, silence is no fault
    this.fault = "";
    this.stillVersion = 0; // tells a view that marks or study changed, also when their number stays at the limit
  }

  // Returns "changed", "same" or "gap"; after a gap the owner asks for a snapshot until one comes.
  apply(content, buffers) {
    switch (content.kind) {
      case "snapshot": return this.#snapshot(content, buffers);
      case "delta": return this.#delta(content, buffers);
      case "pulse": return this.#pulse(content);
      case "fault": this.fault = content.text; return "changed";
      default: return "same";
    }
  }

  #snapshot(content, buffers) {
    this.bars.load(float64(buffers[0]));
    this.equity.load(float64(buffers[1]));
    this.#setMarks(content.marks);
    this.lines = content.lines;
    this.symbol = content.symbol ?? null;
    this.#setStudy(content, buffers);
    this.sequence = content.sequence;
    this.isFinal = content.final;
    this.isReady = true;
    this.fault = "";
    return "changed";
  }

  #delta(content, buffers) {
    if (!this.isReady || content.sequence <= this.sequence) return "same";
    if (content.sequence !== this.sequence + 1) return this.#gap();
    this.sequence = content.sequence;
    this.bars.merge(float64(buffers[0]));
    this.equity.merge(float64(buffers[1]));
    if (content.marks?.length) this.#setMarks([...this.marks, ...content.marks]);
    this.#setStudy(content, buffers);
    if (content.lines) this.lines = content.lines;
    this.fault = "";
    return "changed";
  }

  // A pulse carries the last number sent, so that a lost last message is noticed although nothing follows it.
  #pulse(content) {
    if (this.isReady && content.sequence > this.sequence) return this.#gap();
    return "same";
  }

  #gap() {
    this.isReady = false;
    return "gap";
  }

  #setStudy({ study }, buffers) {
    if (!study) return;
    this.study.apply(study, buffers.slice(2));
    this.stillVersion += 1;
  }

  #setMarks(marks) {
    this.marks = marks.slice(-MAX_MARKS);
    this.stillVersion += 1;
  }
}
