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
        return store if store.has_exchange(source) else None
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
        source = Series(wanted.exchange, wanted.symbol, timeframe)
        span = _opens(store, source, wanted, start_ns, end_ns)
        if span is not None:
            return store.read_span(source, span) if source == wanted else _joined(store, source, wanted.timeframe, span)
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
    stored = store.timeframes(wanted.exchange, wanted.symbol)
    return [timeframe for timeframe in reversed(stored) if wanted.timeframe.ns % timeframe.ns == 0]


def _opens(store: CandleStore, source: Series, wanted: Series, start_ns: int | None, end_ns: int | None) -> Span | None:
    """Return the open labels to read, or None when the store does not cover them."""
    frame = wanted.timeframe
    # Labels are those of the wanted timeframe: its first bar begins inside, its last ends inside.
    if start_ns is not None and end_ns is not None:
        span = Span(frame.floor(start_ns + frame.ns - 1), frame.floor(end_ns))
        return span if span.start_ns < span.end_ns and not store.missing(source, span) else None
    covered = store.coverage(source.exchange, source.symbol, source.timeframe)
    if start_ns is None and len(covered) > 1:
        pieces = ", ".join(map(str, covered))
        raise MissingDataError(f"{source} is stored in pieces ({pieces}): pass start and end, or download the rest")
    first = frame.floor((covered[0].start_ns if start_ns is None else start_ns) + frame.ns - 1)
    home = next((span for span in covered if span.start_ns <= first < span.end_ns), None)
    if home is None:
        return None
    last = frame.floor(home.end_ns if end_ns is None else end_ns)
    return Span(first, last) if first < last <= home.end_ns else None


def _joined(store: CandleStore, source: Series, timeframe: Timeframe, span: Span) -> Bars:
    """Return longer bars made from stored ones; thin ones among them are told by a warning."""
    joined = resample(store.read_span(source, span), timeframe, known=span)
    if joined.note:
        warnings.warn(f"{source}: {joined.note}", UserWarning, stacklevel=6)
    return joined.bars
