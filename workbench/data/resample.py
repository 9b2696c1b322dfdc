"""Longer bars from shorter ones, without a look at what comes later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.errors import ConfigError, DataError
from workbench.model.bars import Bars
from workbench.model.timeframe import Timeframe
from workbench.model.times import utc_text

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.spans import Span

__all__ = ["Resampled", "ThinBar", "resample"]


@dataclass(frozen=True, slots=True)
class ThinBar:
    """A bar that is made of fewer bars than fit into it.

    Attributes
    ----------
    symbol : str
        Whose bar it is.
    time_ns : int
        Its open label, nanoseconds UTC.
    found, expected : int
        How many bars it is made of, and how many fit into it.
    is_kept : bool
        False for one at the edge of the data that was left out, as its other part may lie beyond.
    """

    symbol: str
    time_ns: int
    found: int
    expected: int
    is_kept: bool


@dataclass(frozen=True, slots=True, repr=False)
class Resampled:
    """Longer bars, and which of them are not made of all that fit into them.

    Attributes
    ----------
    bars : Bars
        The longer bars.
    source : Timeframe
        Length of the bars that they are made of.
    thin : tuple of ThinBar
        Bars made of fewer than fit, oldest first.
    """

    bars: Bars
    source: Timeframe
    thin: tuple[ThinBar, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the thin bars as a table: time, symbol, found, expected, and whether they were kept."""
        import pandas as pd  # noqa: PLC0415 - half a second that only a table may cost

        times = pd.DatetimeIndex(np.array([bar.time_ns for bar in self.thin], dtype="datetime64[ns]"), name="time")
        columns = {
            name: [getattr(bar, name) for bar in self.thin] for name in ("symbol", "found", "expected", "is_kept")
        }
        return pd.DataFrame(columns, index=times.tz_localize("UTC"))

    def __repr__(self) -> str:
        return f"{self.bars!r} from {self.source}: {self.note or f'each of {self.bars.timeframe.ns // self.source.ns}'}"

    @property
    def note(self) -> str:
        """One sentence about the thin bars, or nothing when there are none."""
        kept = [bar for bar in self.thin if bar.is_kept]
        parts = []
        if kept:
            first = kept[0]
            parts.append(
                f"{len(kept):,} of {len(self.bars):,} bars are made of fewer than {first.expected} {self.source} bars "
                f"(the first, {utc_text(first.time_ns)}, of {first.found})"
            )
        left_out = [bar for bar in self.thin if not bar.is_kept]
        if left_out:
            times = " and ".join(f"{utc_text(bar.time_ns)} ({bar.found} of {bar.expected})" for bar in left_out[:2])
            parts.append(f"left out at the edges: {times}")
        return "; ".join(parts)


def resample(
    bars: Bars,
    timeframe: str | Timeframe,
    *,
    partial: Literal["drop", "keep"] = "drop",
    known: Span | None = None,
) -> Resampled:
    """Return bars joined into longer ones.

    A bar holds those that open in ``[label, label + timeframe)`` and is labelled by its open; labels are multiples of
    the timeframe in UTC, weeks begin on Monday. Open is the first open, high and low the extremes, close the last
    close, volume the sum. A label without any bar is absent.

    Parameters
    ----------
    bars : Bars
        One or several symbols.
    timeframe : str or Timeframe
        A whole multiple of the bars' own.
    partial : {"drop", "keep"}, default "drop"
        What becomes of a first or last bar of which a part may lie beyond the data: a decision on it would be one on a
        bar that has not closed.
    known : Span, optional
        The time of which the bars are known to be all that there are: a bar inside of it is whole, with fewer parts.

    Returns
    -------
    Resampled
        The bars, with a list of those that are made of fewer than fit.

    Raises
    ------
    ConfigError
        `timeframe` is no longer one, or `partial` is neither.
    DataError
        A bar would reach over an edge of the longer ones, so that it belongs to none.

    Examples
    --------
    >>> from workbench.model.synthetic import synthetic_bars
    >>> minutes = synthetic_bars("BTC/USDT", "1m", 150, start="2025-01-01")
    >>> resample(minutes, "1h")
    Bars('BTC/USDT', '1h', 2 bars, 2025-01-01T00:00Z .. 2025-01-01T01:00Z) from 1m: left out at the edges:
    2025-01-01T02:00Z (30 of 60)
    """
    frame = Timeframe.of(timeframe)
    if partial not in ("drop", "keep"):
        raise ConfigError(f"partial must be 'drop' or 'keep', was {partial!r}")
    if frame < bars.timeframe or frame.ns % bars.timeframe.ns:
        raise ConfigError(f"timeframe must be a whole multiple of the bars' own, {bars.timeframe}, was {frame}")
    parts, thin = [], []
    for symbol in bars.symbols:
        part, thin_bars = _one(bars.one(symbol), frame, known, is_kept=partial == "keep")
        parts.append(part)
        thin += thin_bars
    joined = parts[0] if len(parts) == 1 else Bars.join(parts)
    return Resampled(joined, bars.timeframe, tuple(sorted(thin, key=lambda bar: (bar.time_ns, bar.symbol))))


def _one(bars: Bars, frame: Timeframe, known: Span | None, *, is_kept: bool) -> tuple[Bars, list[ThinBar]]:
    """Return one symbol's longer bars and the thin ones among them."""
    labels = frame.floor(bars.time_ns)
    over = np.flatnonzero(frame.floor(bars.time_ns + bars.timeframe.ns - 1) != labels)
    if len(over):
        time = utc_text(int(bars.time_ns[over[0]]))
        raise DataError(f"{len(over)} {bars.timeframe} bars reach over an edge of {frame}, the first opens at {time}")
    if not len(bars):
        return Bars(bars.symbols, frame, bars.instruments, labels, bars.values), []
    first = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
    last = np.append(first[1:], len(labels)) - 1
    opens, highs, lows, closes, volumes = bars.values[:, 0]
    values = np.stack(
        (
            opens[first],
            np.maximum.reduceat(highs, first),
            np.minimum.reduceat(lows, first),
            closes[last],
            np.add.reduceat(volumes, first),
        )
    )
    label, found, expected = labels[first], last - first + 1, frame.ns // bars.timeframe.ns
    edge = np.zeros(len(label), dtype=np.bool_)
    edge[0] = bars.time_ns[0] > label[0] and (known is None or known.start_ns > label[0])
    end_ns = label[-1] + frame.ns
    edge[-1] |= bars.time_ns[-1] + bars.timeframe.ns < end_ns and (known is None or known.end_ns < end_ns)
    thin = [
        ThinBar(bars.symbols[0], int(label[i]), int(found[i]), expected, bool(is_kept or not edge[i]))
        for i in np.flatnonzero(edge | (found < expected))
    ]
    keep = np.ones(len(label), dtype=np.bool_) if is_kept else ~edge
    return Bars(bars.symbols, frame, bars.instruments, label[keep], values[:, np.newaxis, keep]), thin
