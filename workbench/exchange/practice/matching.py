"""The matching engine: one account's orders against the prints of the market. No clock, no network, no randomness.

The market is what it is: the account's orders never move it. Orders that take are filled against a book around the last
print, level by level. Resting orders are filled at their limit by prints that reach it, in order of price and age, and
never by more than the volume of the print.
"""

from __future__ import annotations

from decimal import localcontext
from typing import TYPE_CHECKING, Final, Literal, Protocol

from workbench.exchange.practice.book import Book, Level
from workbench.exchange.practice.numbers import EXACT, ZERO
from workbench.exchange.practice.orders import Execution, ExecutionKind, NewOrder, PracticeFill, PracticeOrder
from workbench.exchange.practice.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.spot_account import Charge

__all__ = ["Account", "MatchingEngine"]

_NEVER_REST: Final = frozenset({"IOC", "FOK"})


class Account(Protocol):
    """What the engine asks of an account; spot and perpetuals each have their own."""

    def reserve(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> None:
        """Set aside what an order needs, or raise RefusalError."""

    def settle(
        self, order: PracticeOrder, listing: Listing, price: Decimal, quantity: Decimal, *, is_maker: bool
    ) -> Charge:
        """Book a fill and return what it cost."""

    def trim(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> None:
        """Set free what an order no longer needs for its remaining notional."""

    def release(self, order: PracticeOrder, listing: Listing) -> None:
        """Set free everything that an order has aside."""

    def reducible(self, order: PracticeOrder, listing: Listing) -> Decimal:
        """Return how much of a position an order could close."""


class MatchingEngine:
    """Orders of one account in several markets.

    Parameters
    ----------
    account : Account
        Where money and positions are kept.
    listings : mapping of str to Listing
        The markets by their name on the wire.
    prices : dict of str to Decimal
        Last price by symbol; the engine writes it, accounts read it.

    on_execution : callable
        Is told of each execution at once, while the order stands as the execution left it.
    """

    def __init__(
        self,
        account: Account,
        listings: Mapping[str, Listing],
        prices: dict[str, Decimal],
        on_execution: Callable[[Execution], None],
    ) -> None:
        self.account = account
        self.listings = listings
        self.on_execution = on_execution
        self.orders: dict[int, PracticeOrder] = {}
        self.fills: list[PracticeFill] = []
        self._prices = prices
        self._books: dict[str, Book] = {}
        self._open: dict[str, dict[int, PracticeOrder]] = {}
        self._by_client_id: dict[tuple[str, str], PracticeOrder] = {}
        self._last_order_id = 0
        self._last_trade_id = 0

    def open_orders(self, symbol: str | None = None) -> list[PracticeOrder]:
        """Return the orders that can still be filled, oldest first."""
        groups: Iterable[dict[int, PracticeOrder]] = (
            self._open.values() if symbol is None else [self._open.get(symbol, {})]
        )
        return sorted((order for group in groups for order in group.values()), key=lambda order: order.order_id)

    def has_open_orders(self, symbol: str | None = None) -> bool:
        """Return whether prints of a market, or of any, matter to the account's orders."""
        return bool(self._open) if symbol is None else symbol in self._open

    def find(self, symbol: str, order_id: int | None, client_order_id: str | None) -> PracticeOrder | None:
        """Return an order by the exchange's number or by the latest use of a client's id."""
        if order_id is not None:
            order = self.orders.get(order_id)
            return order if order is not None and order.wanted.symbol == symbol else None
        return self._by_client_id.get((symbol, client_order_id or ""))

    def find_anywhere(self, order_id: int | None, client_order_id: str | None) -> PracticeOrder | None:
        """Return an order by number or client id, whatever its market: the latest that fits."""
        if order_id is not None:
            return self.orders.get(order_id)
        found = [order for (_, name), order in self._by_client_id.items() if name == client_order_id]
        return max(found, key=lambda order: order.order_id, default=None)

    def place(self, wanted: NewOrder, time_ms: int) -> PracticeOrder:
        """Accept an order and fill what can be filled at once.

        Parameters
        ----------
        wanted : NewOrder
            Within its market's filters.
        time_ms : int
            Time of the exchange, ms UTC.

        Raises
        ------
        RefusalError
            The client id is in use by an open order, the funds do not reach, a trigger would fire at once, or a
            post-only order would take. Nothing has changed then.
        """
        with localcontext(EXACT):
            return self._place(wanted, time_ms)

    def _place(self, wanted: NewOrder, time_ms: int) -> PracticeOrder:
        listing, book = self.listings[wanted.symbol], self._books[wanted.symbol]
        previous = self._by_client_id.get((wanted.symbol, wanted.client_order_id))
        if previous is not None and previous.is_open:
            raise RefusalError(-2010, "Duplicate order sent.")
        self._check_immediate(wanted, book)
        order = PracticeOrder(wanted, self._last_order_id + 1, time_ms, time_ms, is_working=wanted.stop_price is None)
        taken = self._takeable(order, book)
        self.account.reserve(order, listing, _most_notional(order, taken))
        self._last_order_id += 1
        self.orders[order.order_id] = order
        self._open.setdefault(wanted.symbol, {})[order.order_id] = order
        self._by_client_id[wanted.symbol, wanted.client_order_id] = order
        self._tell("NEW", order, None, time_ms)
        if order.is_working:
            self._take(order, taken, time_ms)
        return order

    def cancel(self, order: PracticeOrder, time_ms: int) -> None:
        """Cancel an open order.

        Raises
        ------
        RefusalError
            The order is not open any more.
        """
        if not order.is_open:
            raise RefusalError(-2011, "Unknown order sent.")
        with localcontext(EXACT):
            self._close(order, "CANCELED", time_ms)

    def on_print(self, symbol: str, time_ms: int, price: Decimal, volume: Decimal) -> None:
        """Let a print of the market trigger and fill what it reaches.

        Parameters
        ----------
        symbol : str
            Name of the market on the wire.
        time_ms : int
            Time of the print, ms UTC.
        price, volume : Decimal
            What was paid, and for how much; the volume bounds what resting orders get of it.
        """
        listing = self.listings[symbol]
        book = self._books[symbol] = Book(listing, price)
        self._prices[symbol] = price
        if symbol in self._open:
            with localcontext(EXACT):
                self._match(listing, book, time_ms, volume)

    def _match(self, listing: Listing, book: Book, time_ms: int, volume: Decimal) -> None:
        price = book.last
        left = listing.lot * (volume // listing.lot)
        for order in sorted(self._open[listing.symbol].values(), key=_priority):
            if not order.is_open:
                continue
            if not order.is_working:
                if _is_triggered(order.wanted, price):
                    self._trigger(order, book, time_ms)
            elif left > ZERO and _is_reached(order, price):
                quantity = min(left, order.remaining)
                left -= quantity
                self._fill(order, Level(_limit_of(order), quantity), time_ms, is_maker=True)

    def fill_resting(self, order: PracticeOrder, time_ms: int) -> None:
        """Fill all that is left of a resting order at its limit, as if somebody had taken it; others are left alone."""
        if order.is_open and order.is_working and order.wanted.price is not None:
            with localcontext(EXACT):
                self._fill(order, Level(order.wanted.price, order.remaining), time_ms, is_maker=True)

    def set_last(self, symbol: str, price: Decimal) -> None:
        """Move a market to a price; for one without open orders, where the prints in between do not matter."""
        self._books[symbol] = Book(self.listings[symbol], price)
        self._prices[symbol] = price

    def _check_immediate(self, wanted: NewOrder, book: Book) -> None:
        """Refuse an order that would do at once what it says it will not."""
        if wanted.stop_price is not None:
            if _is_triggered(wanted, book.last):
                raise RefusalError(-2010, "Stop price would trigger immediately.")
        elif wanted.kind == "LIMIT_MAKER" and book.taken(wanted.side, wanted.quantity, wanted.price):
            raise RefusalError(-2010, "Order would immediately match and take.")

    def _takeable(self, order: PracticeOrder, book: Book) -> list[Level]:
        """Return what a working order gets of the book now."""
        wanted = order.wanted
        if not order.is_working or wanted.kind == "LIMIT_MAKER":
            return []
        return book.taken(wanted.side, order.remaining, wanted.price)

    def _take(self, order: PracticeOrder, taken: list[Level], time_ms: int) -> None:
        """Fill an order from the book, then let it rest or expire as its time in force says."""
        wanted = order.wanted
        offered = sum((level.quantity for level in taken), ZERO)
        if wanted.time_in_force == "FOK" and offered < order.remaining:
            taken = []
        for level in taken:
            if not order.is_open:  # a reduce-only order whose position is used up has expired on the way
                return
            self._fill(order, level, time_ms, is_maker=False)
        if order.is_open and (wanted.kind == "MARKET" or wanted.time_in_force in _NEVER_REST):
            self._close(order, "EXPIRED", time_ms)

    def _trigger(self, order: PracticeOrder, book: Book, time_ms: int) -> None:
        """Let a stop work: its funds are set aside anew, because the price may have jumped past what was reserved."""
        listing = self.listings[order.wanted.symbol]
        order.is_working = True
        order.updated_ms = time_ms
        taken = self._takeable(order, book)
        self.account.release(order, listing)
        try:
            self.account.reserve(order, listing, _most_notional(order, taken))
        except RefusalError:
            self._close(order, "EXPIRED", time_ms)
            return
        self._tell("NEW", order, None, time_ms)
        self._take(order, taken, time_ms)

    def _fill(self, order: PracticeOrder, level: Level, time_ms: int, *, is_maker: bool) -> None:
        """Book one fill and tell of it."""
        wanted, listing = order.wanted, self.listings[order.wanted.symbol]
        quantity = level.quantity
        if wanted.reduce_only:
            quantity = min(quantity, self.account.reducible(order, listing))
            if quantity <= ZERO:
                self._close(order, "EXPIRED", time_ms)
                return
        charge = self.account.settle(order, listing, level.price, quantity, is_maker=is_maker)
        order.filled += quantity
        order.filled_quote += EXACT.multiply(level.price, quantity)
        order.updated_ms = time_ms
        order.status = "FILLED" if order.remaining == ZERO else "PARTIALLY_FILLED"
        self._last_trade_id += 1
        fill = PracticeFill(
            trade_id=self._last_trade_id,
            order_id=order.order_id,
            symbol=wanted.symbol,
            side=wanted.side,
            price=level.price,
            quantity=quantity,
            fee=charge.fee,
            fee_asset=charge.fee_asset,
            realized_pnl=charge.realized_pnl,
            time_ms=time_ms,
            is_maker=is_maker,
        )
        order.fills.append(fill)
        self.fills.append(fill)
        if order.is_open:
            if wanted.price is not None:
                self.account.trim(order, listing, EXACT.multiply(order.remaining, wanted.price))
        else:
            self._forget(order)
        self._tell("TRADE", order, fill, time_ms)

    def _close(self, order: PracticeOrder, status: Literal["CANCELED", "EXPIRED"], time_ms: int) -> None:
        order.status = status
        order.is_working = False
        order.updated_ms = time_ms
        self._forget(order)
        self._tell(status, order, None, time_ms)

    def _forget(self, order: PracticeOrder) -> None:
        """Take a finished order off the open ones and set its funds free."""
        self.account.release(order, self.listings[order.wanted.symbol])
        orders = self._open.get(order.wanted.symbol, {})
        orders.pop(order.order_id, None)
        if not orders:
            self._open.pop(order.wanted.symbol, None)

    def _tell(self, kind: ExecutionKind, order: PracticeOrder, fill: PracticeFill | None, time_ms: int) -> None:
        self.on_execution(Execution(kind, order, fill, time_ms))


def _limit_of(order: PracticeOrder) -> Decimal:
    """Return the limit of a resting order; only those with a limit ever rest."""
    return order.wanted.price or ZERO


def _is_triggered(wanted: NewOrder, price: Decimal) -> bool:
    """Return whether a price sets an order off."""
    if wanted.stop_price is None:
        return False
    return price <= wanted.stop_price if wanted.triggers_below else price >= wanted.stop_price


def _is_reached(order: PracticeOrder, price: Decimal) -> bool:
    """Return whether a print gives a resting order something."""
    return price <= _limit_of(order) if order.is_buy else price >= _limit_of(order)


def _priority(order: PracticeOrder) -> tuple[int, Decimal, int]:
    """Return the place of an order in the queue: triggers first, then the better limit, then the older order."""
    if not order.is_working:
        return (0, ZERO, order.order_id)
    return (1, -_limit_of(order) if order.is_buy else _limit_of(order), order.order_id)


def _most_notional(order: PracticeOrder, taken: list[Level]) -> Decimal:
    """Return the most that an order may spend in the quote."""
    wanted = order.wanted
    limit = wanted.price or (wanted.stop_price if not order.is_working else None)
    if limit is not None:
        return EXACT.multiply(order.remaining, limit)
    return sum((EXACT.multiply(level.price, level.quantity) for level in taken), ZERO)
