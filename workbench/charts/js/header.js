// The line above the plot: what this is, the values under the pointer (or the newest ones), badges and buttons.
import { formatNumber, formatPercent, formatTime, priceDecimals } from "./format.js";
import { element } from "./overlay.js";

const YEAR_LENGTH = "2025-".length;
const DATE_LENGTH = "2025-10-09".length;
const FIELDS = ["O", "H", "L", "C", "V", "Equity", "Drawdown"];

export class Header {
  constructor(parent, title, actions) {
    this.root = element("div", "wb-live-head", parent);
    if (title.is_shown) this.#makeTitle(title, actions);
    else {
      if (title.symbols) this.#makeChooser(this.root, title, actions);
      this.#makeLegend(this.root);
    }
    const tools = element("div", "wb-live-tools", this.root);
    this.stale = element("span", "wb-live-badge wb-live-stale", tools);
    this.stale.hidden = true;
    this.#button(tools, "−", "Zoom out (or Ctrl + wheel)", actions.zoomOut).ariaLabel = "Zoom out";
    this.#button(tools, "+", "Zoom in (or Ctrl + wheel)", actions.zoomIn).ariaLabel = "Zoom in";
    this.all = this.#button(tools, "All", "Show all bars that the chart has", actions.all);
    this.follow = this.#button(tools, "Follow", "Keep the newest bar in view (or double-click the chart)", actions.follow);
    this.ghost = this.#button(tools, "Backtest", "", actions.ghost);
    this.ghost.hidden = true;
    if (title.is_shown) this.#makeLegend(parent);
  }

  // The button is there once there is something to show.
  showGhost(isThere, isOn) {
    this.ghost.hidden = !isThere;
    this.ghost.title = "What the backtest of this strategy does on the same bars, in grey";
    press(this.ghost, isOn);
  }

  #makeTitle(title, actions) {
    const name = element("div", "wb-live-title", this.root);
    if (title.symbols) this.#makeChooser(name, title, actions);
    else element("strong", "", name, title.symbol);
    element("span", "wb-live-timeframe", name, title.timeframe);
    element("span", "wb-live-badge", name, title.mode);
  }

  #makeChooser(parent, { symbol, symbols }, actions) {
    this.chooser = element("select", "wb-live-button wb-live-symbol", parent);
    this.chooser.ariaLabel = "Symbol of the chart";
    this.chooser.title = "Symbol of the chart; equity and drawdown are the account's";
    this.chooser.dataset.lmSuppressShortcuts = "true"; // the keys that move in it are shortcuts of the notebook too
    for (const one of symbols) element("option", "", this.chooser, one).value = one;
    this.chooser.value = symbol;
    this.chooser.addEventListener("change", () => actions.choose(this.chooser.value));
  }

  showSymbol(symbol) {
    if (this.chooser && this.chooser.value !== symbol) this.chooser.value = symbol;
  }

  #button(parent, text, title, action) {
    const button = element("button", "wb-live-button", parent, text);
    button.type = "button";
    button.title = title;
    button.addEventListener("click", action);
    return button;
  }

  #makeLegend(parent) {
    this.legend = element("div", "wb-live-legend", parent);
    this.time = element("span", "wb-live-time", this.legend);
    this.fields = FIELDS.map((name) => {
      const field = element("span", `wb-live-field wb-live-field-${name.toLowerCase()}`, this.legend);
      element("i", "", field, name);
      return element("b", "", field);
    });
    this.mark = element("span", "wb-live-mark", this.legend);
  }

  showRow(store, row, stepMs, mark) {
    const { bars, equity } = store;
    const { time, open, high, low, close, volume } = bars.columns;
    const decimals = priceDecimals(close[row]);
    const at = equity.search(time[row] + stepMs) - 1;
    const texts = [open, high, low, close].map((column) => formatNumber(column[row], decimals));
    texts.push(formatNumber(volume[row], volume[row] >= 1000 ? 0 : 3));
    texts.push(at >= 0 ? formatNumber(equity.columns.equity[at], 2) : "–");
    texts.push(at >= 0 ? formatPercent(equity.columns.drawdown[at]) : "–");
    const text = formatTime(time[row], stepMs);
    this.time.textContent = text.length > DATE_LENGTH ? text.slice(YEAR_LENGTH) : text;
    texts.forEach((text, i) => { this.fields[i].textContent = text; });
    this.legend.classList.toggle("wb-live-falling", close[row] < open[row]);
    this.mark.textContent = mark;
  }

  showFollow({ isFollowing, showsAll }) {
    press(this.follow, isFollowing && !showsAll);
    press(this.all, showsAll);
  }

  showSilence(staleMs, fault) {
    const text = fault || (staleMs ? `stale · ${Math.round(staleMs / 1000)} s` : "");
    this.stale.hidden = !text;
    this.stale.textContent = fault ? "chart error" : text;
    this.stale.title = fault || "No message from the kernel: what you see may be old.";
  }
}

function press(button, isOn) {
  button.classList.toggle("wb-live-on", isOn);
  button.setAttribute("aria-pressed", String(isOn));
}
