"""What the exchange said of a session's orders, turned into the rows that the core books."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.core.reports import DONE, MAKER
from workbench.model import REPORT

if TYPE_CHECKING:
    from workbench.exchange import OrderState, OwnTrade
    from workbench.model import ExchangeRequest, Instrument

__all__ = ["ReportBook"]

Row = tuple[int, int, int, float, float, float, float, float, int]

# Part of an order that is nothing: float sums of fills against its quantity.
_NOTHING: Final = 1e-9
# Orders that are done and still remembered, because a trade of theirs may come late.
_MOST_DONE: Final = 1_000
# Orders of which a trade was told before anything else; those of strangers stay there until newer ones push them out.
_MOST_WAITING: Final = 1_000


@dataclass(slots=True)
class _Sent:
    """One order as far as it is known."""

    symbol: int
    sign: float
    ordered: float
    time_ns: int
    booked: float = 0.0
    order_id: str | None = None
    final: float | None = None
    # Of purchases whose fee is taken in what is bought: what is owned, what the account has of it, what was paid since.
    owned: float = 0.0
    kept: float = 0.0
    paid: float = 0.0
    is_known: bool = False
    is_done: bool = False


class ReportBook:
    """Matches trades with orders and says when an order is done: not before all that it filled is booked.

    Trades and states may come in any order, and trades before it is known whose they are: those wait.

    Parameters
    ----------
    instruments : tuple of Instrument
        Of the session's symbols.
    """

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._instruments = instruments
        self._symbols = tuple(one.symbol for one in instruments)
        self._sent: dict[int, _Sent] = {}
        self._done: deque[int] = deque()
        self._numbers: dict[str, int] = {}
        self._waiting: OrderedDict[str, list[OwnTrade]] = OrderedDict()
        self._rows: list[Row] = []

    @property
    def outstanding(self) -> int:
        """Orders of which more will be told for certain: unanswered, or ended with fills that have not come yet."""
        return sum(not sent.is_done and (not sent.is_known or sent.final is not None) for sent in self._sent.values())

    def expect(self, request: ExchangeRequest) -> None:
        """Open an order that is about to be sent."""
        sign = 1.0 if request.side == "buy" else -1.0
        symbol = self._symbols.index(request.symbol)
        self._sent[request.number] = _Sent(symbol, sign, request.quantity, request.time_ns)

    def state(self, number: int, state: OrderState) -> None:
        """Take what the exchange says of an order: its name there, and whether it is done."""
        sent = self._sent.get(number)
        if sent is None:
            return
        sent.is_known = True
        sent.order_id = state.order_id
        # Rounded down to the lot at the door.
        sent.ordered = state.quantity
        sent.time_ns = max(sent.time_ns, state.update_ns)
        self._numbers[state.order_id] = number
        if not state.is_open:
            sent.final = state.filled
        for trade in self._waiting.pop(state.order_id, ()):
            self.trade(trade)
        self._finish(number)

    def refused(self, number: int) -> None:
        """Close an order that will never be."""
        sent = self._sent.get(number)
        if sent is not None:
            sent.is_known = True
            sent.final = sent.booked
            self._finish(number)

    def trade(self, trade: OwnTrade) -> None:
        """Book a trade; one of an order that is not known yet waits, one of a stranger's until it is forgotten."""
        number = self._numbers.get(trade.order_id)
        if number is None:
            self._waiting.setdefault(trade.order_id, []).append(trade)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            return
        sent = self._sent[number]
        sent.booked += trade.quantity
        quantity, fee = _net(trade, self._instruments[sent.symbol], sent)
        is_done = sent.booked >= (sent.ordered if sent.final is None else sent.final) * (1.0 - _NOTHING)
        flags = (DONE if is_done else 0) | (MAKER if trade.is_maker else 0)
        self._add(number, sent, trade.time_ns, (sent.sign * quantity, trade.price, fee), flags)
        if is_done:
            self._end(number, sent)

    def take(self) -> list[Row]:
        """Return the rows to book, oldest first, and forget them."""
        rows, self._rows = self._rows, []
        return rows

    def _finish(self, number: int) -> None:
        """Report an order as done when nothing of it is missing and no trade of it has said so."""
        sent = self._sent.get(number)
        if sent is None or sent.is_done or sent.final is None or sent.booked < sent.final * (1.0 - _NOTHING):
            return
        self._add(number, sent, sent.time_ns, (0.0, 0.0, 0.0), DONE)
        self._end(number, sent)

    def _add(self, number: int, sent: _Sent, time_ns: int, fill: tuple[float, float, float], flags: int) -> None:
        self._rows.append((REPORT, sent.symbol, time_ns, *fill, float(number), float(flags), 0))

    def _end(self, number: int, sent: _Sent) -> None:
        """Remember an order as done; a fill of it that comes all the same is a fact and is booked."""
        if sent.is_done:
            return
        sent.is_done = sent.is_known = True
        self._done.append(number)
        if len(self._done) > _MOST_DONE:
            oldest = self._sent.pop(self._done.popleft())
            self._numbers.pop(oldest.order_id or "", None)


def _net(trade: OwnTrade, instrument: Instrument, sent: _Sent) -> tuple[float, float]:
    """Return what a trade changed of the holding, and its fee in the quote currency.

    A fee in the base coin makes a purchase smaller and a sale larger; its worth is paid at the trade's price, so that
    cash changes by the whole trade either way. What is left of a purchase below a lot can never be sold: it counts as
    paid too, or a position would keep dust that no exit takes out. A fee in a third coin is not in this account.
    """
    if trade.fee_currency != instrument.base:
        return trade.quantity, trade.fee if trade.fee_currency in (instrument.quote, None) else 0.0
    if trade.side == "sell":
        return trade.quantity + trade.fee, trade.fee * trade.price
    sent.owned += trade.quantity - trade.fee
    sent.paid += trade.quantity * trade.price
    kept = float(instrument.quantize_quantity(sent.owned)) - sent.kept
    if kept <= 0.0:
        # Less than a lot: it goes with the next fill.
        return 0.0, 0.0
    fee = sent.paid - kept * trade.price
    sent.kept, sent.paid = sent.kept + kept, 0.0
    return kept, fee
