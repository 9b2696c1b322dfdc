"""Exchange clients that several downloads share without asking more often than one alone would."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from workbench.exchange.history import CandleClient

__all__ = ["ClientPool"]

_MS_PER_SECOND: Final = 1_000.0


class ClientPool:
    """Clients of one exchange, one for each download that runs at a time; a context manager that closes its own.

    A client that is given is shared by one download after another. Own clients ask at the same time, and the pauses
    that the exchange's rate limit demands are kept between the questions of all of them.

    Parameters
    ----------
    exchange : str
        Name of the exchange.
    client : CandleClient or None
        A client to use instead of own ones; it stays open.
    """

    def __init__(self, exchange: str, client: CandleClient | None) -> None:
        self._exchange = exchange
        self._is_own = client is None
        self._first: Any = _open(exchange) if client is None else client
        self._idle: list[Any] = [self._first]
        self._made: list[Any] = [self._first]
        self._free = threading.Condition()
        self._pace = _Pace(float(getattr(self._first, "rateLimit", 0.0) or 0.0) / _MS_PER_SECOND)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_own:
            for client in self._made:
                client.close()

    @property
    def first(self) -> CandleClient:
        """The client that every pool has."""
        return self._first  # type: ignore[no-any-return]  # ccxt has no types; what is given keeps the protocol

    @contextmanager
    def lease(self) -> Iterator[CandleClient]:
        """Have a client for oneself for as long as the block lasts."""
        with self._free:
            if not self._idle and self._is_own:
                self._idle.append(self._another())
            while not self._idle:
                self._free.wait()
            client = self._idle.pop()
        try:
            yield _PacedClient(client, self._pace) if self._is_own else client
        finally:
            with self._free:
                self._idle.append(client)
                self._free.notify()

    def _another(self) -> Any:  # noqa: ANN401 - ccxt has no types
        client = _open(self._exchange)
        # The list of all markets is the largest answer of an exchange; one client has asked for it already.
        if getattr(self._first, "markets", None):
            client.set_markets(self._first.markets, self._first.currencies)
        self._made.append(client)
        return client


class _Pace:
    """Turns that are at least so many seconds apart, whoever takes them."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._next_s = 0.0
        self._guard = threading.Lock()

    def take(self) -> None:
        """Wait for the next turn."""
        with self._guard:
            now_s = time.monotonic()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._interval_s
        if turn_s > now_s:
            threading.Event().wait(turn_s - now_s)


class _PacedClient:
    """A client that waits for its turn before it asks for candles."""

    def __init__(self, client: Any, pace: _Pace) -> None:  # noqa: ANN401 - ccxt has no types
        self._client = client
        self._pace = pace

    @property
    def precisionMode(self) -> int:  # noqa: N802 - ccxt's spelling
        return int(self._client.precisionMode)

    @property
    def timeframes(self) -> Mapping[str, Any]:
        return self._client.timeframes  # type: ignore[no-any-return]  # ccxt has no types

    def load_markets(self) -> Mapping[str, Mapping[str, Any]]:
        return self._client.load_markets()  # type: ignore[no-any-return]  # as above

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        self._pace.take()
        return self._client.fetch_ohlcv(symbol, timeframe, since, limit)  # type: ignore[no-any-return]  # as above

    def milliseconds(self) -> int:
        return int(self._client.milliseconds())


def _open(exchange: str) -> Any:  # noqa: ANN401  a ccxt exchange has no types
    from workbench.exchange.history import open_candle_client  # noqa: PLC0415  asyncio and the client, which a backtest never needs

    return open_candle_client(exchange)
