"""The simulated account behind the interface of a real exchange: what a session trades on when nothing is at stake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.rules import order_numbers
from workbench.exchange.market_data import ClockReading, MarketRules
from workbench.exchange.outcomes import Refused
from workbench.exchange.practice.sources import sources_of, start_of
from workbench.exchange.simulated.exchange import SimulatedExchange
from workbench.exchange.simulated.market import SimulatedMarket, number_of
from workbench.exchange.simulated.timing import MarketTiming
from workbench.model import Bars, Costs, parse_time_ns, utc_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.market_data import Balance, Candle, ExchangePosition, MarketTrade
    from workbench.exchange.order_states import OrderState, OwnTrade
    from workbench.exchange.outcomes import OrderOutcome
    from workbench.exchange.practice.sources import AnyMarket
    from workbench.exchange.protocol import ExchangeClient
    from workbench.exchange.simulated.subscriptions import Subscription
    from workbench.exchange.streams import CandleEvent, OwnEvent, TradeEvent
    from workbench.exchange.tickets import OrderTicket
    from workbench.model import Instrument
    from workbench.model.timeframe import Timeframe

__all__ = ["SimulatedClient"]

Event = TypeVar("Event")

_NS_PER_S: Final = 1_000_000_000
# Trades of our own in the latest page.
_PAGE: Final = 1_000


class SimulatedClient:
    """An `ExchangeClient` whose account is the core's `PortfolioSimulator`, on a market that is played print by print.

    Nothing of it depends on the computer's clock or a network: the same prints and the same orders make the same fills,
    byte for byte. The core fills: a market order at the last price moved by slippage, a limit at the price that reaches
    it, a stop at that price moved by slippage; limits pay the maker fee and the others the taker fee, in the quote
    currency. An order fills whole or not at all, and never moves the price. A stop that the market has passed is filled
    at once. Exits marked as such are taken below the smallest order too, as in the core.

    A session on this client with ``execution="exchange"`` has the fills and the equity of one with
    ``execution="simulated"`` on the same prints, but for what lies between deciding and filling at any exchange:

    - One request at a time: the entry of a reversal, and an entry in place of one that waits, is placed a print later,
      when the exchange has told what became of the exit or of the cancel.
    - The print that closes a bar is the exchange's before it is the session's: a waiting order that the decision on
      that bar cancels may fill at that very print.
    - The account is marked on a print before its fills are known: peak equity is without what a fill at the peak costs,
      so that a drawdown is larger by as much, and its breaker may trip earlier. The excursions of a closed trade have
      the print at which it left in them, and not only its fill.
    - A perpetual is liquidated by the exchange, and the session's own exit comes too late.
    - The level of an order lies on the market's tick: one of a price off the tick is rounded, and may not be reached.

    Parameters
    ----------
    markets : str, Bars, MarketSource or iterable of them
        Symbols of the practice market, bars (each played as four prints) or recorded ticks
        (`workbench.exchange.practice.TickSource`), of one kind and one quote currency.
    cash : float, default 10000
        What the account has at the start, in the quote currency, above 0.
    costs : Costs, optional
        Fees where an instrument has none of its own, and slippage. Give a session the same ones.
    start : int, str or datetime, optional
        Where the market begins to be played: ns UTC, ISO text or an aware datetime; everything before is history.
        Default: the live start of the practice market, the first print of any other.
    timing : Timing, optional
        A clock: what is due by it is played by itself. Without one the market stands still until `step` or `play`.

    Raises
    ------
    ConfigError
        There are no markets, one twice, or of several kinds or quote currencies; or a field is out of its range.
    DataError
        The start is no time.

    Examples
    --------
    >>> SimulatedClient("BTC/USDT", start="2025-06-01T00:00Z")
    SimulatedClient(BTC/USDT from 2025-06-01T00:00Z, cash=10000)
    """

    def __init__(
        self,
        markets: AnyMarket | Iterable[AnyMarket],
        *,
        cash: float = 10_000.0,
        costs: Costs | None = None,
        start: int | str | dt.datetime | None = None,
        timing: Timing | None = None,
    ) -> None:
        sources = [source for market in _listed(markets) for source in sources_of(market)]
        symbols = [source.instrument.symbol for source in sources]
        if not symbols or len(set(symbols)) < len(symbols):
            raise ConfigError(f"markets must be at least one, each once, were {', '.join(symbols) or 'none'}")
        start_ns = start_of(sources) if start is None else parse_time_ns(start, "start")
        self.timing: Timing = MarketTiming(start_ns) if timing is None else timing
        self._cash = cash
        self._first_ns = max(source.span_ns[0] for source in sources)
        self._exchange = SimulatedExchange(
            SimulatedMarket(sources, start_ns), cash, Costs() if costs is None else costs
        )
        self._reading: ClockReading | None = None
        self._pump: asyncio.Task[None] | None = None
        self._is_closed = False

        if TYPE_CHECKING:
            _: ExchangeClient = self  # keeps the protocol, as the type checker sees here

    def __repr__(self) -> str:
        """Return the markets, where they begin, and the cash."""
        listed = ", ".join(self.symbols)
        return f"SimulatedClient({listed} from {utc_text(self.start_ns)}, cash={self._cash:g})"

    @property
    def name(self) -> str:
        """Always ``simulated``."""
        return "simulated"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets' symbols."""
        return self._exchange.market.symbols

    @property
    def is_stepped(self) -> bool:
        """Whether the market stands still until `step` or `play`, for want of a clock."""
        return isinstance(self.timing, MarketTiming)

    @property
    def history_ns(self) -> int:
        """How much of the past all markets have before the start, in ns."""
        return max(0, self.start_ns - self._first_ns)

    @property
    def start_ns(self) -> int:
        """Where the market begins to be played, ns UTC."""
        return self._exchange.market.start_ns

    @property
    def is_fresh(self) -> bool:
        """Whether nothing was played, and it is not closed."""
        return self._exchange.played_ns == self.start_ns and not self._is_closed

    @property
    def clock(self) -> ClockReading | None:
        """The reading in use, None before the first: exchange time is the client's own."""
        return self._reading

    def request_closes_ns(self, sent_ns: int) -> int:
        """Return `sent_ns` itself: what is sent is there at once, or never."""
        return sent_ns

    def instrument(self, symbol: str) -> Instrument:
        """Return the rules of a market; raises ConfigError for an unknown `symbol`."""
        return self._exchange.market.tape(symbol).source.instrument

    def next_due_ns(self) -> int | None:
        """Return when the next print is due, ns UTC; None when the market has ended."""
        return self._exchange.market.next_due_ns()

    def step(self) -> bool:
        """Play the next print, and return whether there was one.

        Raises
        ------
        ConfigError
            The client has a clock, by which it plays itself.
        """
        timing = self._own_timing("step")
        is_played = self._exchange.play_one()
        if is_played:
            timing.move_to(self._exchange.played_ns)
        else:
            timing.end()
        return is_played

    def play(self, duration_s: float) -> None:
        """Play the next `duration_s` seconds of the market.

        Raises
        ------
        ConfigError
            The client has a clock, by which it plays itself.
        """
        timing = self._own_timing("play")
        self._exchange.play_to(timing.now_ns() + round(duration_s * _NS_PER_S))
        timing.move_to(self._exchange.played_ns)

    async def settled(self) -> None:
        """Return when everyone who listens to a stream has dealt with what was played so far."""
        await self._exchange.settled()

    async def measure_clock(self) -> ClockReading:
        """Return a reading of no offset and no delay: exchange and client have one clock."""
        self._reading = ClockReading(offset_ns=0, delay_ns=0, measured_ns=self.timing.now_ns())
        return self._reading

    async def market_rules(self, symbol: str) -> MarketRules:
        """Return the rules of the market of a `symbol`: its instrument's, and no others."""
        return self._rules(symbol)

    async def refresh_markets(self) -> None:
        """Do nothing: the rules never change."""

    async def candles(self, symbol: str, timeframe: Timeframe, since_ns: int, limit: int = 500) -> tuple[Candle, ...]:
        """Return up to `limit` candles of a `symbol` and `timeframe` that open at `since_ns` or later."""
        self._catch_up()
        return self._exchange.market.candles(symbol, timeframe, since_ns, self._exchange.played_ns, limit)

    async def trades(
        self, symbol: str, *, since_ns: int | None = None, after_id: str | None = None, limit: int = 1_000
    ) -> tuple[MarketTrade, ...]:
        """Return up to `limit` trades of a `symbol` behind `after_id`, else from `since_ns` on, else the latest."""
        self._catch_up()
        return self._exchange.market.trades(symbol, since_ns=since_ns, after_id=after_id, limit=limit)

    async def place_order(self, ticket: OrderTicket) -> OrderOutcome:
        """Take the order of a `ticket`, once, and return what came of it; never `Unknown`."""
        numbers = order_numbers(ticket, self._rules(ticket.symbol))
        if isinstance(numbers, Refused):
            return numbers
        self._catch_up()
        return self._exchange.account.place(ticket, numbers, self._exchange.played_ns)

    async def cancel_order(self, symbol: str, client_order_id: str) -> OrderOutcome:
        """Cancel the order of a `symbol` that we call `client_order_id`."""
        self._rules(symbol)
        self._catch_up()
        return self._exchange.account.cancel(symbol, client_order_id, self._exchange.played_ns)

    async def order(self, symbol: str, client_order_id: str) -> OrderState | None:
        """Return the order of a `symbol` that we call `client_order_id`; None when there is none."""
        self._rules(symbol)
        self._catch_up()
        return self._exchange.account.order(symbol, client_order_id)

    async def open_orders(self, symbol: str | None = None) -> tuple[OrderState, ...]:
        """Return the account's open orders, of one `symbol`, or of all without one."""
        if symbol is not None:
            self._rules(symbol)
        self._catch_up()
        return self._exchange.account.open_orders(symbol)

    async def own_trades(
        self, symbol: str, *, after_id: str | None = None, since_ns: int | None = None
    ) -> tuple[OwnTrade, ...]:
        """Return the account's trades of a `symbol` behind `after_id`, else from `since_ns` on, else the latest."""
        self._rules(symbol)
        self._catch_up()
        trades = self._exchange.account.trades(symbol)
        if after_id is not None:
            number = number_of(after_id)
            return tuple(one for one in trades if int(one.trade_id) > number)
        if since_ns is not None:
            return tuple(one for one in trades if one.time_ns >= since_ns)
        return trades[-_PAGE:]

    async def balances(self) -> Mapping[str, Balance]:
        """Return what the account has, by currency; those with nothing are left out."""
        self._catch_up()
        return self._exchange.account.balances()

    async def positions(self, symbols: Sequence[str] | None = None) -> tuple[ExchangePosition, ...]:
        """Return the open positions, all or those of some `symbols`; none for an account of spot."""
        self._catch_up()
        return self._exchange.account.positions(symbols)

    def watch_trades(self, symbol: str, *, silent_after_s: float = 60.0) -> AsyncGenerator[TradeEvent, None]:  # noqa: ARG002  a market that is played is never interrupted
        """Stream the trades of a `symbol` from now on; there is no interruption, whatever `silent_after_s` says."""
        return self._stream(self._exchange.watch_trades(symbol))

    def watch_candles(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        silent_after_s: float | None = None,  # noqa: ARG002  as above
    ) -> AsyncGenerator[CandleEvent, None]:
        """Stream the candles of a `symbol` and `timeframe` after each print; `silent_after_s` means nothing here."""
        return self._stream(self._exchange.watch_candles(symbol, timeframe))

    def watch_own(self, symbols: Sequence[str], *, poll_s: float = 30.0) -> AsyncGenerator[OwnEvent, None]:  # noqa: ARG002  there is nothing to miss
        """Stream the account's order states and trades in some `symbols` from now on; `poll_s` means nothing here."""
        return self._stream(self._exchange.watch_own(symbols))

    async def close(self) -> None:
        """End the streams; the account can still be read. May be called twice."""
        self._is_closed = True
        self._exchange.close()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None

    def _rules(self, symbol: str) -> MarketRules:
        return MarketRules(instrument=self.instrument(symbol))

    def _own_timing(self, call: str) -> MarketTiming:
        if not isinstance(self.timing, MarketTiming):
            raise ConfigError(f"{call}() is for a client without a clock; this one plays by its own timing")
        return self.timing

    def _catch_up(self) -> None:
        """Play what is due by a clock; a market without one is played by hand, also within one moment."""
        if not isinstance(self.timing, MarketTiming):
            self._exchange.play_to(self.timing.now_ns())

    def _stream(self, subscription: Subscription[Event]) -> AsyncGenerator[Event, None]:
        if self._is_closed:
            subscription.close()
        elif self._pump is None and not isinstance(self.timing, MarketTiming):
            self._pump = asyncio.get_running_loop().create_task(self._play_by_clock())
        return subscription.events()

    async def _play_by_clock(self) -> None:
        """Play each print when the clock says that it is due."""
        while True:
            self._catch_up()
            due_ns = self.next_due_ns()
            if due_ns is None:
                return
            await self.timing.sleep((due_ns - self.timing.now_ns()) / self.timing.speed / _NS_PER_S)


def _listed(markets: AnyMarket | Iterable[AnyMarket]) -> tuple[AnyMarket, ...]:
    # A source of prints has an instrument; anything else that is no symbol and no bars is a list.
    if isinstance(markets, (str, Bars)) or hasattr(markets, "instrument"):
        return (markets,)  # type: ignore[return-value]  # as just asked
    return tuple(markets)
