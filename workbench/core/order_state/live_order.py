"""One live order: where it stands, how much of it is filled, and what of that is booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from workbench.core.order_state.intents import Intent
    from workbench.model import OrderStatus

__all__ = ["LIVE_ORDER_STATUSES", "LiveOrder", "LiveOrderStatus", "OrderReport"]

LiveOrderStatus = Literal[
    "intent",
    "sent",
    "unknown",
    "acknowledged",
    "partially_filled",
    "filled",
    "cancelled",
    "rejected",
    "never_arrived",
    "expired",
]

LIVE_ORDER_STATUSES: Final[tuple[LiveOrderStatus, ...]] = (
    "intent",
    "sent",
    "unknown",
    "acknowledged",
    "partially_filled",
    "filled",
    "cancelled",
    "rejected",
    "never_arrived",
    "expired",
)
"""Where a live order may stand: recorded; sent; nobody can tell; at the exchange; filled in part or whole; ended there;
refused; proven never to have come there; or too old before it was sent, so that it never was."""

# Part of an order that is nothing: float sums of fills against its quantity.
_NOTHING: Final = 1e-9

_OPEN: Final = frozenset({"intent", "sent", "unknown", "acknowledged", "partially_filled"})
# An order that these say never was, and that fills all the same: a fill is a fact.
_NEVER: Final = frozenset({"rejected", "never_arrived", "expired"})
_AT_EXCHANGE: Final = frozenset({"acknowledged", "partially_filled", "filled", "cancelled"})

# What may follow what. Late and crossing events come as exchanges produce them: a state that is not among these is
# old news. An end is not the last word: a fill may cross a cancel, and show up behind it.
_NEXT: Final[dict[LiveOrderStatus, frozenset[str]]] = {
    "intent": frozenset({"sent", "unknown"}) | _AT_EXCHANGE | _NEVER,
    "sent": frozenset({"unknown"}) | _AT_EXCHANGE | _NEVER,
    "unknown": _AT_EXCHANGE | _NEVER,
    "acknowledged": frozenset({"partially_filled", "filled", "cancelled", "rejected"}),
    "partially_filled": frozenset({"filled", "cancelled"}),
    "filled": frozenset(),
    "cancelled": frozenset({"partially_filled", "filled"}),
    "rejected": _AT_EXCHANGE,
    "never_arrived": _AT_EXCHANGE,
    "expired": _AT_EXCHANGE,
}


class OrderReport(Protocol):
    """What an exchange says of an order, as far as it counts here."""

    @property
    def order_id(self) -> str:
        """The exchange's name of the order."""

    @property
    def status(self) -> OrderStatus:
        """One of ``ORDER_STATUSES`` of the model."""

    @property
    def quantity(self) -> float:
        """Amount ordered, rounded at the door."""

    @property
    def filled(self) -> float:
        """Amount filled so far."""

    @property
    def update_ns(self) -> int:
        """When it last changed, ns UTC."""

    @property
    def is_open(self) -> bool:
        """Whether more of it may still be filled."""


@dataclass(slots=True)
class LiveOrder:
    """An order and all that is known of it; totals never go back, and each trade is booked once.

    Parameters
    ----------
    intent : Intent
        As it was recorded before it was sent.
    """

    intent: Intent
    status: LiveOrderStatus = "intent"
    order_id: str | None = None
    ordered: float = 0.0
    told: float = 0.0
    booked: float = 0.0
    time_ns: int = 0
    trade_ids: set[str] = field(default_factory=set)
    is_reported: bool = False

    def __post_init__(self) -> None:
        """Start from what is wanted; the exchange may round it."""
        self.ordered = self.intent.quantity
        self.time_ns = self.intent.time_ns

    @property
    def is_open(self) -> bool:
        """Whether more of it may still be filled, as far as it is known."""
        return self.status in _OPEN

    @property
    def is_answered(self) -> bool:
        """Whether it is known what became of sending it."""
        return self.status not in {"intent", "sent", "unknown"}

    @property
    def is_complete(self) -> bool:
        """Whether no more of it is to be booked, as far as it is known."""
        return self.booked >= (self.ordered if self.is_open else self.told) * (1.0 - _NOTHING)

    def move(self, status: LiveOrderStatus) -> bool:
        """Go to a status when it may follow this one; return whether it did."""
        if status not in _NEXT[self.status]:
            return False
        self.status = status
        return True

    def report(self, report: OrderReport) -> bool:
        """Take what the exchange says of it and return whether that is new; older news changes nothing."""
        before = (self.order_id, self.ordered, self.told, self.status)
        self._take(report)
        return before != (self.order_id, self.ordered, self.told, self.status)

    def end(self, status: Literal["rejected", "never_arrived", "expired"]) -> bool:
        """End it as one that never was; return False when the exchange has told otherwise."""
        return self.move(status)

    def book(self, trade_id: str, quantity: float) -> None:
        """Count a trade that was not counted before."""
        self.trade_ids.add(trade_id)
        self.booked += quantity
        self.told = max(self.told, self.booked)
        if self.booked >= self.ordered * (1.0 - _NOTHING):
            self.move("filled")
        elif self.status != "cancelled":
            # Known only by its trades; of one that was cancelled a late trade opens nothing again.
            self.move("partially_filled")

    def _take(self, report: OrderReport) -> None:
        self.order_id = report.order_id
        self.ordered = report.quantity
        self.time_ns = max(self.time_ns, report.update_ns)
        # One that is filled is filled as a whole, whatever its total says.
        filled = max(report.filled, report.quantity) if report.status == "filled" else report.filled
        is_more = filled > self.told + self.ordered * _NOTHING
        self.told = max(self.told, filled)
        status = self._reported(report)
        if self.status == "cancelled" and status == "partially_filled" and not is_more:
            return
        self.move(status)

    def _reported(self, report: OrderReport) -> LiveOrderStatus:
        if report.status == "filled":
            return "filled"
        if report.status in {"cancelled", "expired"}:
            return "cancelled"
        if report.status == "rejected":
            return "cancelled" if self.told > 0.0 else "rejected"
        return "partially_filled" if self.told > 0.0 else "acknowledged"
