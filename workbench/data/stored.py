"""Bars of a name that the store knows: from its candles, or from shorter ones, or not at all."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from workbench.data.resample import resample
from workbench.data.series import Series, is_exchange_name
from workbench.data.spans import Span
from workbench.data.store import CandleStore, default_store_folder
from workbench.errors import MissingDataError

if TYPE_CHECKING:
    from workbench.model.bars import Bars
    from workbench.model.timeframe import Timeframe

__all__ = ["explain_stored", "open_store", "read_stored"]


def open_store(source: str, store: CandleStore | None) -> CandleStore | None:
    """Return the store if it has candles of an exchange of this name, else None.

    Parameters
    ----------
    source : str
        What may be an exchange's name.
    store : CandleStore or None
        Where to look; without it the default store, whose folder may not be there.
    """
    if store is not None:
        return store if any(series.exchange == source for series in store.series()) else None
    # A look at the folder first: a store takes pyarrow, and most names are no one's.
    is_there = is_exchange_name(source) and (default_store_folder() / source).is_dir()
    return CandleStore() if is_there else None


def read_stored(store: CandleStore, wanted: Series, start_ns: int | None, end_ns: int | None) -> Bars | None:
    """Return bars if the store covers what is wanted, else None.

    Parameters
    ----------
    store : CandleStore
        Where to look.
    wanted : Series
        Exchange, symbol and timeframe. If it is not stored itself, or not for this time, shorter candles are joined.
    start_ns, end_ns : int or None
        Bars wholly in this time. Without a start, from the first that is stored; without an end, to where the stored
        time that the start is in ends.

    Raises
    ------
    MissingDataError
        There is no start, and what is stored is in pieces; or the time is covered and the exchange had no candle in it.
    StoreError
        A file is damaged.
    """
    for timeframe in _timeframes(store, wanted):
        covered = store.coverage(wanted.exchange, wanted.symbol, timeframe)
        span = _opens(wanted, covered, start_ns, end_ns)
        if span is not None and timeframe == wanted.timeframe:
            return store.read_span(wanted, span)
        if span is not None:
            return _joined(store, Series(wanted.exchange, wanted.symbol, timeframe), wanted.timeframe, span)
    return None


def explain_stored(store: CandleStore, wanted: Series) -> str:
    """Return what the store has of a symbol, as the end of a message about a wanted series that it lacks."""
    parts = [
        f"{timeframe} {', '.join(map(str, store.coverage(wanted.exchange, wanted.symbol, timeframe)))}"
        for timeframe in _timeframes(store, wanted)
    ]
    return f"the store has of {wanted.exchange} {wanted.symbol}: {'; '.join(parts) or 'nothing that fits'}"


def _timeframes(store: CandleStore, wanted: Series) -> list[Timeframe]:
    """Return the stored timeframes that can make the wanted one, the longest first."""
    stored = [
        series.timeframe
        for series in store.series()
        if (series.exchange, series.symbol) == (wanted.exchange, wanted.symbol)
        and wanted.timeframe.ns % series.timeframe.ns == 0
    ]
    return sorted(stored, reverse=True)


def _opens(wanted: Series, covered: tuple[Span, ...], start_ns: int | None, end_ns: int | None) -> Span | None:
    """Return the open labels to read, or None when the store does not cover them."""
    frame = wanted.timeframe
    if start_ns is None and len(covered) > 1:
        pieces = ", ".join(map(str, covered))
        raise MissingDataError(f"{wanted} is stored in pieces ({pieces}): pass start and end, or download the rest")
    if start_ns is None:
        start_ns = covered[0].start_ns
    first = frame.floor(start_ns + frame.ns - 1)
    home = next((span for span in covered if span.start_ns <= first < span.end_ns), None)
    if home is None:
        return None
    # Labels are those of the wanted timeframe; the last bar of it has to end inside.
    last = frame.floor(home.end_ns if end_ns is None else end_ns)
    return Span(first, last) if first < last <= home.end_ns else None


def _joined(store: CandleStore, source: Series, timeframe: Timeframe, span: Span) -> Bars:
    """Return longer bars made from stored ones; thin ones among them are told by a warning."""
    joined = resample(store.read_span(source, span), timeframe, known=span)
    if joined.note:
        warnings.warn(f"{source}: {joined.note}", UserWarning, stacklevel=6)
    return joined.bars
