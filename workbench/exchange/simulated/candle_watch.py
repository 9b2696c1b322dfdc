"""The candles of one symbol and timeframe, told as its prints come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.exchange.simulated.subscriptions import Subscription
from workbench.exchange.streams import CandleBatch

if TYPE_CHECKING:
    from workbench.exchange.market_data import Candle
    from workbench.exchange.simulated.market import SimulatedMarket
    from workbench.exchange.streams import CandleEvent
    from workbench.model.timeframe import Timeframe

__all__ = ["CandleWatch"]


class CandleWatch:
    """A stream of candles: the open one after each print, and once more when it has closed.

    Parameters
    ----------
    market : SimulatedMarket
        Which has the candles.
    symbol : str
        Of which market.
    timeframe : Timeframe
        Length of a candle.
    """

    def __init__(self, market: SimulatedMarket, symbol: str, timeframe: Timeframe) -> None:
        self.symbol = symbol
        self.subscription: Subscription[CandleEvent] = Subscription()
        self._market = market
        self._timeframe = timeframe
        self._told: Candle | None = None

    def tell(self, now_ns: int) -> None:
        """Tell what has changed by now."""
        last, frame = self._told, self._timeframe
        since_ns = frame.floor(now_ns) if last is None else last.time_ns
        count = 1 + (frame.floor(now_ns) - since_ns) // frame.ns
        candles = self._market.candles(self.symbol, frame, since_ns, now_ns, count)
        changed = tuple(one for one in candles if one != last)
        if changed:
            # A closed candle stays as it is: nothing before the open one is told again.
            self._told = candles[-1]
            self.subscription.put(CandleBatch(self.symbol, frame.name, changed, is_backfill=False, received_ns=now_ns))
