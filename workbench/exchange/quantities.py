"""Exact amounts: what a trade really brought, what of it can be sold, and how an order is cut into parts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final

from workbench.errors import OrderError
from workbench.model.field_checks import Interval, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.exchange.market_data import MarketRules
    from workbench.exchange.order_states import OwnTrade
    from workbench.model.instrument import Instrument

__all__ = ["SellableQuantity", "held_base", "sellable_quantity", "split_quantity"]

# Wide enough that no sum of amounts is ever rounded, whatever context the caller has set.
_EXACT: Final = Context(prec=80)
_FRACTION: Final = Interval(0.0, 1.0, includes_high=True)
_ZERO: Final = Decimal(0)
# Fractions such as three times 1/3 are one but for their last bits.
_ROUNDING: Final = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class SellableQuantity:
    """A holding in two parts, as exact decimals; together they are the holding.

    Parameters
    ----------
    quantity : Decimal
        What an order can sell, a multiple of the lot; 0 when all is dust.
    dust : Decimal
        What stays behind.
    """

    quantity: Decimal
    dust: Decimal


def held_base(trades: Iterable[OwnTrade], base: str) -> Decimal:
    """Return by how much some trades changed the holding of a coin, fees that were taken in it included.

    Parameters
    ----------
    trades : iterable of OwnTrade
        Of one symbol.
    base : str
        The coin, such as ``BTC``.

    Examples
    --------
    >>> from workbench.exchange.order_states import OwnTrade
    >>> bought = OwnTrade(symbol="BTC/USDT", trade_id="1", order_id="1", client_order_id=None, side="buy",
    ...                   quantity=0.1, price=100.0, fee=0.0001, fee_currency="BTC", time_ns=0, is_maker=False)
    >>> held_base([bought], "BTC")
    Decimal('0.0999')
    """
    held = _ZERO
    for trade in trades:
        quantity = _exact(trade.quantity)
        held = _EXACT.add(held, quantity if trade.side == "buy" else -quantity)
        if trade.fee_currency == base:
            held = _EXACT.subtract(held, _exact(trade.fee))
    return held


def sellable_quantity(rules: MarketRules, held: Decimal, price: float) -> SellableQuantity:
    """Return what of a holding an order can sell, and the dust that is left over.

    Parameters
    ----------
    rules : MarketRules
        The market's steps and smallest order.
    held : Decimal
        The holding in the base currency; below 0 counts as nothing.
    price : float
        Price at which it would be sold, for the smallest order; finite and above 0.

    Raises
    ------
    OrderError
        The price is none.
    """
    if price not in Interval(0.0, float("inf")):
        raise OrderError(f"price must be in (0, inf), was {shown(price)}")
    held = max(held, _ZERO)
    quantity = _floor(held, rules.instrument.lot)
    is_too_small = rules.min_quantity is not None and quantity < _exact(rules.min_quantity)
    least = rules.instrument.min_notional
    is_too_cheap = least is not None and _EXACT.multiply(quantity, _exact(price)) < _exact(least)
    if is_too_small or is_too_cheap:
        quantity = _ZERO
    return SellableQuantity(quantity, _EXACT.subtract(held, quantity))


def split_quantity(instrument: Instrument, quantity: float, fractions: Sequence[float]) -> tuple[Decimal, ...]:
    """Return a quantity in parts, each a multiple of the lot; the last takes what rounding leaves.

    Parameters
    ----------
    instrument : Instrument
        Whose lot counts.
    quantity : float
        What is to be cut, finite and at least 0.
    fractions : sequence of float
        Of each part, in (0, 1]; together 1.

    Returns
    -------
    tuple of Decimal
        As many as fractions; together exactly `quantity` rounded down to the lot. A part may be 0.

    Raises
    ------
    OrderError
        A fraction is out of its range, they are not 1 together, or the quantity is none.

    Examples
    --------
    >>> from workbench.model.instrument import Instrument
    >>> split_quantity(Instrument("BTC/USDT", lot=0.001), 0.011, [0.5, 0.25, 0.25])
    (Decimal('0.005'), Decimal('0.002'), Decimal('0.004'))
    """
    if not fractions or not all(fraction in _FRACTION for fraction in fractions):
        raise OrderError(f"fractions must each be in {_FRACTION}, were {list(fractions)}")
    total = sum((_exact(fraction) for fraction in fractions), _ZERO)
    if abs(total - 1) > _ROUNDING:
        raise OrderError(f"fractions must be 1 together, were {total}")
    whole = Decimal(instrument.quantize_quantity(quantity))
    parts = [_floor(_EXACT.multiply(whole, _exact(fraction)), instrument.lot) for fraction in fractions[:-1]]
    rest = whole
    for part in parts:
        rest = _EXACT.subtract(rest, part)
    return (*parts, rest)


def _floor(value: Decimal, step: float | None) -> Decimal:
    if step is None:
        return value
    exact_step = _exact(step)
    return _EXACT.multiply(_EXACT.divide_int(value, exact_step), exact_step)


def _exact(value: float) -> Decimal:
    """Return the decimal that a float was written as."""
    return Decimal(repr(float(value)))
