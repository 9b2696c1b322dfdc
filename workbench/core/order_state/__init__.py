"""The life of a live order, without any input or output: what is to be done next, and what is known of it.

The procedures yield effects (record, send, ask, cancel, wait) and are sent their answers; whoever drives them owns the
network, the disk and the time. `LiveOrders` takes what an exchange says, in any order and any number of times, and
says what is to be booked. A simulation drives the same code through crashes and lost answers.
"""

from workbench.core.order_state.effects import (
    Answer,
    Cancel,
    Doubted,
    Effect,
    Ended,
    Failed,
    Found,
    Journal,
    Looked,
    Now,
    Placed,
    Query,
    Refused,
    Send,
    Sleep,
    Tell,
    Told,
)
from workbench.core.order_state.intents import Intent, NamedOrder
from workbench.core.order_state.live_order import LIVE_ORDER_STATUSES, LiveOrder, LiveOrderStatus, OrderReport
from workbench.core.order_state.live_orders import Booking, LiveOrders, TradeReport
from workbench.core.order_state.procedures import RETRIES_S, Procedures

__all__ = [
    "LIVE_ORDER_STATUSES",
    "RETRIES_S",
    "Answer",
    "Booking",
    "Cancel",
    "Doubted",
    "Effect",
    "Ended",
    "Failed",
    "Found",
    "Intent",
    "Journal",
    "LiveOrder",
    "LiveOrderStatus",
    "LiveOrders",
    "Looked",
    "NamedOrder",
    "Now",
    "OrderReport",
    "Placed",
    "Procedures",
    "Query",
    "Refused",
    "Send",
    "Sleep",
    "Tell",
    "Told",
    "TradeReport",
]
