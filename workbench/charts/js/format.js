// Numbers and times as text. Formatters are kept: building an Intl.NumberFormat costs far more than using it.

const formatters = new Map();

export function formatNumber(value, decimals) {
  if (!Number.isFinite(value)) return "–";
  let formatter = formatters.get(decimals);
  if (!formatter) {
    formatter = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formatters.set(decimals, formatter);
  }
  const text = formatter.format(value);
  // "-0.00" reads like a loss; a value that rounds to nothing is nothing.
  return /^-[0.,]*$/.test(text) ? text.slice(1) : text;
}

// About six significant digits, one decimal at least: 105,829.4 and 0.412345 are both readable, and a price never
// changes its width by much.
export function priceDecimals(price) {
  if (!(price > 0)) return 2;
  return Math.min(8, Math.max(1, 5 - Math.floor(Math.log10(price))));
}

// Decimals that keep the five or so ticks of an axis apart.
export function axisDecimals(low, high) {
  const step = (high - low) / 6;
  return step > 0 ? Math.min(8, Math.max(0, Math.ceil(-Math.log10(step)))) : 2;
}

export function formatPercent(fraction, decimals = 2) {
  return `${formatNumber(100 * fraction, decimals)} %`;
}

// Chart times are UTC everywhere; ISO strings are UTC by definition, so no time zone can slip in.
export function formatTime(timeMs, stepMs) {
  const iso = new Date(timeMs).toISOString();
  if (stepMs >= 86_400_000) return iso.slice(0, 10);
  return `${iso.slice(0, 10)} ${iso.slice(11, stepMs < 60_000 ? 19 : 16)}`;
}
