"""A market, an account and whoever listens to them, played on print by print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.exchange.simulated.account import SimulatedAccount
from workbench.exchange.simulated.candle_watch import CandleWatch
from workbench.exchange.simulated.subscriptions import Subscription
from workbench.exchange.streams import TradeBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.exchange.simulated.account import OwnRecord
    from workbench.exchange.simulated.market import SimulatedMarket
    from workbench.exchange.streams import CandleEvent, OwnEvent, TradeEvent
    from workbench.model import Costs
    from workbench.model.timeframe import Timeframe

__all__ = ["SimulatedExchange"]


class SimulatedExchange:
    """Lets the account see each print before anybody hears of it, as at an exchange.

    Parameters
    ----------
    market : SimulatedMarket
        What is printed.
    cash, costs
        As for `SimulatedAccount`.
    """

    def __init__(self, market: SimulatedMarket, cash: float, costs: Costs) -> None:
        self.market = market
        self.account = SimulatedAccount(market.instruments, cash, costs, self._tell_own)
        self.played_ns = market.start_ns
        self._trades: list[tuple[str, Subscription[TradeEvent]]] = []
        self._candles: list[CandleWatch] = []
        self._own: list[tuple[frozenset[str], Subscription[OwnEvent]]] = []

    def play_one(self) -> bool:
        """Play the next print; return whether there was one."""
        trade = self.market.take()
        if trade is None:
            return False
        self.played_ns = trade.time_ns
        self.account.see(trade.symbol, trade.price, trade.time_ns)
        self._trades = [one for one in self._trades if not one[1].is_closed]
        for symbol, subscription in self._trades:
            if symbol == trade.symbol:
                subscription.put(TradeBatch(symbol, (trade,), is_backfill=False, received_ns=trade.time_ns))
        self._tell_candles((trade.symbol,))
        return True

    def play_to(self, time_ns: int) -> None:
        """Play every print up to a time, and let the time pass up to it."""
        while (due_ns := self.market.next_due_ns()) is not None and due_ns <= time_ns:
            self.play_one()
        if time_ns > self.played_ns:
            self.played_ns = time_ns
            self._tell_candles(self.market.symbols)

    def watch_trades(self, symbol: str) -> Subscription[TradeEvent]:
        """Return the trades of a symbol from now on."""
        self.market.tape(symbol)
        subscription: Subscription[TradeEvent] = Subscription()
        self._trades.append((symbol, subscription))
        return subscription

    def watch_candles(self, symbol: str, timeframe: Timeframe) -> Subscription[CandleEvent]:
        """Return the candles of a symbol from now on."""
        self.market.tape(symbol)
        watch = CandleWatch(self.market, symbol, timeframe)
        self._candles.append(watch)
        return watch.subscription

    def watch_own(self, symbols: Iterable[str]) -> Subscription[OwnEvent]:
        """Return what happens to the account's orders in some symbols from now on."""
        names = frozenset(symbols)
        for symbol in names:
            self.market.tape(symbol)
        subscription: Subscription[OwnEvent] = Subscription()
        self._own.append((names, subscription))
        return subscription

    async def settled(self) -> None:
        """Return when everybody who listens has dealt with what was told so far."""
        for subscription in self._subscriptions():
            await subscription.settled()

    def close(self) -> None:
        """End all streams."""
        for subscription in self._subscriptions():
            subscription.close()

    def _subscriptions(self) -> Sequence[Subscription[TradeEvent] | Subscription[CandleEvent] | Subscription[OwnEvent]]:
        return (
            *(one for _, one in self._trades),
            *(watch.subscription for watch in self._candles),
            *(one for _, one in self._own),
        )

    def _tell_candles(self, symbols: Sequence[str]) -> None:
        self._candles = [one for one in self._candles if not one.subscription.is_closed]
        for watch in self._candles:
            if watch.symbol in symbols:
                watch.tell(self.played_ns)

    def _tell_own(self, record: OwnRecord) -> None:
        self._own = [one for one in self._own if not one[1].is_closed]
        for symbols, subscription in self._own:
            if record.symbol in symbols:
                subscription.put(record)
