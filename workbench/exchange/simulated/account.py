"""The account of a simulated exchange: the core's portfolio behind orders that wait, are refused, or fill.

The core prices, reviews, charges and books every fill. Here is only what an exchange has around it: names, orders that
wait for their price, and what they set aside.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from workbench.core import EngineConfig, PortfolioSimulator
from workbench.errors import ConfigError, OrderError
from workbench.exchange.market_data import Balance, ExchangePosition
from workbench.exchange.order_states import OrderState, OwnTrade
from workbench.exchange.outcomes import Accepted, Refused
from workbench.exchange.simulated.orders import SimulatedOrder
from workbench.model import Denied, OrderRequest, RiskConfig, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from workbench.exchange.ccxt_client.rules import OrderNumbers
    from workbench.exchange.outcomes import OrderOutcome
    from workbench.exchange.tickets import OrderTicket
    from workbench.model import Costs, Fill, Instrument

__all__ = ["OwnRecord", "SimulatedAccount"]

OwnRecord = OrderState | OwnTrade

# An exchange does not protect its customers: only an instrument's own leverage binds.
_FREE: Final = RiskConfig(max_leverage=1_000.0)
# What float rounding may add to an amount before it counts as more than there is.
_TOLERANCE: Final = 1.0 + 1e-9
# The core's words for why an order cannot be, in those of the protocol; any other is an invalid order.
_CODES: Final = {
    "min_notional": "min_notional",
    "insufficient_funds": "insufficient_funds",
    "max_leverage": "insufficient_funds",
    "short_on_spot": "insufficient_funds",
    "invalid_size": "lot",
    "invalid_level": "price",
}
_LIQUIDATION: Final = "liquidation"


class SimulatedAccount:
    """Orders and holdings in some markets of one kind and one quote currency.

    Parameters
    ----------
    instruments : sequence of Instrument
        What can be traded.
    cash : float
        At the start, in the quote currency.
    costs : Costs
        Fees where an instrument has none of its own, and slippage.
    tell : callable
        Called with each change of an order and each trade, in their order.

    Raises
    ------
    ConfigError
        Spot and perpetuals, or several quote currencies, in one account; or a field is out of its range.
    """

    def __init__(
        self, instruments: Sequence[Instrument], cash: float, costs: Costs, tell: Callable[[OwnRecord], None]
    ) -> None:
        kinds, quotes = {one.kind for one in instruments}, {one.quote for one in instruments}
        if len(kinds) > 1 or len(quotes) > 1:
            listed = ", ".join(f"{one.symbol} ({one.kind})" for one in instruments)
            raise ConfigError(f"markets must be of one kind and one quote currency, were {listed}")
        self._instruments = {one.symbol: one for one in instruments}
        self._is_spot = "spot" in kinds
        self._quote = quotes.pop()
        self._costs = costs
        self._tell = tell
        # The length of a bar means nothing to an account that sees single prices.
        config = EngineConfig(
            instruments=tuple(instruments), timeframe=Timeframe("1m"), cash=cash, risk=_FREE, costs=costs
        )
        self._portfolio = PortfolioSimulator(config)
        self._fill_count = 0
        self._prices: dict[str, float] = {}
        self._orders: dict[str, SimulatedOrder] = {}
        self._open: dict[str, dict[str, SimulatedOrder]] = {symbol: {} for symbol in self._instruments}
        self._trades: dict[str, list[OwnTrade]] = {symbol: [] for symbol in self._instruments}
        self._refused: dict[str, Refused] = {}
        self._order_ids, self._trade_ids = itertools.count(1), itertools.count(1)

    def see(self, symbol: str, price: float, time_ns: int) -> None:
        """Let the market print a price: positions that it ruins are liquidated, orders that it reaches fill."""
        self._prices[symbol] = price
        liquidated = self._portfolio.mark_to_market({symbol: price}, time_ns).fill_count - self._fill_count
        if liquidated:
            for fill in self._portfolio.get_fills_snapshot(liquidated):
                self._book(fill, f"{_LIQUIDATION}-{fill.sequence}", None)
        for order in tuple(self._open[symbol].values()):
            if order.is_reached(price):
                self._close(order)
                self._execute(order, price, time_ns)

    def place(self, ticket: OrderTicket, numbers: OrderNumbers, time_ns: int) -> OrderOutcome:
        """Take an order, fill what is due of it at the last price, and let the rest wait or expire."""
        known = self._orders.get(ticket.client_order_id)
        if known is not None:
            return Accepted(known.state(), was_adopted=True)
        if ticket.client_order_id in self._refused:
            return self._refused[ticket.client_order_id]
        price = self._prices.get(ticket.symbol)
        if price is None:
            return Refused(f"{ticket.symbol} has no price yet", "market_closed")
        order = SimulatedOrder(
            ticket,
            str(next(self._order_ids)),
            float(numbers.quantity),
            None if numbers.price is None else float(numbers.price),
            reduce_only=ticket.reduce_only and not self._is_spot,
            reserved=0.0,
            time_ns=time_ns,
        )
        order.reserved = self._reserve_of(order, price)
        refusal = self._refusal(order, price)
        if refusal is None and order.is_reached(price):
            refusal = self._execute(order, price, time_ns)
        elif refusal is None:
            if ticket.time_in_force in {"ioc", "fok"}:
                order.end("expired", time_ns)
            else:
                self._open[ticket.symbol][order.order_id] = order
            self._tell(order.state())
        if refusal is not None:
            self._refused[ticket.client_order_id] = refusal
            return refusal
        self._orders[ticket.client_order_id] = order
        return Accepted(order.state())

    def cancel(self, symbol: str, client_order_id: str, time_ns: int) -> OrderOutcome:
        """Cancel an order that waits."""
        order = self._orders.get(client_order_id)
        if order is None or order.ticket.symbol != symbol or not order.is_open:
            return Refused(f"{symbol} has no open order {client_order_id!r}", "not_found")
        self._close(order)
        order.end("cancelled", time_ns)
        self._tell(order.state())
        return Accepted(order.state())

    def order(self, symbol: str, client_order_id: str) -> OrderState | None:
        """Return an order by our name of it."""
        order = self._orders.get(client_order_id)
        return None if order is None or order.ticket.symbol != symbol else order.state()

    def open_orders(self, symbol: str | None) -> tuple[OrderState, ...]:
        """Return what waits, in the order in which it was placed."""
        waiting = self._waiting() if symbol is None else self._open[symbol].values()
        return tuple(order.state() for order in sorted(waiting, key=lambda one: int(one.order_id)))

    def trades(self, symbol: str) -> tuple[OwnTrade, ...]:
        """Return all trades of a symbol, oldest first."""
        return tuple(self._trades[symbol])

    def balances(self) -> dict[str, Balance]:
        """Return what there is, by currency: coins and cash on spot, the margin account of perpetuals."""
        found = {self._quote: self._quote_balance()}
        if self._is_spot:
            for symbol, held in self._portfolio.get_position_units().items():
                locked = self._reserved(symbol)
                found[self._instruments[symbol].base] = Balance(max(0.0, held - locked), min(held, locked))
        return {name: balance for name, balance in found.items() if balance.total > 0.0}

    def positions(self, symbols: Iterable[str] | None) -> tuple[ExchangePosition, ...]:
        """Return the open positions of perpetuals."""
        wanted = None if symbols is None else set(symbols)
        return tuple(
            ExchangePosition(
                symbol=one.symbol, quantity=one.quantity, entry_price=one.entry_price, mark_price=one.mark_price
            )
            for one in self._portfolio.get_account_snapshot().positions
            if not self._is_spot and (wanted is None or one.symbol in wanted)
        )

    def _execute(self, order: SimulatedOrder, price: float, time_ns: int) -> Refused | None:
        """Let the core fill an order at a price of the market, and return why it would not; then the order is over."""
        ticket = order.ticket
        wanted = OrderRequest(
            ticket.symbol, ticket.side, order.quantity, ticket.kind, order.price, time_ns, reduce_only=order.reduce_only
        )
        try:
            answer = self._portfolio.process_order(wanted, price, time_ns)
        except OrderError as error:
            order.end("expired", time_ns)
            refusal = Refused(str(error), "invalid_order")
        else:
            if not isinstance(answer, Denied):
                order.take_fill(answer.quantity, answer.price, time_ns)
                self._tell(order.state())
                self._book(answer, order.order_id, ticket.client_order_id)
                return None
            order.end("expired", time_ns)
            reason = f"{answer.rule}: the limit is {answer.limit:g}, was {answer.value:g}"
            refusal = Refused(reason, _CODES.get(answer.rule, "invalid_order"))
        if ticket.client_order_id in self._orders:
            # It had waited, so that somebody knows it.
            self._tell(order.state())
        return refusal

    def _book(self, fill: Fill, order_id: str, client_order_id: str | None) -> None:
        trade = OwnTrade(
            symbol=fill.symbol,
            trade_id=str(next(self._trade_ids)),
            order_id=order_id,
            client_order_id=client_order_id,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            fee_currency=self._quote,
            time_ns=fill.time_ns,
            is_maker=fill.is_maker,
        )
        self._fill_count = fill.sequence + 1
        self._trades[fill.symbol].append(trade)
        self._tell(trade)

    def _refusal(self, order: SimulatedOrder, price: float) -> Refused | None:
        """Return why an order cannot be taken; None when it can, or when the core is to judge it at its fill."""
        ticket = order.ticket
        if ticket.time_in_force == "post_only" and order.is_reached(price):
            return Refused(f"a post_only order at {order.price:g} would take at {price:g}", "invalid_order")
        if order.reduce_only:
            return None
        if self._is_spot and ticket.side == "sell":
            return self._sale_refusal(order, price)
        # Alone in the account, an order that is due is the core's to judge.
        if order.is_reached(price) and not self._reserved():
            return None
        free = self._quote_balance().free
        return _too_much(order.reserved, free, self._quote) if order.reserved > free * _TOLERANCE else None

    def _sale_refusal(self, order: SimulatedOrder, price: float) -> Refused | None:
        """Return why coins cannot be sold; the core would sell what there is of them."""
        ticket, instrument = order.ticket, self._instruments[order.ticket.symbol]
        held = self._portfolio.get_position_units()[ticket.symbol]
        free = max(0.0, held - self._reserved(ticket.symbol))
        if order.quantity > free * _TOLERANCE:
            return _too_much(order.quantity, free, instrument.base)
        least, notional = instrument.min_notional or 0.0, order.quantity * price
        # An exit leaves whatever its size, as in the core; of a limit the level was judged.
        if ticket.kind == "market" and notional < least and not (ticket.is_exit or ticket.reduce_only):
            return Refused(f"min_notional is {least:g}, was {notional:g}", "min_notional")
        return None

    def _reserve_of(self, order: SimulatedOrder, price: float) -> float:
        """Return what an order sets aside: its coins, its price with fee and slippage, or its margin."""
        instrument, ticket = self._instruments[order.ticket.symbol], order.ticket
        if order.reduce_only:
            return 0.0
        if self._is_spot and ticket.side == "sell":
            return order.quantity
        rates = (
            (instrument.maker_fee, self._costs.maker_fee)
            if ticket.kind == "limit"
            else (instrument.taker_fee, self._costs.taker_fee)
        )
        fee = rates[1] if rates[0] is None else rates[0]
        slip = 0.0 if ticket.kind == "limit" else self._costs.slippage
        level = price if order.price is None else order.price
        quantity = order.quantity
        if not self._is_spot:
            side = 1.0 if ticket.side == "buy" else -1.0
            # What closes a position frees margin.
            quantity -= min(quantity, max(0.0, -side * self._portfolio.get_position_units()[ticket.symbol]))
        notional = quantity * level * (1.0 + (slip if ticket.side == "buy" else 0.0))
        return notional * (1.0 / instrument.max_leverage + fee)

    def _quote_balance(self) -> Balance:
        account = self._portfolio.get_account_snapshot()
        locked = self._reserved()
        if self._is_spot:
            return Balance(max(0.0, account.cash - locked), locked)
        margin = sum(one.notional / self._instruments[one.symbol].max_leverage for one in account.positions)
        locked = min(max(0.0, account.equity), locked + margin)
        return Balance(max(0.0, account.equity - locked), locked)

    def _reserved(self, symbol: str | None = None) -> float:
        """Return what waiting orders have set aside of the quote currency, or of the coin of a `symbol` on spot."""
        is_coin = symbol is not None
        return sum(
            order.reserved
            for order in self._waiting()
            if (self._is_spot and order.ticket.side == "sell") == is_coin
            and (symbol is None or order.ticket.symbol == symbol)
        )

    def _waiting(self) -> Iterable[SimulatedOrder]:
        return itertools.chain.from_iterable(orders.values() for orders in self._open.values())

    def _close(self, order: SimulatedOrder) -> None:
        self._open[order.ticket.symbol].pop(order.order_id)


def _too_much(wanted: float, free: float, currency: str) -> Refused:
    return Refused(f"{wanted:g} {currency} is wanted, {free:g} {currency} is free", "insufficient_funds")
