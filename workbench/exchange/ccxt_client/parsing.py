"""ccxt's dictionaries as our records; what cannot be one is a `DataError` and reaches nobody."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.errors import DataError
from workbench.exchange.market_data import Candle, ExchangePosition, MarketTrade
from workbench.exchange.order_states import OrderState, OwnTrade
from workbench.model.bars_checks import bar_problem
from workbench.model.field_checks import Interval, shown
from workbench.model.orders import ORDER_SIDES
from workbench.model.times import is_plausible_time_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.model.orders import OrderSide, OrderStatus

__all__ = ["parse_candle", "parse_market_trade", "parse_order", "parse_own_trade", "parse_position"]

# What exchanges call a stop that becomes a market order.
_STOP_WORDS: Final = frozenset({"market", "stop_loss", "stop_market", "stop", "conditional"})
_NS_PER_MS: Final = 1_000_000
_POSITIVE: Final = Interval(0.0, float("inf"))
_NOT_NEGATIVE: Final = Interval(0.0, float("inf"), includes_low=True)
_CANDLE_COLUMNS: Final = 6
_STATUSES: Final[dict[str, OrderStatus]] = {
    "closed": "filled",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "canceling": "accepted",
    "expired": "expired",
    "expired_in_match": "expired",
    "rejected": "rejected",
}


def parse_candle(symbol: str, row: Sequence[Any], *, is_closed: bool | None) -> Candle:
    """Return a candle of a `symbol` from ccxt's `row` of time in ms, four prices and volume.

    A seventh entry is the exchange's own word that the candle is closed, else `is_closed` holds.

    Raises
    ------
    DataError
        A number is missing or breaks a bar's rules, or the time is no time.
    """
    if len(row) < _CANDLE_COLUMNS or not all(isinstance(value, int | float) for value in row[:_CANDLE_COLUMNS]):
        raise DataError(f"{symbol} candle must be a time and five numbers, was {list(row)!r}")
    time_ns = _time_ns(symbol, "candle", row[0])
    numbers = [float(value) for value in row[1:_CANDLE_COLUMNS]]
    problem = bar_problem(*numbers)
    if problem is not None:
        raise DataError(f"{symbol} candle: {problem}")
    closed = bool(row[_CANDLE_COLUMNS]) if len(row) > _CANDLE_COLUMNS else is_closed
    opened, high, low, close, volume = numbers
    return Candle(symbol, time_ns, opened, high, low, close, volume, closed)


def parse_market_trade(symbol: str, trade: Mapping[str, Any]) -> MarketTrade:
    """Return a trade between others of a `symbol` from ccxt's `trade`.

    Raises
    ------
    DataError
        The price or quantity is no number of its range, or the time is no time.
    """
    time_ns = _time_ns(symbol, "trade", trade.get("timestamp"))
    price = _number(symbol, "trade price", trade.get("price"), _POSITIVE)
    quantity = _number(symbol, "trade quantity", trade.get("amount"), _NOT_NEGATIVE)
    side = trade.get("side")
    return MarketTrade(symbol, _text(trade.get("id")), time_ns, price, quantity, side if side in ORDER_SIDES else None)


def parse_own_trade(trade: Mapping[str, Any]) -> OwnTrade:
    """Return a trade of ours from ccxt's `trade`.

    Raises
    ------
    DataError
        It has no id, order or side, or a number is none of its range.
    """
    symbol = str(trade.get("symbol"))
    trade_id, order_id = _text(trade.get("id")), _text(trade.get("order"))
    if trade_id is None or order_id is None:
        raise DataError(f"{symbol} own trade must have an id and an order, was {trade_id!r} of {order_id!r}")
    fee = trade.get("fee") or next(iter(trade.get("fees") or ()), None) or {}
    maker = trade.get("takerOrMaker")
    info = trade.get("info") if isinstance(trade.get("info"), dict) else {}
    return OwnTrade(
        symbol=symbol,
        trade_id=trade_id,
        order_id=order_id,
        client_order_id=_text(trade.get("clientOrderId") or (info or {}).get("c")),
        side=_side(symbol, trade.get("side")),
        quantity=_number(symbol, "own trade quantity", trade.get("amount"), _POSITIVE),
        price=_number(symbol, "own trade price", trade.get("price"), _POSITIVE),
        fee=float(fee.get("cost") or 0.0),
        fee_currency=_text(fee.get("currency")),
        time_ns=_time_ns(symbol, "own trade", trade.get("timestamp")),
        is_maker=None if maker is None else maker == "maker",
    )


def parse_order(order: Any) -> OrderState:  # noqa: ANN401 - ccxt has no types
    """Return the state of an order from ccxt's `order`.

    Raises
    ------
    DataError
        It is no order: no id, no side, a quantity that is none, or more filled than ordered.
    """
    order_id = _text(order.get("id")) if isinstance(order, dict) else None
    if order_id is None:
        raise DataError("the answer is no order: it has no id")
    symbol = str(order.get("symbol"))
    filled = _number(symbol, "filled quantity", order.get("filled") or 0.0, _NOT_NEGATIVE)
    quantity = _number(symbol, "order quantity", order.get("amount"), _POSITIVE)
    if filled > quantity:
        raise DataError(f"{symbol} order {order_id}: filled must be at most {quantity}, was {filled}")
    stop = order.get("stopPrice") or order.get("triggerPrice") or order.get("stopLossPrice")
    word = str(order.get("type") or "unknown").lower()
    kind = "stop" if stop and word in _STOP_WORDS else word
    return OrderState(
        symbol=symbol,
        order_id=order_id,
        client_order_id=_text(order.get("clientOrderId")),
        side=_side(symbol, order.get("side")),
        kind=kind,
        quantity=quantity,
        filled=filled,
        average_price=_optional(order.get("average")),
        # For a market order ccxt fills in what it was executed at.
        price=None if kind == "market" else _optional(stop if kind == "stop" else order.get("price")),
        status=_status(order.get("status"), filled, quantity),
        time_ns=_whole_ns(order.get("timestamp")),
        update_ns=_whole_ns(order.get("lastUpdateTimestamp") or order.get("lastTradeTimestamp")),
    )


def parse_position(position: Mapping[str, Any]) -> ExchangePosition | None:
    """Return an open position from ccxt's `position`; None when nothing is held.

    Raises
    ------
    DataError
        Its size or side is not told: an unknown position is not a flat one.
    """
    symbol = str(position.get("symbol"))
    contracts = position.get("contracts")
    if contracts is None:
        raise DataError(f"{symbol} position: its size is missing")
    size = _number(symbol, "position size", contracts, _NOT_NEGATIVE) * float(position.get("contractSize") or 1.0)
    if size == 0.0:
        return None
    if position.get("side") not in {"long", "short"}:
        raise DataError(f"{symbol} position: side must be long or short, was {position.get('side')!r}")
    return ExchangePosition(
        symbol=symbol,
        quantity=size if position["side"] == "long" else -size,
        entry_price=_optional(position.get("entryPrice")),
        mark_price=_optional(position.get("markPrice")),
        liquidation_price=_optional(position.get("liquidationPrice")),
        leverage=_optional(position.get("leverage")),
    )


def _status(word: object, filled: float, quantity: float) -> OrderStatus:
    if word in {"open", "new", "partially_filled"}:
        return "partly_filled" if filled > 0.0 else "accepted"
    if word == "closed" and filled < quantity:
        # Some exchanges close an order that they cut short, and the rest of it is gone.
        return "cancelled"
    return _STATUSES.get(str(word).lower(), "unknown")


def _number(symbol: str, what: str, value: object, interval: Interval) -> float:
    if value not in interval:
        raise DataError(f"{symbol} {what} must be in {interval}, was {shown(value)}")
    return float(cast("float", value))


def _time_ns(symbol: str, what: str, time_ms: object) -> int:
    time_ns = int(time_ms) * _NS_PER_MS if isinstance(time_ms, int | float) and math.isfinite(time_ms) else 0
    if not is_plausible_time_ns(time_ns):
        raise DataError(
            f"{symbol} {what}: time must be milliseconds UTC of the years 2009 to 2099, was {shown(time_ms)}"
        )
    return time_ns


def _whole_ns(time_ms: object) -> int:
    return int(time_ms) * _NS_PER_MS if isinstance(time_ms, int | float) and math.isfinite(time_ms) else 0


def _side(symbol: str, side: object) -> OrderSide:
    if side not in ORDER_SIDES:
        raise DataError(f"{symbol}: side must be buy or sell, was {shown(side)}")
    return side


def _optional(value: object) -> float | None:
    """Return a positive number, or None for one that is missing, which exchanges write as 0 too."""
    return float(cast("float", value)) if value in _POSITIVE else None


def _text(value: object) -> str | None:
    return str(value) if value not in {None, ""} else None
