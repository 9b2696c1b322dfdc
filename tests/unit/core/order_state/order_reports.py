"""What a test's exchange says."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.order_state import Intent


class Report(NamedTuple):
    status: Any
    filled: float = 0.0
    quantity: float = 1.0
    order_id: str = "x"
    update_ns: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in ("pending", "accepted", "partly_filled", "unknown")


class Trade(NamedTuple):
    trade_id: str
    quantity: float = 1.0
    order_id: str = "x"
    client_order_id: str | None = None


def intent(number: int = 1, *, is_exit: bool = False, expires_ns: int = 100) -> Intent:
    return Intent(
        number=number, client_order_id=f"wb-{number}", symbol="BTC/USDT", side="sell" if is_exit else "buy",
        quantity=1.0, kind="market", price=None, time_in_force="gtc", is_exit=is_exit, time_ns=5,
        expires_ns=expires_ns,
    )  # fmt: skip
