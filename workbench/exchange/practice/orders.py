"""Orders and fills as the practice exchange keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from workbench.exchange.practice.numbers import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["CLOSED", "Execution", "ExecutionKind", "NewOrder", "PracticeFill", "PracticeOrder", "Side", "Status"]

Side = Literal["BUY", "SELL"]
Status = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "REJECTED"]
ExecutionKind = Literal["NEW", "TRADE", "CANCELED", "EXPIRED"]

#: Statuses after which nothing more happens to an order.
CLOSED: Final = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """A wanted order, read and within its market's filters.

    Attributes
    ----------
    kind : str
        ``MARKET``, ``LIMIT`` or ``LIMIT_MAKER``: what the order is once it works.
    wire_kind : str
        Binance's word for it, such as ``STOP_LOSS_LIMIT``.
    quantity : Decimal
        In the base; 0 when `quote_quantity` says how much to spend.
    price, stop_price : Decimal or None
        Limit and trigger, where the kind has one.
    triggers_below : bool
        Whether it is set off by a price at or below the stop price, and not at or above.
    reduce_only : bool
        Whether it may only make a position smaller.
    """

    symbol: str
    client_order_id: str
    side: Side
    kind: str
    wire_kind: str
    time_in_force: str
    quantity: Decimal
    quote_quantity: Decimal = ZERO
    price: Decimal | None = None
    stop_price: Decimal | None = None
    triggers_below: bool = False
    reduce_only: bool = False


class PracticeFill(NamedTuple):
    """One execution of an order of the account.

    Attributes
    ----------
    trade_id : int
        Grows with every fill of the exchange.
    fee, fee_asset
        What it cost, and in which coin.
    realized_pnl : Decimal
        Profit of the part of a position that it closed, in the quote; 0 for spot.
    is_maker : bool
        Whether the order was resting.
    """

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    realized_pnl: Decimal
    time_ms: int
    is_maker: bool


@dataclass(slots=True)
class PracticeOrder:
    """An accepted order and what has become of it."""

    wanted: NewOrder
    order_id: int
    created_ms: int
    updated_ms: int
    status: Status = "NEW"
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    locked: Decimal = ZERO
    is_working: bool = True
    fills: list[PracticeFill] = field(default_factory=list)

    @property
    def remaining(self) -> Decimal:
        """What is still to be filled."""
        return self.wanted.quantity - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it can still be filled or cancelled."""
        return self.status not in CLOSED

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.wanted.side == "BUY"


class Execution(NamedTuple):
    """Something that happened to an order, to be told to the account's listeners.

    Attributes
    ----------
    order : PracticeOrder
        The order as it stands after this; the engine goes on changing it, so render it at once.
    fill : PracticeFill or None
        For a ``TRADE``.
    """

    kind: ExecutionKind
    order: PracticeOrder
    fill: PracticeFill | None
    time_ms: int
