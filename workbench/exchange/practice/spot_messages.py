"""Spot orders, fills and balances as Binance words them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.exchange.practice.numbers import ZERO, decimal_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.exchange.practice.orders import Execution, PracticeFill, PracticeOrder
    from workbench.exchange.practice.spot_account import SpotAccount

__all__ = ["account_json", "execution_report", "fill_json", "new_order_json", "order_json", "position_event"]


def order_json(order: PracticeOrder) -> dict[str, object]:
    """Return an order as ``GET /api/v3/order`` answers it."""
    wanted = order.wanted
    return {
        "symbol": wanted.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": wanted.client_order_id,
        "price": decimal_text(wanted.price or ZERO),
        "origQty": decimal_text(wanted.quantity),
        "executedQty": decimal_text(order.filled),
        "cummulativeQuoteQty": decimal_text(order.filled_quote),
        "origQuoteOrderQty": decimal_text(wanted.quote_quantity),
        "status": order.status,
        "timeInForce": wanted.time_in_force,
        "type": wanted.wire_kind,
        "side": wanted.side,
        "stopPrice": decimal_text(wanted.stop_price or ZERO),
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.is_working,
        "workingTime": order.updated_ms if wanted.stop_price is not None else order.created_ms,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def new_order_json(order: PracticeOrder, response_type: str) -> dict[str, object]:
    """Return an order as ``POST /api/v3/order`` answers it: ``ACK``, ``RESULT`` or ``FULL`` with its fills."""
    wanted = order.wanted
    answer: dict[str, object] = {
        "symbol": wanted.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": wanted.client_order_id,
        "transactTime": order.created_ms,
    }
    if response_type == "ACK":
        return answer
    whole = order_json(order)
    names = ("price", "origQty", "executedQty", "cummulativeQuoteQty", "origQuoteOrderQty", "status", "timeInForce")
    answer |= {name: whole[name] for name in (*names, "type", "side", "workingTime", "selfTradePreventionMode")}
    if wanted.stop_price is not None:
        answer["stopPrice"] = whole["stopPrice"]
    if response_type == "FULL":
        answer["fills"] = [
            {
                "price": decimal_text(fill.price),
                "qty": decimal_text(fill.quantity),
                "commission": decimal_text(fill.fee),
                "commissionAsset": fill.fee_asset,
                "tradeId": fill.trade_id,
            }
            for fill in order.fills
        ]
    return answer


def fill_json(fill: PracticeFill) -> dict[str, object]:
    """Return a fill as ``GET /api/v3/myTrades`` answers it."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": decimal_text(fill.price),
        "qty": decimal_text(fill.quantity),
        "quoteQty": decimal_text(fill.price * fill.quantity),
        "commission": decimal_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account_json(account: SpotAccount, time_ms: int) -> dict[str, object]:
    """Return the account as ``GET /api/v3/account`` answers it."""
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "updateTime": time_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": decimal_text(free), "locked": decimal_text(account.locked.get(asset, ZERO))}
            for asset, free in sorted(account.free.items())
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def execution_report(execution: Execution) -> str:
    """Return an execution as the user stream tells it."""
    order, fill = execution.order, execution.fill
    wanted = order.wanted
    last_quote = ZERO if fill is None else fill.price * fill.quantity
    return json.dumps(
        {
            "e": "executionReport",
            "E": execution.time_ms,
            "s": wanted.symbol,
            "c": wanted.client_order_id,
            "S": wanted.side,
            "o": wanted.wire_kind,
            "f": wanted.time_in_force,
            "q": decimal_text(wanted.quantity),
            "p": decimal_text(wanted.price or ZERO),
            "P": decimal_text(wanted.stop_price or ZERO),
            "F": "0.00000000",
            "g": -1,
            # The id that was cancelled, or nothing: ccxt takes any text here for the order's own id.
            "C": wanted.client_order_id if execution.kind == "CANCELED" else "",
            "x": execution.kind,
            "X": order.status,
            "r": "NONE",
            "i": order.order_id,
            "l": decimal_text(ZERO if fill is None else fill.quantity),
            "z": decimal_text(order.filled),
            "L": decimal_text(ZERO if fill is None else fill.price),
            "n": "0" if fill is None else decimal_text(fill.fee),
            "N": None if fill is None else fill.fee_asset,
            "T": execution.time_ms,
            "t": -1 if fill is None else fill.trade_id,
            "I": order.order_id,
            "w": order.is_working,
            "m": fill is not None and fill.is_maker,
            "M": False,
            "O": order.created_ms,
            "Z": decimal_text(order.filled_quote),
            "Y": decimal_text(last_quote),
            "Q": decimal_text(wanted.quote_quantity),
            "W": order.created_ms,
            "V": "EXPIRE_MAKER",
        }
    )


def position_event(account: SpotAccount, assets: Iterable[str], time_ms: int) -> str:
    """Return the balances that changed as the user stream tells them."""
    return json.dumps(
        {
            "e": "outboundAccountPosition",
            "E": time_ms,
            "u": time_ms,
            "B": [
                {
                    "a": asset,
                    "f": decimal_text(account.free.get(asset, ZERO)),
                    "l": decimal_text(account.locked.get(asset, ZERO)),
                }
                for asset in assets
            ],
        }
    )
