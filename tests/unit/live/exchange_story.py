"""The record of an order at an exchange, from its decision to its fills."""

from __future__ import annotations

from typing import Any

from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import BTC, MIDNIGHT, SECOND, session_config, walk
from tests.unit.live.recordings import Exchange, closed, recorded, report, tick
from workbench.core.order_state import Intent
from workbench.exchange import OrderState, OwnTrade
from workbench.live import LiveSessionConfig
from workbench.live.order_notes import ended_body, intent_body, state_body, trade_body
from workbench.strategy import Rules, Strategy, enter_long, exit_position, hold, strategy

NAME = "wb0123456789abcdn0"


@strategy
def above(m: Any, level: float = 100.5, size: float = 0.5) -> Rules:
    """Is in while the close is above a level."""
    return Rules(enter_long=m.close > level, exit_long=m.close < level, size=size)


class Dips(Strategy):
    """Rests a purchase two below the close, and sells after two bars."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"mean": m.close.sma(2)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat:
            return enter_long(limit=now.close - 2.0, units=1.0, stop_loss=0.5) if now.mean > 0.0 else hold()
        return exit_position() if position.bars_held >= 2 else hold()


def at(second: float) -> int:
    return MIDNIGHT + round(second * SECOND)


def intent_of(**changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "number": 0, "client_order_id": NAME, "symbol": BTC, "side": "buy", "quantity": 4.0, "kind": "market",
        "price": None, "time_in_force": "gtc", "is_exit": False, "time_ns": at(61), "expires_ns": at(71),
    }  # fmt: skip
    return intent_body(Intent(**{**settings, **changes}))


def state_at(second: float, status: str, filled: float) -> dict[str, Any]:
    state = OrderState(
        symbol=BTC, order_id="x1", client_order_id=NAME, side="buy", kind="market", quantity=4.0, filled=filled,
        average_price=None, price=None, status=status, time_ns=at(61.25), update_ns=at(second),  # type: ignore[arg-type]  # one of its words
    )  # fmt: skip
    return state_body(0, NAME, state)


def trade_at(second: float, quantity: float, price: float, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "symbol": BTC, "trade_id": f"t{second}", "order_id": "x1", "client_order_id": None, "side": "buy",
        "quantity": quantity, "price": price, "fee": 0.1, "fee_currency": "USDT", "time_ns": at(second),
        "is_maker": False,
    }  # fmt: skip
    return trade_body(OwnTrade(**{**settings, **changes}))


def exchange_config(**changes: Any) -> LiveSessionConfig:
    settings: dict[str, Any] = {"source": Exchange(), "execution": "exchange", "symbols": (BTC,), "cash": 808.0}
    # Half of 808 buys 4 at 101.
    return session_config(walk(2), **{**settings, "strategy": above(), **changes})


def exchange_record() -> KeptRecord:
    record = recorded(
        tick(0, 101.0),
        closed(0, 101.0),
        tick(61, 101.0),
        report(62, 0, 1.0, 101.0, fee=0.1),
        report(63, 0, 3.0, 102.0, fee=0.1, is_done=True),
    )
    record.note("intent", at(61), intent_of())
    record.note("sent", at(61.125), {"client_order_id": NAME, "number": 0})
    record.note("outcome", at(61.1875), ended_body(0, NAME, "unknown", "no answer in 10 s"))
    record.note("order_state", at(61.25), state_at(61.25, "accepted", 0.0))
    record.note("trade", at(62), trade_at(62, 1.0, 101.0))
    record.note("trade", at(62.5), {"complete_to_ns": at(62.5)})
    record.note("trade", at(62.5), trade_at(62.5, 9.0, 99.0, order_id="x2"))
    record.note("trade", at(63), trade_at(63, 3.0, 102.0))
    record.note("order_state", at(63), state_at(63, "filled", 4.0))
    return record
