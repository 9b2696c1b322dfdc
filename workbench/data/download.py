"""`download`: candles from an exchange into the store, only those that it lacks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from workbench.data.candle_stream import fill_span
from workbench.data.client_pool import ClientPool
from workbench.data.download_summary import DownloadSummary, SymbolDownload
from workbench.data.instants import parse_instant
from workbench.data.progress import progress_bar
from workbench.data.series import Series
from workbench.data.spans import Span, clip, gaps_of
from workbench.data.store import CandleStore
from workbench.errors import ConfigError
from workbench.model.timeframe import Timeframe
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from workbench.exchange.history import CandleArchive, CandleClient

__all__ = ["download"]

_THREADS: Final = 4


def download(  # noqa: PLR0913 - what to load, where to, and how; all but three by keyword
    exchange: str,
    symbol: str | Sequence[str],
    timeframe: str | Timeframe,
    *,
    since: str | date,
    until: str | date | None = None,
    store: CandleStore | None = None,
    client: CandleClient | None = None,
    progress: bool | None = None,
) -> DownloadSummary:
    """Download closed candles into the store, as far as it lacks them.

    Up to four symbols are loaded at once, at the pace that the exchange allows. An interrupted download goes on where
    it was when it is called again. Times for which the exchange has no candles are remembered, so that they are not
    asked for again; of the last day only those that a later candle proves.

    Parameters
    ----------
    exchange : str
        Name of an exchange that ccxt knows, such as ``"binance"``.
    symbol : str or sequence of str
        ``"BTC/USDT"``, ``"BTC/USDT:USDT"`` for the perpetual, or several.
    timeframe : str or Timeframe
        Length of a candle; the exchange must offer it.
    since, until : str, date or datetime
        Candles that lie wholly in ``[since, until)``, as for `load_bars`; without `until`, up to the last that closed.
    store : CandleStore, optional
        Where to; without it the store that `load_bars` reads.
    client : CandleClient, optional
        A ccxt object to use instead of fresh ones. It is asked one question at a time and stays open.
    progress : bool, optional
        Show a bar always or never; without it, only for a download that takes more than a second.

    Returns
    -------
    DownloadSummary
        What was new, what was there, and which times have no candles.

    Raises
    ------
    ConfigError
        An unknown exchange, symbol or timeframe, or `since` is not before `until` or now. Nothing was loaded.
    ExchangeError
        The exchange could not be reached, or refused. What came before is stored.
    BarError
        The exchange sent a candle that cannot be. What came before is stored.
    StoreError
        Another download writes the same series, or the disk refuses.
    """
    store = CandleStore() if store is None else store
    frame = Timeframe.of(timeframe)
    names = (symbol,) if isinstance(symbol, str) else tuple(dict.fromkeys(symbol))
    if not names:
        raise ConfigError("symbol is missing: pass one such as 'BTC/USDT'")
    since_ns = parse_instant(since, name="since")
    until_ns = None if until is None else parse_instant(until, name="until")
    series = [Series(exchange, name, frame) for name in names]
    with ClientPool(exchange, client) as pool:
        from workbench.exchange.history import open_archive  # noqa: PLC0415  asyncio and the client, which a backtest never needs

        archives = [open_archive(exchange, one.symbol, frame, client=pool.first) for one in series]
        span = _asked_span(frame, since_ns, until_ns, archives[0].now_ns)
        jobs = [_Job(one, archive, span) for one, archive in zip(series, archives, strict=True)]
        return DownloadSummary(exchange, frame, span, store.root, tuple(_run(jobs, store, pool, progress=progress)))


@dataclass(frozen=True, slots=True)
class _Job:
    """One symbol to download."""

    series: Series
    archive: CandleArchive
    span: Span


def _asked_span(frame: Timeframe, since_ns: int, until_ns: int | None, now_ns: int) -> Span:
    """Return the open labels of the candles that lie wholly in the wanted time and have closed."""
    stop_ns = now_ns if until_ns is None else min(until_ns, now_ns)
    first, last = frame.floor(since_ns + frame.ns - 1), frame.floor(stop_ns)
    if first >= last:
        end = "now" if until_ns is None or until_ns > now_ns else utc_text(until_ns)
        raise ConfigError(f"no {frame} candle lies between since, {utc_text(since_ns)}, and {end}")
    return Span(first, last)


def _run(jobs: list[_Job], store: CandleStore, pool: ClientPool, *, progress: bool | None) -> list[SymbolDownload]:
    """Download several symbols at once; the first error is raised when all others have ended."""
    lacking = [sum(end - start for start, end in store.missing(job.series, job.span)) for job in jobs]
    total = sum(lacking) // jobs[0].series.timeframe.ns
    stop, guard = threading.Event(), threading.Lock()
    title = f"{jobs[0].series.exchange} {jobs[0].series.timeframe}"
    with (
        progress_bar(total, title, "candles", progress=progress, unit_scale=True) as bar,
        ThreadPoolExecutor(min(_THREADS, len(jobs)), thread_name_prefix="workbench-download") as threads,
    ):

        def advance(candles: int) -> None:
            with guard:
                bar.update(candles)

        futures = [threads.submit(_load, job, store, pool, stop, advance) for job in jobs]
        try:
            wait(futures)
        except BaseException:
            # Ctrl-C, which only this thread sees: each download writes what it has and ends.
            stop.set()
            threads.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _load(
    job: _Job, store: CandleStore, pool: ClientPool, stop: threading.Event, advance: Callable[[int], None]
) -> SymbolDownload:
    """Download what the store lacks of one symbol."""
    before = len(store.opens(job.series, job.span))
    answers = 0
    with store.writer(job.series) as writer, pool.lease() as client:
        archive = replace(job.archive, client=client)
        for span in writer.missing(job.span):
            if stop.is_set():
                break
            answers += fill_span(archive, writer, span, stop, advance)
    opens = store.opens(job.series, job.span)
    covered = clip(store.coverage(job.series.exchange, job.series.symbol, job.series.timeframe), job.span)
    holes = gaps_of(opens, job.series.timeframe.ns, covered)
    return SymbolDownload(job.series.symbol, len(opens) - before, before, holes, answers)
