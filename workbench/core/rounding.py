"""Round prices to the tick and quantities to the lot, always against us."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.compiled import inlined_kernel

if TYPE_CHECKING:
    from workbench.core.records import Record

# Part of a step that float arithmetic may be off: 30000 * 0.97 must not lose a tick.
EPSILON = 1e-6


@inlined_kernel
def round_down(value: float, step: float, steps_per_unit: float) -> float:
    """Return `value` rounded down to a multiple of `step`; unchanged when `step` is 0.

    `steps_per_unit` is ``1 / step`` where that is a whole number, else 0. Dividing by it gives the double nearest to
    the decimal price, where multiplying by `step` would not: ``3 * 0.1 != 0.3`` but ``3 / 10 == 0.3``.
    """
    if step <= 0.0 or not math.isfinite(value):
        return value
    if steps_per_unit > 0.0:
        return np.floor(value * steps_per_unit + EPSILON) / steps_per_unit
    return np.floor(value / step + EPSILON) * step


@inlined_kernel
def round_up(value: float, step: float, steps_per_unit: float) -> float:
    """Return `value` rounded up to a multiple of `step`; unchanged when `step` is 0."""
    if step <= 0.0 or not math.isfinite(value):
        return value
    if steps_per_unit > 0.0:
        return np.ceil(value * steps_per_unit - EPSILON) / steps_per_unit
    return np.ceil(value / step - EPSILON) * step


@inlined_kernel
def worse_price(instrument: Record, price: float, side: int) -> float:
    """Return `price` rounded to the tick so that a taker on `side` (+1 buys, -1 sells) pays more or gets less."""
    if side > 0:
        return round_up(price, instrument["tick"], instrument["ticks_per_unit"])
    return round_down(price, instrument["tick"], instrument["ticks_per_unit"])


@inlined_kernel
def patient_price(instrument: Record, price: float, side: int) -> float:
    """Return `price` rounded to the tick so that a limit on `side` is harder to reach and never violated."""
    return worse_price(instrument, price, -side)


@inlined_kernel
def slipped_price(instrument: Record, config: Record, price: float, side: int) -> float:
    """Return what a market order on `side` pays at event price `price` (fill rules R3, R11)."""
    return worse_price(instrument, price * (1.0 + side * config["slippage"]), side)


@inlined_kernel
def lot_quantity(instrument: Record, quantity: float) -> float:
    """Return `quantity` (>= 0) rounded down to the lot."""
    return round_down(quantity, instrument["lot"], instrument["lots_per_unit"])
