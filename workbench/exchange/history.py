"""Past candles from any exchange that ccxt knows, over its public interface: no keys, no orders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np

from workbench.errors import ConfigError, ExchangeUnavailableError, MissingDataError
from workbench.exchange.candle_client import open_candle_client
from workbench.exchange.ccxt_client.build import exchange_names, near
from workbench.exchange.ccxt_client.call_record import CURRENT_CALL, CallRecord
from workbench.exchange.ccxt_client.rules import instrument_of_market
from workbench.exchange.ccxt_client.taxonomy import ccxt_kinds, read_problem
from workbench.exchange.credentials import redacted
from workbench.model.bars import Bars
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from workbench.errors import ExchangeError
    from workbench.model.instrument import Instrument

__all__ = [
    "CandleArchive",
    "CandleClient",
    "CandlePage",
    "exchange_names",
    "fetch_ohlcv_history",
    "open_archive",
    "open_candle_client",
]

_NS_PER_MS: Final = 1_000_000
_CANDLES_PER_PAGE: Final = 1_000
# Of an exchange that does not tell how many candles it answers with: an empty answer proves this much empty, no more.
_SURE_CANDLES: Final = 100
_COLUMNS: Final = 6
# ccxt's number for precisions that are steps (0.01) and not counts of digits.
_TICK_SIZE: Final = 4

Answer = TypeVar("Answer")


class CandleClient(Protocol):
    """The part of a synchronous ccxt exchange that downloading candles needs."""

    @property
    def precisionMode(self) -> int:  # noqa: N802 - ccxt's spelling
        """How the exchange's precisions are meant; 4 stands for steps."""

    @property
    def timeframes(self) -> Mapping[str, Any]:
        """The timeframes that the exchange has candles of."""

    def load_markets(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the markets by unified symbol."""

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        """Return up to `limit` candles of a `symbol` and `timeframe` that open at `since` (ms) or later, oldest first.

        Each is a list of the time in ms, open, high, low, close and volume.
        """

    def milliseconds(self) -> int:
        """Return the time now in milliseconds UTC."""


def fetch_ohlcv_history(
    exchange_name: str,
    symbol: str,
    timeframe: str | Timeframe,
    start_ns: int,
    end_ns: int | None = None,
    *,
    client: CandleClient | None = None,
) -> Bars:
    """Download the closed candles of a symbol that lie wholly in ``[start_ns, end_ns)``.

    Parameters
    ----------
    exchange_name : str
        Name of an exchange as ccxt spells it, such as ``"binance"``.
    symbol : str
        Unified symbol, such as ``"BTC/USDT"`` or ``"BTC/USDT:USDT"``.
    timeframe : str or Timeframe
        Length of a candle; the exchange must offer it.
    start_ns, end_ns : int
        Nanoseconds UTC; without an end, up to the last candle that has closed.
    client : CandleClient, optional
        A ccxt exchange to use instead of a fresh one, for example with a proxy set. It stays open.

    Returns
    -------
    Bars
        Oldest first, with the exchange's lot, tick, smallest order and fees. Candles that the exchange does not have
        are missing.

    Raises
    ------
    ConfigError
        An exchange, symbol or timeframe that does not exist; the message names near ones.
    MissingDataError
        The exchange has no closed candle in this range.
    BarError
        The exchange sent a candle that cannot be.
    ExchangeError
        The exchange could not be reached (`ExchangeUnavailableError`, `ExchangeTimeoutError`), asked for fewer calls
        (`RateLimitError`), or refused.
    """
    frame = Timeframe.of(timeframe)
    if client is not None:
        return _download(exchange_name, client, symbol, frame, start_ns, end_ns)
    own = open_candle_client(exchange_name)
    try:
        return _download(exchange_name, own, symbol, frame, start_ns, end_ns)
    finally:
        own.close()


class CandlePage(NamedTuple):
    """The answer to one question, or to none: what a stretch of time has of candles.

    Attributes
    ----------
    start_ns, end_ns : int
        Open labels from the start up to but not including the end are answered; ``start_ns`` is the time asked for.
    time_ns : ndarray of int64, shape (n,)
        Open labels of the closed candles, ascending; it may be empty.
    values : ndarray of float64, shape (5, n)
        Open, high, low, close, volume.
    """

    start_ns: int
    end_ns: int
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CandleArchive:
    """The past candles of one symbol on one exchange; made by `open_archive`.

    Attributes
    ----------
    exchange_name : str
        Name of the exchange.
    client : CandleClient
        Whom to ask.
    instrument : Instrument
        Trading rules of the symbol.
    timeframe : Timeframe
        Length of a candle.
    now_ns : int
        The exchange's time when the archive was opened.
    page_limit : int or None
        Most candles of an answer, where the exchange tells.
    """

    exchange_name: str
    client: CandleClient
    instrument: Instrument
    timeframe: Timeframe
    now_ns: int
    page_limit: int | None = None

    def pages(self, start_ns: int, stop_ns: int) -> Iterator[CandlePage]:
        """Yield the closed candles between two times, a page for each question that the exchange is asked.

        Parameters
        ----------
        start_ns, stop_ns : int
            Candles that open at or after the start and close at or before the stop.

        Yields
        ------
        CandlePage
            Ascending; each begins where the one before ends.

        Raises
        ------
        ExchangeError
            As for `fetch_ohlcv_history`; the pages before are good, and asking may go on where they end.
        """
        length_ms = self.timeframe.ns // _NS_PER_MS
        since, stop_ms = -(-start_ns // _NS_PER_MS), stop_ns // _NS_PER_MS
        limit = min(self.page_limit or _CANDLES_PER_PAGE, _CANDLES_PER_PAGE)
        empty_ms = length_ms * (limit if self.page_limit else _SURE_CANDLES)
        fetch = partial(self.client.fetch_ohlcv, self.instrument.symbol, self.timeframe.name)
        while since + length_ms <= stop_ms:
            page = _asked(self.exchange_name, partial(fetch, since, limit))
            # Some exchanges round `since` down, and every one sends the candle that is still open.
            fresh = [row for row in page if row[0] >= since and row[0] + length_ms <= stop_ms]
            if fresh:
                end = fresh[-1][0] + length_ms
            elif page and page[-1][0] >= since:
                end = stop_ms
            else:
                # An empty page is a hole, or the time before the listing: go on behind it.
                end = min(since + empty_ms, stop_ms)
            yield _page(since, end, fresh)
            since = end


def open_archive(exchange_name: str, symbol: str, timeframe: str | Timeframe, *, client: CandleClient) -> CandleArchive:
    """Return the past candles of a symbol, after asking the exchange whether it has them.

    Parameters
    ----------
    exchange_name : str
        Name of the exchange, for messages.
    symbol : str
        Unified symbol.
    timeframe : str or Timeframe
        Length of a candle.
    client : CandleClient
        Whom to ask.

    Raises
    ------
    ConfigError
        A symbol or timeframe that the exchange does not have; the message names near ones.
    ExchangeError
        The exchange could not be asked.
    """
    frame = Timeframe.of(timeframe)
    markets = _asked(exchange_name, client.load_markets)
    if symbol not in markets:
        raise ConfigError(f"{exchange_name} does not trade {symbol!r}{near(symbol, tuple(markets))}")
    if frame.name not in client.timeframes:
        raise ConfigError(f"{exchange_name} has no candles of {frame.name}; it has {', '.join(client.timeframes)}")
    has_steps = client.precisionMode == _TICK_SIZE
    instrument = instrument_of_market(exchange_name, symbol, markets[symbol], has_steps=has_steps)
    now_ns = client.milliseconds() * _NS_PER_MS
    return CandleArchive(exchange_name, client, instrument, frame, now_ns, _page_limit(client, markets[symbol]))


def _download(
    exchange_name: str, client: CandleClient, symbol: str, frame: Timeframe, start_ns: int, end_ns: int | None
) -> Bars:
    archive = open_archive(exchange_name, symbol, frame, client=client)
    stop_ns = archive.now_ns if end_ns is None else min(end_ns, archive.now_ns)
    pages = [page for page in archive.pages(start_ns, stop_ns) if len(page.time_ns)]
    if not pages:
        raise MissingDataError(f"{exchange_name} has no closed {frame.name} candle of {symbol} in this range")
    times = np.concatenate([page.time_ns for page in pages])
    values = np.concatenate([page.values for page in pages], axis=1)[:, np.newaxis]
    return Bars((symbol,), frame, (archive.instrument,), times, values)


def _page_limit(client: CandleClient, market: Mapping[str, Any]) -> int | None:
    """Return how many candles an answer has at most, or None when the exchange's description does not tell."""
    features = (getattr(client, "features", None) or {}).get("spot" if market.get("spot") else "swap") or {}
    about = (features if market.get("spot") else features.get("linear") or {}).get("fetchOHLCV") or {}
    limit = about.get("limit")
    return int(limit) if limit else None


def _page(since: int, end: int, rows: list[list[Any]]) -> CandlePage:
    """Return rows of ccxt, times in milliseconds, as a page."""
    times = np.array([row[0] for row in rows], dtype=np.int64) * _NS_PER_MS
    values = np.array([row[1:_COLUMNS] for row in rows], dtype=np.float64).reshape(-1, _COLUMNS - 1).T
    return CandlePage(since * _NS_PER_MS, end * _NS_PER_MS, times, values)


def _asked(exchange_name: str, call: Callable[[], Answer]) -> Answer:
    """Return the answer to a call; ccxt's errors become the package's, and so does an answer that is none."""
    record = CallRecord()
    token = CURRENT_CALL.set(record)
    problem: ExchangeError
    try:
        answer = call()
        # ccxt makes an empty page of it, which would be taken for a hole.
        if not record.is_garbage:
            return answer
        text = f"{exchange_name} did not tell its candles: its answer cannot be read, {redacted(record.shown)}"
        problem = ExchangeUnavailableError(text, exchange=exchange_name, retryable=True)
    except Exception as error:
        # What is neither ccxt's error nor made of the exchange's answer is a mistake in here.
        if "BaseError" not in ccxt_kinds(error) and not record.is_answered:
            raise
        problem = read_problem(exchange_name, "its candles", error, record)
    finally:
        CURRENT_CALL.reset(token)
    # Raised out here, away from ccxt's error and its frames.
    raise problem
