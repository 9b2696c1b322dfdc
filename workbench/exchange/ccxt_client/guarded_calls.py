"""Which calls of ccxt spend or move money, and whether the one on its way was let through."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["DOOR_IS_OPEN", "GUARDED_CALLS"]

DOOR_IS_OPEN: Final[ContextVar[bool]] = ContextVar("money_door", default=False)
"""Whether the order that is on its way was let through."""

GUARDED_CALLS: Final = (
    "create_order",
    "create_order_ws",
    "create_orders",
    "create_orders_ws",
    "edit_order",
    "edit_order_ws",
    "edit_orders",
    "transfer",
    "withdraw",
)
"""What ccxt calls everything that spends or moves; behind the door only the first is ever used."""
