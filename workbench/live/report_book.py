"""What the exchange said of a session's orders, turned into the rows that the core books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.core.order_state import LiveOrders
from workbench.core.reports import DONE, MAKER
from workbench.errors import JournalError
from workbench.model import REPORT

if TYPE_CHECKING:
    from workbench.core.order_state import Booking, Ended, Intent, LiveOrder
    from workbench.exchange import OrderState, OwnTrade
    from workbench.model import Instrument

__all__ = ["ReportBook", "Row"]

Row = tuple[int, int, int, float, float, float, float, float, int]

# Orders whose fees are remembered before those are forgotten that nothing can come of any more.
_MOST_FEES: Final = 2_000


@dataclass(slots=True)
class _Kept:
    """Of a purchase whose fee is taken in what is bought."""

    # What is owned, what the account has of it, what was paid since.
    owned: float = 0.0
    kept: float = 0.0
    paid: float = 0.0


class ReportBook:
    """Turns what an exchange says of a session's orders into the rows that the core books.

    Trades and states may come in any order and more than once; see `LiveOrders`.

    Parameters
    ----------
    instruments : tuple of Instrument
        Of the session's symbols.
    """

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self.orders: LiveOrders[OwnTrade] = LiveOrders()
        self._instruments = instruments
        self._symbols = tuple(one.symbol for one in instruments)
        self._kept: dict[int, _Kept] = {}
        self._unbooked = dict.fromkeys(self._symbols, 0.0)
        self._rows: list[Row] = []

    @property
    def outstanding(self) -> int:
        """Orders of which more will be told for certain: unanswered, or ended with fills that have not come yet."""
        return self.orders.outstanding

    @property
    def has_rows(self) -> bool:
        """Whether rows wait to be taken, so that the core does not know everything yet."""
        return bool(self._rows)

    @property
    def unbooked(self) -> dict[str, float]:
        """What fees left of each symbol in the account and in no position, in base units; below 0 what they took."""
        return dict(self._unbooked)

    def expect(self, intent: Intent) -> LiveOrder:
        """Open an order that is about to be sent."""
        return self.orders.intend(intent)

    def state(self, number: int, state: OrderState) -> bool:
        """Take what the exchange says of an order; return whether it is new."""
        return self._book(self.orders.news, self.orders.report(number, state))

    def end(self, number: int, ended: Ended) -> bool:
        """Close an order that will never be; return whether it is new."""
        return self._book(self.orders.news, self.orders.end(number, ended))

    def trade(self, trade: OwnTrade) -> bool:
        """Book a trade, or keep it until it is known whose it is; return whether it is new."""
        return self._book(self.orders.news, self.orders.trade(trade))

    def take(self) -> list[Row]:
        """Return the rows to book, oldest first, and forget them."""
        rows, self._rows = self._rows, []
        return rows

    def put_back(self, rows: list[Row]) -> None:
        """Keep rows that were taken to be taken again, before those that have come since."""
        self._rows[:0] = rows

    def leave_out(self, known: list[Row]) -> None:
        """Forget the first rows, which were booked before, and keep those that were noted and not booked.

        Raises
        ------
        JournalError
            The first rows are others than the `known` ones.
        """
        rows = self.take()
        if rows[: len(known)] != known:
            raise JournalError(
                f"what the notes say of orders is not what was booked: {len(rows)} reports by the notes, "
                f"{len(known)} booked; compare them with the exchange"
            )
        self.put_back(rows[len(known) :])

    def _book(self, news_before: int, bookings: list[Booking[OwnTrade]]) -> bool:
        for order, trade, is_done in bookings:
            flags = DONE if is_done else 0
            if trade is None:
                self._add(order, order.time_ns, (0.0, 0.0, 0.0), flags)
                continue
            sign = 1.0 if order.intent.side == "buy" else -1.0
            quantity, fee = self._net(order, trade)
            flags |= MAKER if trade.is_maker else 0
            self._count_unbooked(order.intent.symbol, trade, quantity)
            self._add(order, trade.time_ns, (sign * quantity, trade.price, fee), flags)
        return self.orders.news != news_before

    def _add(self, order: LiveOrder, time_ns: int, fill: tuple[float, float, float], flags: int) -> None:
        symbol = self._symbols.index(order.intent.symbol)
        self._rows.append((REPORT, symbol, time_ns, *fill, float(order.intent.number), float(flags), 0))

    def _count_unbooked(self, symbol: str, trade: OwnTrade, booked: float) -> None:
        """Count by how much the account changed more than was booked of a trade."""
        sign = 1.0 if trade.side == "buy" else -1.0
        for one in self._instruments:
            if one.kind != "spot":
                # Of these the exchange tells the position, which no fee changes.
                continue
            change = sign * (trade.quantity - booked) if one.symbol == symbol else 0.0
            self._unbooked[one.symbol] += change - (trade.fee if trade.fee_currency == one.base else 0.0)

    def _net(self, order: LiveOrder, trade: OwnTrade) -> tuple[float, float]:
        instrument = self._instruments[self._symbols.index(order.intent.symbol)]
        if len(self._kept) > _MOST_FEES:
            self._kept = {number: kept for number, kept in self._kept.items() if self.orders.get(number) is not None}
        kept = self._kept.setdefault(order.intent.number, _Kept())
        return _net(trade, instrument, kept)


def _net(trade: OwnTrade, instrument: Instrument, kept_of: _Kept) -> tuple[float, float]:
    """Return what a trade changed of the holding, and its fee in the quote currency.

    A fee in the base coin makes a purchase smaller and a sale larger; its worth is paid at the trade's price, so that
    cash changes by the whole trade either way. What is left of a purchase below a lot can never be sold: it counts as
    paid too, or a position would keep dust that no exit takes out. A fee in a third coin is not in this account.
    """
    if trade.fee_currency != instrument.base:
        return trade.quantity, trade.fee if trade.fee_currency in (instrument.quote, None) else 0.0
    if trade.side == "sell":
        return trade.quantity + trade.fee, trade.fee * trade.price
    kept_of.owned += trade.quantity - trade.fee
    kept_of.paid += trade.quantity * trade.price
    kept = float(instrument.quantize_quantity(kept_of.owned)) - kept_of.kept
    if kept <= 0.0:
        # Less than a lot: it goes with the next fill.
        return 0.0, 0.0
    fee = kept_of.paid - kept * trade.price
    kept_of.kept, kept_of.paid = kept_of.kept + kept, 0.0
    return kept, fee
