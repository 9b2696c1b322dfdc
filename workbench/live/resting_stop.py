"""Which stop is to rest at an exchange for a position, and when one that rests there is to make way for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from workbench.core.order_state import LiveOrder
    from workbench.model import Instrument, PositionSnapshot
    from workbench.model.orders import OrderSide

__all__ = ["PLACE_AGAIN_S", "REPLACE_S", "WantedStop", "is_crossed", "is_impossible", "must_go", "wanted_stop"]

REPLACE_S: Final = 5.0
"""A stop whose level has moved is replaced no more often than once in so many real seconds."""

PLACE_AGAIN_S: Final = (1.0, 5.0, 10.0, 30.0, 60.0)
"""Waits before a stop that was refused is tried again, real seconds; the last one stays."""

# Binance's contracts; Bybit: a rising or a falling trigger that the price has passed; OKX: a stop of a short position
# below the last price, one of a long position above it.
_CROSSED_CODES: Final = frozenset({"-2021", "110092", "110093", "51278", "51280"})
# Parts of a tick or a quantity that are nothing: floats against exact decimals.
_NOTHING: Final = 1e-9


class WantedStop(NamedTuple):
    """What protects a position: a stop of its whole quantity at its nearest protective level."""

    side: OrderSide
    quantity: float
    level: float


def wanted_stop(position: PositionSnapshot | None, instrument: Instrument) -> WantedStop | None:
    """Return the stop that a `position` should have; None without a position, or without a level that protects it.

    Less than one lot can rest nowhere.
    """
    if position is None:
        return None
    levels = [level for level in (position.stop_level, position.trailing_level) if level is not None]
    quantity = abs(position.quantity)
    if not levels or float(instrument.quantize_quantity(quantity)) <= 0.0:
        return None
    if position.quantity > 0.0:
        return WantedStop("sell", quantity, max(levels))
    return WantedStop("buy", quantity, min(levels))


def must_go(order: LiveOrder, wanted: WantedStop | None, instrument: Instrument, *, may_follow: bool) -> bool:
    """Return whether a stop that rests must be cancelled: it protects another position, or from too far away.

    Parameters
    ----------
    order : LiveOrder
        The stop.
    wanted : WantedStop or None
        What should rest.
    instrument : Instrument
        Rules of its symbol.
    may_follow : bool
        Whether the last one rests for so long that a level which has moved may be followed.
    """
    intent = order.intent
    if wanted is None or wanted.side != intent.side:
        return True
    if order.told > 0.0:
        # It is being executed.
        return False
    slack = max(instrument.lot or 0.0, wanted.quantity * _NOTHING) * (1.0 - _NOTHING)
    if abs(intent.quantity - wanted.quantity) >= slack:
        return True
    sign = 1.0 if intent.side == "sell" else -1.0
    moved = sign * (wanted.level - (intent.price or 0.0))
    return may_follow and moved > (instrument.tick or 0.0) * (1.0 + _NOTHING)


def is_crossed(reason: str, code: str = "") -> bool:
    """Return whether an exchange refused a stop because the price is beyond its level already.

    Its code says so where it has one for that; others have one for all refusals, and say it in words.

    Examples
    --------
    >>> is_crossed("Stop price would trigger immediately.", "-2010"), is_crossed("whatever it says", "-2021")
    (True, True)
    >>> is_crossed("Account has insufficient balance for requested action.", "-2010")
    False
    """
    words = reason.lower()
    return code in _CROSSED_CODES or ("trigger" in words and "immediately" in words)


def is_impossible(reason: str) -> bool:
    """Return whether a stop was refused because none can be sent to the exchange at all."""
    return reason.endswith(" no stops")
