"""Orders, fills and positions of perpetuals as Binance words them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.exchange.practice.numbers import EXACT, ZERO, decimal_text, to_coins

if TYPE_CHECKING:
    from decimal import Decimal

    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import Execution, PracticeFill, PracticeOrder
    from workbench.exchange.practice.perpetual_account import PerpetualAccount, PracticePosition

__all__ = [
    "account_json",
    "account_update",
    "algo_order_json",
    "fill_json",
    "order_json",
    "order_update",
    "position_risk_json",
]


def order_json(order: PracticeOrder) -> dict[str, object]:
    """Return an order as ``/fapi/v1/order`` answers it."""
    wanted = order.wanted
    return {
        "orderId": order.order_id,
        "symbol": wanted.symbol,
        "status": order.status,
        "clientOrderId": wanted.client_order_id,
        "price": decimal_text(wanted.price or ZERO),
        "avgPrice": decimal_text(_average(order)),
        "origQty": decimal_text(wanted.quantity),
        "executedQty": decimal_text(order.filled),
        "cumQty": decimal_text(order.filled),
        "cumQuote": decimal_text(order.filled_quote),
        "timeInForce": _time_in_force(order),
        "type": wanted.wire_kind,
        "origType": wanted.wire_kind,
        "reduceOnly": wanted.reduce_only,
        "closePosition": False,
        "side": wanted.side,
        "positionSide": "BOTH",
        "stopPrice": decimal_text(wanted.stop_price or ZERO),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def algo_order_json(order: PracticeOrder) -> dict[str, object]:
    """Return a conditional order as ``/fapi/v1/algoOrder`` answers it."""
    wanted = order.wanted
    is_triggered = order.is_working or order.filled > ZERO
    return {
        "algoId": order.order_id,
        "clientAlgoId": wanted.client_order_id,
        "algoType": "CONDITIONAL",
        "orderType": wanted.wire_kind,
        "symbol": wanted.symbol,
        "side": wanted.side,
        "positionSide": "BOTH",
        "timeInForce": _time_in_force(order),
        "quantity": decimal_text(wanted.quantity),
        "algoStatus": "FINISHED" if order.status == "FILLED" else order.status,
        "actualOrderId": str(order.order_id) if is_triggered else "",
        "actualPrice": decimal_text(_average(order)),
        "triggerPrice": decimal_text(wanted.stop_price or ZERO),
        "price": decimal_text(wanted.price or ZERO),
        "icebergQuantity": None,
        "workingType": "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": wanted.reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.updated_ms if is_triggered else 0,
        "goodTillDate": 0,
    }


def fill_json(fill: PracticeFill) -> dict[str, object]:
    """Return a fill as ``GET /fapi/v1/userTrades`` answers it."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": decimal_text(fill.price),
        "qty": decimal_text(fill.quantity),
        "realizedPnl": decimal_text(fill.realized_pnl),
        "quoteQty": decimal_text(fill.price * fill.quantity),
        "commission": decimal_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "positionSide": "BOTH",
        "buyer": fill.side == "BUY",
        "maker": fill.is_maker,
    }


def position_risk_json(position: PracticePosition, mark: Decimal, account: PerpetualAccount) -> dict[str, object]:
    """Return a position as ``positionRisk`` answers it."""
    return {
        "symbol": position.listing.symbol,
        "positionSide": "BOTH",
        "positionAmt": decimal_text(position.amount),
        "entryPrice": decimal_text(position.entry_price),
        "breakEvenPrice": decimal_text(position.entry_price),
        "markPrice": decimal_text(mark),
        "unRealizedProfit": decimal_text(position.unrealized(mark)),
        "liquidationPrice": decimal_text(_liquidation_price(position, mark, account)),
        "isolatedMargin": "0.00000000",
        "isolatedWallet": "0.00000000",
        "notional": decimal_text(position.notional(mark)),
        "marginAsset": position.listing.quote,
        "marginType": position.margin_type,
        "leverage": str(position.leverage),
        "initialMargin": decimal_text(to_coins(position.initial(mark))),
        "maintMargin": decimal_text(position.maintenance(mark)),
        "positionInitialMargin": decimal_text(to_coins(position.initial(mark))),
        "openOrderInitialMargin": "0.00000000",
        "adl": 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated_ms,
    }


def account_json(account: PerpetualAccount, time_ms: int) -> dict[str, object]:
    """Return the account as ``/fapi/v3/account`` answers it."""
    assets = [_asset_json(account, asset, time_ms) for asset in sorted(account.wallets)]
    positions = [
        _position_json(position, account.marks[symbol], account)
        for symbol, position in sorted(account.positions.items())
        if position.amount != ZERO
    ]
    names = ("walletBalance", "unrealizedProfit", "marginBalance", "availableBalance", "maintMargin")
    first = assets[0] if assets else dict.fromkeys(names, "0")
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": False,
        "canWithdraw": False,
        "multiAssetsMargin": False,
        "updateTime": time_ms,
        "totalWalletBalance": first["walletBalance"],
        "totalUnrealizedProfit": first["unrealizedProfit"],
        "totalMarginBalance": first["marginBalance"],
        "totalMaintMargin": first["maintMargin"],
        "availableBalance": first["availableBalance"],
        "assets": assets,
        "positions": positions,
    }


def order_update(execution: Execution) -> str:
    """Return an execution as the user stream tells it."""
    order, fill = execution.order, execution.fill
    wanted = order.wanted
    body: dict[str, object] = {
        "s": wanted.symbol,
        "c": wanted.client_order_id,
        "S": wanted.side,
        "o": wanted.wire_kind,
        "f": _time_in_force(order),
        "q": decimal_text(wanted.quantity),
        "p": decimal_text(wanted.price or ZERO),
        "ap": decimal_text(_average(order)),
        "sp": decimal_text(wanted.stop_price or ZERO),
        "x": execution.kind,
        "X": order.status,
        "i": order.order_id,
        "l": decimal_text(ZERO if fill is None else fill.quantity),
        "z": decimal_text(order.filled),
        "L": decimal_text(ZERO if fill is None else fill.price),
        "T": execution.time_ms,
        "t": 0 if fill is None else fill.trade_id,
        "b": "0",
        "a": "0",
        "m": fill is not None and fill.is_maker,
        "R": wanted.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": wanted.wire_kind,
        "ps": "BOTH",
        "cp": False,
        "rp": decimal_text(ZERO if fill is None else fill.realized_pnl),
        "pP": False,
        "si": 0,
        "ss": 0,
    }
    if fill is not None:
        body |= {"N": fill.fee_asset, "n": decimal_text(fill.fee)}
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": execution.time_ms, "T": execution.time_ms, "o": body})


def account_update(account: PerpetualAccount, listing: Listing, reason: str, time_ms: int) -> str:
    """Return the wallet and position that changed as the user stream tells them."""
    position = account.position(listing)
    wallet = decimal_text(account.wallets.get(listing.quote, ZERO))
    body = {
        "m": reason,
        "B": [{"a": listing.quote, "wb": wallet, "cw": wallet, "bc": "0"}],
        "P": [
            {
                "s": listing.symbol,
                "pa": decimal_text(position.amount),
                "ep": decimal_text(position.entry_price),
                "bep": decimal_text(position.entry_price),
                "cr": decimal_text(position.realized_pnl),
                "up": decimal_text(position.unrealized(account.marks[listing.symbol])),
                "mt": position.margin_type,
                "iw": "0",
                "ps": "BOTH",
            }
        ],
    }
    return json.dumps({"e": "ACCOUNT_UPDATE", "E": time_ms, "T": time_ms, "a": body})


def _asset_json(account: PerpetualAccount, asset: str, time_ms: int) -> dict[str, object]:
    wallet, unrealized = account.wallets[asset], account.unrealized(asset)
    margin = account.position_margin(asset)
    held = account.order_margin.get(asset, ZERO)
    figures = {
        "walletBalance": wallet,
        "unrealizedProfit": unrealized,
        "marginBalance": wallet + unrealized,
        "maintMargin": account.maintenance(asset),
        "initialMargin": to_coins(margin + held),
        "positionInitialMargin": to_coins(margin),
        "openOrderInitialMargin": held,
        "crossWalletBalance": wallet,
        "crossUnPnl": unrealized,
        "availableBalance": to_coins(max(account.available(asset), ZERO)),
        "maxWithdrawAmount": to_coins(max(account.available(asset), ZERO)),
    }
    texts: dict[str, object] = {name: decimal_text(figure) for name, figure in figures.items()}
    return {"asset": asset, **texts, "marginAvailable": True, "updateTime": time_ms}


def _position_json(position: PracticePosition, mark: Decimal, account: PerpetualAccount) -> dict[str, object]:
    """Return a position as the account's answer lists it, where its profit has another name."""
    unrealized = decimal_text(position.unrealized(mark))
    return position_risk_json(position, mark, account) | {"unrealizedProfit": unrealized, "isolated": False}


def _liquidation_price(position: PracticePosition, mark: Decimal, account: PerpetualAccount) -> Decimal:
    """Return the price at which margin ends if no other market moves; 0 when flat or never."""
    if position.amount == ZERO:
        return ZERO
    asset = position.listing.quote
    equity = account.wallets.get(asset, ZERO) + account.unrealized(asset)
    others = account.maintenance(asset) - position.maintenance(mark)
    rate = EXACT.divide(position.maintenance(mark), abs(position.notional(mark)))
    # equity + amount * (p - mark) = others + |amount| * p * rate, solved for p
    slope = position.amount - abs(position.amount) * rate
    price = EXACT.divide(others - equity + position.amount * mark, slope)
    return max(to_coins(price), ZERO)


def _average(order: PracticeOrder) -> Decimal:
    return to_coins(EXACT.divide(order.filled_quote, order.filled)) if order.filled else ZERO


def _time_in_force(order: PracticeOrder) -> str:
    return "GTX" if order.wanted.kind == "LIMIT_MAKER" else order.wanted.time_in_force
