"""One half of the exchange, spot or perpetuals: its markets as they play and the account's orders in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, MissingDataError
from workbench.exchange.practice.book import Book
from workbench.exchange.practice.feed import SymbolFeed
from workbench.exchange.practice.matching import MatchingEngine
from workbench.exchange.practice.numbers import decimal_of
from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.tape import Tape
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from workbench.exchange.practice.faults import FaultPlan
    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.matching import Account
    from workbench.exchange.practice.orders import Execution
    from workbench.exchange.practice.outbox import Outbox
    from workbench.exchange.practice.sources import MarketSource

__all__ = ["Section"]

_NS_PER_MS: Final = 1_000_000


class Section:
    """Markets of one kind, one account, one matching engine.

    Only markets that somebody watches or has orders in are played print by print; the others are looked up when asked.
    Markets are played one after another up to the same time, so that in one long step of a clock that is moved by hand
    the orders of the first are filled before the second has moved at all.

    Parameters
    ----------
    markets : iterable of (Listing, MarketSource)
        The markets.
    account : Account
        Whose orders they are.
    prices : dict of str to Decimal
        Last price by symbol, which the engine writes and the account reads.
    start_ns : int
        Time of the exchange at its start, ns UTC.
    outbox : Outbox
        Where messages to listeners are put.
    faults : FaultPlan
        What is to go wrong.
    """

    def __init__(
        self,
        markets: Iterable[tuple[Listing, MarketSource]],
        account: Account,
        prices: dict[str, Decimal],
        start_ns: int,
        outbox: Outbox,
        faults: FaultPlan,
    ) -> None:
        self.prices = prices
        self.listings: dict[str, Listing] = {}
        self.tapes: dict[str, Tape] = {}
        self.feeds: dict[str, SymbolFeed] = {}
        for listing, source in markets:
            if listing.symbol in self.listings:
                raise ConfigError(f"a market may be listed once, {listing.symbol} came twice")
            first_ns, end_ns = source.span_ns
            if not first_ns <= start_ns < end_ns:
                span = f"{utc_text(first_ns)} to {utc_text(end_ns)}"
                raise MissingDataError(
                    f"{listing.instrument.symbol} is known from {span}, and the exchange's clock starts outside, at "
                    f"{utc_text(start_ns)}; give it a clock that starts inside"
                )
            tape = Tape(listing, source, start_ns)
            self.listings[listing.symbol] = listing
            self.tapes[listing.symbol] = tape
            self.feeds[listing.symbol] = SymbolFeed(tape, outbox, faults)
        self.engine = MatchingEngine(account, self.listings, prices, self._on_execution)
        self.listeners: list[Callable[[Execution], None]] = []
        self._now_ns = start_ns
        self._watched: set[str] = set()
        # Until when each market's last price is known to be the last: now for those that play, else the next print.
        self._known_until_ns: dict[str, int] = {}

    def listing(self, symbol: str | None) -> Listing:
        """Return a market by its name on the wire.

        Raises
        ------
        RefusalError
            There is none.
        """
        listing = self.listings.get(symbol or "")
        if listing is None:
            raise RefusalError(-1121, "Invalid symbol.")
        return listing

    def book(self, symbol: str) -> Book:
        """Return what a market offers now."""
        self._touch(symbol)
        self._touch_fee_market(symbol)
        return Book(self.listings[symbol], self.prices[symbol])

    def last(self, symbol: str) -> Decimal:
        """Return the last price of a market."""
        self._touch(symbol)
        return self.prices[symbol]

    def watch(self, symbol: str, stream: str) -> None:
        """Let a listener hear a stream of a market, such as ``btcusdt@trade``.

        Raises
        ------
        RefusalError
            There is no such stream.
        """
        self._touch(symbol)
        self.feeds[symbol].add(stream, self._now_ns)
        self._watched.add(symbol)

    def unwatch(self, symbol: str, stream: str) -> None:
        """Undo one `watch`."""
        self.feeds[symbol].remove(stream)
        if not self.feeds[symbol].is_watched:
            self._watched.discard(symbol)

    def next_due_ns(self) -> int | None:
        """Return when something that somebody waits for happens next, ns UTC; None when nobody waits."""
        times: list[int | None] = []
        for symbol in self._busy():
            times += [self.tapes[symbol].next_due_ns(), self.feeds[symbol].next_close_ns()]
        return min((moment for moment in times if moment is not None), default=None)

    def play(self, now_ns: int) -> None:
        """Play every market that matters to anybody up to a time."""
        self._now_ns = now_ns
        for symbol in self._busy():
            self._touch_fee_market(symbol)
            self._known_until_ns[symbol] = now_ns
            self._play(symbol, now_ns)

    def matters(self, symbol: str) -> bool:  # noqa: ARG002 -- what a kind of market may override
        """Return whether each print of a market matters, even though no order rests in it."""
        return False

    def has_matters(self) -> bool:
        """Return whether `matters` holds of any market."""
        return False

    def on_price(self, symbol: str, time_ms: int) -> None:
        """Look at a market's new price, after its orders have."""

    def _busy(self) -> list[str]:
        watched, engine = self._watched, self.engine
        if not watched and not engine.has_open_orders() and not self.has_matters():
            return []
        return [
            symbol
            for symbol in self.listings
            if symbol in watched or engine.has_open_orders(symbol) or self.matters(symbol)
        ]

    def _play(self, symbol: str, now_ns: int) -> None:
        tape, feed, engine = self.tapes[symbol], self.feeds[symbol], self.engine
        while (taken := tape.take_due(now_ns)) is not None:
            if engine.has_open_orders(symbol) or self.matters(symbol):
                columns = (column.tolist() for column in taken.prints)
                for time_ns, price, volume in zip(*columns, strict=True):
                    engine.on_print(symbol, time_ns // _NS_PER_MS, decimal_of(price), decimal_of(volume))
                    self.on_price(symbol, time_ns // _NS_PER_MS)
            else:
                engine.set_last(symbol, decimal_of(float(taken.prints.price[-1])))
            feed.on_prints(taken)
        feed.on_time(now_ns)

    def _touch_fee_market(self, symbol: str) -> None:
        """Know the price of the third coin, if there is one, that fees of a market are paid in."""
        listing = self.listings[symbol]
        fee_symbol = f"{listing.fees.asset}{listing.quote}"
        if fee_symbol in self.tapes and fee_symbol not in self._watched and not self.engine.has_open_orders(fee_symbol):
            self._touch(fee_symbol)

    def _touch(self, symbol: str) -> None:
        """Bring a market that nobody watched up to now."""
        if self._now_ns <= self._known_until_ns.get(symbol, -1):
            return
        tape = self.tapes[symbol]
        tape.skip_to(self._now_ns)
        due_ns = tape.next_due_ns()
        self._known_until_ns[symbol] = self._now_ns if due_ns is None else due_ns - 1
        self.engine.set_last(symbol, decimal_of(tape.last(self._now_ns)[1]))

    def _on_execution(self, execution: Execution) -> None:
        for listener in self.listeners:
            listener(execution)
