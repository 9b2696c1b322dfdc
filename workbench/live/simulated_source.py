"""A simulated exchange as the source of a session, by the same line, feed and orders as a real one, but played by it.

Prints come one at a time: the next one is played when the session has run the last one, sent what follows from it and
booked what the exchange said of that. So a session at any speed, also ``inf``, does the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from workbench.errors import ConfigError
from workbench.live.exchange_feed import ExchangeFeed
from workbench.live.exchange_line import ExchangeLine
from workbench.live.exchange_source import closed_history
from workbench.live.order_line import OrderLine
from workbench.live.sources import Market

if TYPE_CHECKING:
    import threading

    import numpy as np
    from numpy.typing import NDArray

    from workbench.exchange import ExchangeClient
    from workbench.exchange.simulated import SimulatedClient
    from workbench.live.notices import Notice
    from workbench.model import Bar, Instrument, Timeframe

__all__ = ["PlayedFeed", "SimulatedSource"]

_USUAL_HISTORY: Final = 500


class PlayedFeed:
    """A feed that plays a simulated exchange whenever it is asked for more.

    Parameters
    ----------
    line : ExchangeLine
        To the exchange.
    inner : ExchangeFeed
        Takes what the exchange streams.
    start_ns : int
        Where the market begins to be played, ns UTC.
    next_due_ns : int or None
        When its first print is due, ns UTC.
    """

    def __init__(self, line: ExchangeLine, inner: ExchangeFeed, *, start_ns: int, next_due_ns: int | None) -> None:
        self.start_ns = start_ns
        self.is_bar_only = inner.is_bar_only
        self._line = line
        self._inner = inner
        self._orders: OrderLine | None = None
        self._due_ns = next_due_ns
        self._has_news = False

    @property
    def is_ended(self) -> bool:
        """Whether the market has ended, and everything was told."""
        return self._inner.is_ended or (self._due_ns is None and not self._has_news and not self._inner.has_news)

    @property
    def failure(self) -> str | None:
        """Why a stream broke for good; None while none has."""
        return self._inner.failure

    def attach(self, orders: OrderLine) -> None:
        """Wait with each print until what is known of these orders was taken."""
        self._orders = orders

    def next_due_ns(self) -> int | None:
        """Return when the next print is due, ns UTC; a time long past while there is something to take."""
        return self.start_ns if self._has_news else self._due_ns

    def listen(self, wake: threading.Event) -> None:
        """Set `wake` whenever something comes."""
        self._inner.listen(wake)

    def poll(self, now_ns: int) -> NDArray[np.void]:
        """Return the next rows of `EVENT`, for which the exchange is played on print by print up to a time."""

        async def turn(client: ExchangeClient) -> int | None:
            exchange = cast("SimulatedClient", client)
            # What the session has sent is on the line before this, so that the answers are there behind it.
            await exchange.settled()
            due_ns = exchange.next_due_ns()
            while due_ns is not None and due_ns <= now_ns and not self._look():
                exchange.step()
                await exchange.settled()
                due_ns = exchange.next_due_ns()
            return due_ns

        if not self._inner.has_news:
            self._due_ns = self._line.ask(turn)
        rows = self._inner.poll(now_ns)
        # Prints come first: what they made fill was told after them.
        self._has_news = self._look()
        return rows

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know, oldest first, and forget it."""
        return self._inner.notices()

    def closed_bars(self, symbol: str, start_ns: int, end_ns: int) -> tuple[Bar, ...]:
        """Return the candles of a `symbol` that open in ``[start_ns, end_ns)``."""
        return self._inner.closed_bars(symbol, start_ns, end_ns)

    def close(self) -> None:
        """Close the line."""
        self._inner.close()

    def _look(self) -> bool:
        """Return whether the session has something to take first."""
        return self._inner.has_news or (self._orders is not None and self._orders.has_news)


@dataclass(frozen=True, slots=True)
class SimulatedSource:
    """A simulated exchange, for one session: its account is traded, and its market can be played once.

    Parameters
    ----------
    client : SimulatedClient
        The exchange; without a clock of its own, so that the session's is the one that counts.
    feed : {"trades", "candles"}, default "trades"
        What the session's bars are made of: single trades, or the exchange's own closed candles.

    Raises
    ------
    ConfigError
        The feed is of another kind, or the client has a clock.
    """

    client: SimulatedClient
    feed: str = "trades"

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.feed not in ("trades", "candles"):
            raise ConfigError(f"feed must be 'trades' or 'candles', was {self.feed!r}")
        if not self.client.is_stepped:
            raise ConfigError("a session plays a simulated client by itself: leave its timing out")

    @property
    def name(self) -> str:
        """Always ``simulated``."""
        return self.client.name

    @property
    def has_account(self) -> bool:
        """True: that of the client."""
        return True

    @property
    def has_own_clock(self) -> bool:
        """False: a session plays it at the speed it likes."""
        return False

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        """Return the rules of the `symbols`; raises ConfigError for an unknown one."""
        return tuple(self.client.instrument(symbol) for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:
        """Return 500 bars, or as many as are `needed`; none where the market has no history."""
        return max(needed, _USUAL_HISTORY) if self.client.history_ns else 0

    def open(
        self, symbols: tuple[str, ...], timeframe: Timeframe, warmup: int, *, since_ns: int | None = None
    ) -> Market:
        """Return the last `warmup` closed candles before the start, and the feed that plays on from there.

        Raises
        ------
        ConfigError
            The client was played already, or a session wants to go on with it: its account ends with its process.
        DataError
            There are no candles before the start.
        """
        client = self.client
        if since_ns is not None:
            raise ConfigError("a simulated exchange ends with its process, so no session can go on with it")
        if not client.is_fresh:
            raise ConfigError(f"{client!r} was used already: a session needs one of its own, make another")
        rules = self.instruments(symbols)
        since_ns = timeframe.floor(client.start_ns)
        line = ExchangeLine(lambda: client, timing=client.timing)
        try:
            history = closed_history(line, rules, timeframe, since_ns, warmup) if warmup else None
            inner = ExchangeFeed(line, symbols, timeframe, since_ns=since_ns, is_bar_only=self.feed == "candles")
        except BaseException:
            line.close()
            raise
        feed = PlayedFeed(line, inner, start_ns=client.start_ns, next_due_ns=client.next_due_ns())

        def open_orders(session_id: str) -> OrderLine:
            orders = OrderLine(line, rules, session_id)
            feed.attach(orders)
            return orders

        return Market(history, feed, since_ns, open_orders=open_orders)
