"""A market's rules from what ccxt tells of it, and an order's numbers by those rules, as exact text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, OrderError
from workbench.exchange.market_data import MarketRules
from workbench.exchange.outcomes import Refused
from workbench.model.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.exchange.tickets import OrderTicket

__all__ = ["OrderNumbers", "instrument_of_market", "market_rules", "order_numbers"]

# ccxt's number for precisions that are steps (0.01) and not counts of digits.
_TICK_SIZE: Final = 4
_DECIMAL_PLACES: Final = 2


@dataclass(frozen=True, slots=True)
class OrderNumbers:
    """The numbers of an order as decimal text, on the exchange's steps.

    Attributes
    ----------
    quantity : str
        Rounded down to the lot.
    price : str or None
        On the tick; None for a market order.
    """

    quantity: str
    price: str | None


def instrument_of_market(
    exchange_name: str, symbol: str, market: Mapping[str, Any], *, has_steps: bool, has_digits: bool = False
) -> Instrument:
    """Return the trading rules that an exchange tells of a market.

    Parameters
    ----------
    exchange_name : str
        Name of the exchange, for the error.
    symbol : str
        Unified symbol.
    market : mapping
        The market as ccxt has it.
    has_steps : bool
        Whether its precisions are steps.
    has_digits : bool, default False
        Whether they are counts of digits behind the point, to be made steps of.

    Raises
    ------
    ConfigError
        The market is neither spot nor a linear perpetual.
    """
    if not (market.get("spot") or (market.get("swap") and market.get("linear"))):
        raise ConfigError(f"{symbol!r} of {exchange_name} is neither spot nor a linear perpetual")
    precision = market.get("precision") or {}
    steps = {
        name: _step(precision.get(name), has_steps=has_steps, has_digits=has_digits) for name in ("amount", "price")
    }
    cost = (market.get("limits") or {}).get("cost") or {}
    return Instrument(
        symbol,
        kind="spot" if market.get("spot") else "linear_perpetual",
        lot=steps["amount"],
        tick=steps["price"],
        min_notional=cost.get("min") or None,
        taker_fee=market.get("taker"),
        maker_fee=market.get("maker"),
    )


def market_rules(exchange_name: str, symbol: str, market: Mapping[str, Any], precision_mode: int) -> MarketRules:
    """Return the rules of a market as ccxt tells them.

    Parameters
    ----------
    exchange_name, symbol, market
        As for `instrument_of_market`.
    precision_mode : int
        ccxt's number for how precisions are meant.

    Raises
    ------
    ConfigError
        The market is neither spot nor a linear perpetual, or a contract of it is not one unit of the base.
    """
    # An amount would be a number of contracts there, and an order of ten coins one of ten contracts.
    if not market.get("spot") and market.get("contractSize") not in {None, 1}:
        raise ConfigError(
            f"a contract of {symbol!r} of {exchange_name} is {market['contractSize']} {market.get('base')}: "
            "only markets whose amounts are in the base currency can be traded"
        )
    has_steps, has_digits = precision_mode == _TICK_SIZE, precision_mode == _DECIMAL_PLACES
    limits = market.get("limits") or {}
    amount, price, cost = (limits.get(name) or {} for name in ("amount", "price", "cost"))
    return MarketRules(
        instrument=instrument_of_market(exchange_name, symbol, market, has_steps=has_steps, has_digits=has_digits),
        min_quantity=amount.get("min") or None,
        max_quantity=amount.get("max") or None,
        min_price=price.get("min") or None,
        max_price=price.get("max") or None,
        max_notional=cost.get("max") or None,
        is_active=market.get("active") is not False,
    )


def order_numbers(ticket: OrderTicket, rules: MarketRules) -> OrderNumbers | Refused:
    """Return the numbers of an order as the exchange takes them, or why it would not; nothing is sent for either.

    Quantities are only ever rounded down and prices only in our favour (a stop's against us), in exact decimals.

    Parameters
    ----------
    ticket : OrderTicket
        The order.
    rules : MarketRules
        Those of its market.
    """
    instrument = rules.instrument
    if not rules.is_active:
        return _refused("market_closed", f"{ticket.symbol} takes no orders now")
    quantity = Decimal(instrument.quantize_quantity(ticket.quantity))
    if quantity == 0:
        return _refused("lot", f"quantity must be at least one lot ({instrument.lot:g}), was {ticket.quantity}")
    bounds = ("min_quantity", "max_quantity", rules.min_quantity, rules.max_quantity)
    problem = _bound_problem(quantity, *bounds)
    price: Decimal | None = None
    if problem is None and ticket.price is not None and ticket.kind != "market":
        try:
            text = instrument.quantize_price(ticket.price, side=ticket.side, kind=ticket.kind)
        except OrderError as error:
            return _refused("price", str(error))
        price = Decimal(text)
        problem = _bound_problem(price, "price", "price", rules.min_price, rules.max_price)
    if problem is None and price is not None and not ticket.reduce_only:
        bounds = ("min_notional", "max_notional", instrument.min_notional, rules.max_notional)
        problem = _bound_problem(quantity * price, *bounds)
    if problem is not None:
        return problem
    return OrderNumbers(format(quantity, "f"), None if price is None else format(price, "f"))


def _bound_problem(
    value: Decimal, low_code: str, high_code: str, low: float | None, high: float | None
) -> Refused | None:
    if low is not None and value < _exact(low):
        return _refused(low_code, f"{low_code} is {low:g}, was {value:f} after rounding to the exchange's steps")
    if high is not None and value > _exact(high):
        return _refused(high_code, f"{high_code} is {high:g}, was {value:f}")
    return None


def _refused(code: str, reason: str) -> Refused:
    return Refused(reason, code, was_sent=False)


def _step(value: Any, *, has_steps: bool, has_digits: bool) -> float | None:  # noqa: ANN401 - ccxt has no types
    if value is None or not (has_steps or has_digits):
        return None
    return float(value) if has_steps else float(Decimal(1).scaleb(-int(value)))


def _exact(value: float) -> Decimal:
    """Return the decimal that a float was written as."""
    return Decimal(repr(float(value)))
