// Float64 columns with a time column first: the history of the chart. It lives here and never inside Plotly, which
// redraws all it is given, so that only what is on view is ever handed to it.

export class Table {
  constructor(names, capacity) {
    this.names = names;
    this.capacity = capacity;
    this.length = 0;
    this.columns = Object.fromEntries(names.map((name) => [name, new Float64Array(256)]));
    this.time = this.columns[names[0]];
  }

  // Replace everything by row-major `rows`.
  load(rows) {
    this.length = 0;
    this.merge(rows);
  }

  // A row with a known time replaces that row (the forming bar), a later one is appended, an unknown earlier one is
  // dropped: history comes with snapshots only.
  merge(rows) {
    const width = this.names.length;
    for (let at = 0; at + width <= rows.length; at += width) {
      const index = this.#place(rows[at]);
      if (index < 0) continue;
      this.names.forEach((name, i) => { this.columns[name][index] = rows[at + i]; });
    }
    this.#trim();
  }

  // First row at or after `time`.
  search(time) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  last(name) {
    return this.length ? this.columns[name][this.length - 1] : NaN;
  }

  #place(time) {
    if (!this.length || time > this.last("time")) return this.#grow();
    const index = this.search(time);
    return this.time[index] === time ? index : -1;
  }

  #grow() {
    if (this.length === this.time.length) {
      for (const name of this.names) {
        const wider = new Float64Array(2 * this.length);
        wider.set(this.columns[name]);
        this.columns[name] = wider;
      }
      this.time = this.columns[this.names[0]];
    }
    return this.length++;
  }

  // Old rows go in batches: moving the columns for every new row would cost more than it frees.
  #trim() {
    const surplus = this.length - this.capacity;
    if (surplus <= this.capacity / 20) return;
    for (const name of this.names) this.columns[name].copyWithin(0, surplus, this.length);
    this.length = this.capacity;
  }
}

// Buffers arrive as views at any byte offset; a Float64Array needs an aligned one, hence the copy.
export function float64(view) {
  const bytes = view.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : view;
  return new Float64Array(bytes);
}
