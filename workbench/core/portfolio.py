"""A simulated account by itself: the engine's own accounting, review and protections, for any thread."""

from __future__ import annotations

import itertools
import math
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from workbench.core.book import EngineConfig, open_book
from workbench.core.event_loop import mark_prices
from workbench.core.execution import process_order
from workbench.core.ledger import take_log
from workbench.core.log import ROOM_PER_SYMBOL
from workbench.core.memory import memory_of
from workbench.core.records import DENIAL_ROW, FILL_ROW, LIMIT, MARKET, STOP, TRADE_ROW
from workbench.core.views import account_state, denied_of, fill_of, trade_of
from workbench.errors import DataError, OrderError
from workbench.model import Denied, Fill
from workbench.model.field_checks import Interval
from workbench.model.times import time_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from workbench.model import AccountState, ClosedTrade, OrderRequest

Item = TypeVar("Item")

_PRICE = Interval(0.0, math.inf)
_KINDS = {"market": MARKET, "limit": LIMIT, "stop": STOP}
# Closed trades and fills kept for `get_trades_snapshot` and `get_fills_snapshot`; older ones are only counted.
KEPT_TRADES = 10_000


class PortfolioSimulator:
    """A thread-safe account that executes orders, marks its positions and protects them.

    One thread writes at a time, under a lock that covers one event; everything that is read is a frozen copy.

    Parameters
    ----------
    config : EngineConfig
        Instruments, cash, risk and costs.

    Examples
    --------
    >>> from workbench.core import EngineConfig
    >>> from workbench.model import Costs, Instrument, OrderRequest, Timeframe
    >>> portfolio = PortfolioSimulator(EngineConfig(
    ...     instruments=(Instrument("BTC/USDT"),), timeframe=Timeframe("1m"), cash=1_000.0,
    ...     costs=Costs(taker_fee=0.001, maker_fee=0.001, slippage=0.0)))
    >>> now = 1_735_689_600_000_000_000
    >>> fill = portfolio.process_order(OrderRequest("BTC/USDT", "buy", 2.0, "market", None, now), 100.0, now)
    >>> fill.price, fill.fee
    (100.0, 0.2)
    >>> portfolio.mark_to_market({"BTC/USDT": 110.0}, now + 1).equity
    1019.8
    """

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._symbols = config.symbols
        self._lock = threading.Lock()
        self._book = open_book(config, 4 * ROOM_PER_SYMBOL * len(config.symbols))
        self._memory = memory_of(self._book)
        self._sequence = 0
        self._trades: deque[ClosedTrade] = deque(maxlen=KEPT_TRADES)
        self._fills: deque[Fill] = deque(maxlen=KEPT_TRADES)

    def process_order(self, order: OrderRequest, price: float, time_ns: int) -> Fill | Denied:
        """Execute an order at once at an event price and return its fill, or why the risk review refused it.

        Parameters
        ----------
        order : OrderRequest
            What is wanted. A market or stop order slips and pays the taker fee, a limit order gets `price` and pays the
            maker fee. An order beyond the opposite position closes it and opens the rest.
        price : float
            Price of the market now, quote currency, > 0.
        time_ns : int
            Now, ns UTC; not before the last event.

        Returns
        -------
        Fill or Denied
            The whole quantity that was executed, or the denial when nothing was. When the part that closes was filled
            and the part that opens refused, the fill comes back and the denial counts in the account.

        Raises
        ------
        OrderError
            Unknown symbol, a limit price that the market has not reached, or a reduce-only order with nothing to
            reduce.
        DataError
            Price not finite and positive, or a time that is no nanoseconds UTC or before the last event.
        """
        s = self._index(order.symbol)
        self._check_price(order.symbol, price)
        side = 1 if order.side == "buy" else -1
        if order.kind == "limit" and order.price is not None and side * price > side * order.price:
            raise OrderError(
                f"limit {order.side} of {order.symbol} at {order.price} is not reached at {price}; keep it resting"
            )
        with self._lock:
            self._check_time(time_ns)
            held = float(self._book.symbols[s]["quantity"])
            if order.reduce_only and side * held >= 0.0:
                raise OrderError(
                    f"reduce_only {order.side} of {order.symbol} has nothing to reduce: position was {held}"
                )
            kind = _KINDS[order.kind]
            process_order(self._memory, s, side, order.quantity, kind, price, time_ns, int(order.reduce_only))
            return self._outcome(self._finish())

    def mark_to_market(self, prices: Mapping[str, float], time_ns: int) -> AccountState:
        """Mark positions at new prices, let stops, targets, time limits and breakers act, and return the account.

        Parameters
        ----------
        prices : mapping of str to float
            Latest price of some or all symbols, quote currency, > 0.
        time_ns : int
            Now, ns UTC; not before the last event.

        Raises
        ------
        OrderError
            A symbol is unknown.
        DataError
            A price is not finite and positive, or the time is no nanoseconds UTC or before the last event.
        """
        indices = [self._index(symbol) for symbol in prices]
        for symbol, price in prices.items():
            self._check_price(symbol, price)
        row = np.full(len(self._symbols), math.nan)
        row[indices] = list(prices.values())
        with self._lock:
            self._check_time(time_ns)
            mark_prices(self._memory, row, time_ns)
            self._finish()
            return self._picture()

    def get_trades_snapshot(self, limit: int | None = None) -> tuple[ClosedTrade, ...]:
        """Return the last `limit` closed trades (all that are kept by default), oldest first."""
        with self._lock:
            return _last(self._trades, limit)

    def get_fills_snapshot(self, limit: int | None = None) -> tuple[Fill, ...]:
        """Return the last `limit` fills (all that are kept by default), oldest first."""
        with self._lock:
            return _last(self._fills, limit)

    def get_account_snapshot(self) -> AccountState:
        """Return a frozen, numbered picture of the account."""
        with self._lock:
            return self._picture()

    def get_position_units(self) -> dict[str, float]:
        """Return the signed quantity held of each symbol, 0.0 where flat."""
        with self._lock:
            quantities = self._book.symbols["quantity"].tolist()
        return dict(zip(self._symbols, quantities, strict=True))

    def _index(self, symbol: str) -> int:
        if symbol not in self._symbols:
            raise OrderError(f"symbol must be one of {', '.join(self._symbols)}, was {symbol!r}")
        return self._symbols.index(symbol)

    @staticmethod
    def _check_price(symbol: str, price: float) -> None:
        if price not in _PRICE:
            raise DataError(f"price of {symbol} must be a float > 0 and finite, was {price!r}")

    def _check_time(self, time_ns: int) -> None:
        if problem := time_problem(time_ns):
            raise DataError(problem)
        last = int(self._book.account["time_ns"])
        if time_ns < last:
            raise DataError(f"time must not go back: was {time_ns}, last event {last}")

    def _finish(self) -> NDArray[np.void]:
        log = take_log(self._book)
        self._sequence += 1
        self._trades.extend(trade_of(self._symbols, row) for row in log if row["kind"] == TRADE_ROW)
        self._fills.extend(fill_of(self._symbols, row) for row in log if row["kind"] == FILL_ROW)
        return log

    def _outcome(self, log: NDArray[np.void]) -> Fill | Denied:
        fills = [fill_of(self._symbols, row) for row in log if row["kind"] == FILL_ROW]
        if not fills:
            return next(denied_of(self._symbols, row) for row in log if row["kind"] == DENIAL_ROW)
        last = fills[-1]
        if len(fills) == 1:
            return last
        return Fill(
            sequence=last.sequence,
            symbol=last.symbol,
            side=last.side,
            quantity=sum(fill.quantity for fill in fills),
            price=last.price,
            fee=sum(fill.fee for fill in fills),
            time_ns=last.time_ns,
            reason=last.reason,
            is_maker=last.is_maker,
        )

    def _picture(self) -> AccountState:
        return account_state(self._sequence, self._symbols, self._book.account, self._book.symbols)


def _last(items: deque[Item], limit: int | None) -> tuple[Item, ...]:
    return tuple(items if limit is None else itertools.islice(items, max(0, len(items) - limit), None))
