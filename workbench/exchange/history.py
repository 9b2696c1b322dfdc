"""Past candles from any exchange that ccxt knows, over its public interface: no keys, no orders."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from workbench.errors import ConfigError, ExchangeUnavailableError, MissingDataError
from workbench.exchange.ccxt_client.build import build_sync_exchange, exchange_names, near
from workbench.exchange.ccxt_client.call_record import CURRENT_CALL, CallRecord
from workbench.exchange.ccxt_client.credentials import redacted
from workbench.exchange.ccxt_client.rules import instrument_of_market
from workbench.exchange.ccxt_client.taxonomy import ccxt_kinds, read_problem
from workbench.model.bars import Bars
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.errors import ExchangeError

__all__ = ["CandleClient", "exchange_names", "fetch_ohlcv_history"]

_NS_PER_MS: Final = 1_000_000
_CANDLES_PER_PAGE: Final = 1_000
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
    own = build_sync_exchange(exchange_name)
    try:
        return _download(exchange_name, own, symbol, frame, start_ns, end_ns)
    finally:
        own.close()


def _download(
    exchange_name: str, client: CandleClient, symbol: str, frame: Timeframe, start_ns: int, end_ns: int | None
) -> Bars:
    markets = _asked(exchange_name, client.load_markets)
    if symbol not in markets:
        raise ConfigError(f"{exchange_name} does not trade {symbol!r}{near(symbol, tuple(markets))}")
    if frame.name not in client.timeframes:
        raise ConfigError(f"{exchange_name} has no candles of {frame.name}; it has {', '.join(client.timeframes)}")
    has_steps = client.precisionMode == _TICK_SIZE
    instrument = instrument_of_market(exchange_name, symbol, markets[symbol], has_steps=has_steps)
    now_ns = client.milliseconds() * _NS_PER_MS
    stop_ns = now_ns if end_ns is None else min(end_ns, now_ns)
    rows = _pages(exchange_name, client, symbol, frame, -(-start_ns // _NS_PER_MS), stop_ns // _NS_PER_MS)
    if not rows:
        raise MissingDataError(f"{exchange_name} has no closed {frame.name} candle of {symbol} in this range")
    values = np.array([row[1:_COLUMNS] for row in rows], dtype=np.float64).T[:, np.newaxis]
    times = np.array([row[0] for row in rows], dtype=np.int64) * _NS_PER_MS
    return Bars((symbol,), frame, (instrument,), times, values)


def _pages(
    exchange_name: str, client: CandleClient, symbol: str, frame: Timeframe, start_ms: int, stop_ms: int
) -> list[list[Any]]:
    """Return the closed candles between two times, asking page by page."""
    length_ms = frame.ns // _NS_PER_MS
    rows: list[list[Any]] = []
    since = start_ms
    while since + length_ms <= stop_ms:
        page = _asked(exchange_name, partial(client.fetch_ohlcv, symbol, frame.name, since, _CANDLES_PER_PAGE))
        # Some exchanges round `since` down, and every one sends the candle that is still open.
        fresh = [row for row in page if row[0] >= since and row[0] + length_ms <= stop_ms]
        rows += fresh
        if fresh:
            since = fresh[-1][0] + length_ms
        elif page and page[-1][0] >= since:
            break
        else:
            # An empty page is a hole, or the time before the listing: go on behind it.
            since += length_ms * _CANDLES_PER_PAGE
    return rows


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
