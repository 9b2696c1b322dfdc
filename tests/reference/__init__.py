"""A slow, plain reading of the fill and risk rules, written from their text and not from the kernel.

Everything here is an object or a list; one event is handled by one obvious piece of code. The parity tests compare the
compiled core with it on random markets, so it must never borrow code from ``workbench.core``.
"""

from tests.reference.records import (
    BarGroup,
    BarPrices,
    Closed,
    CommandEvent,
    Decision,
    Denial,
    Filled,
    TickPrice,
    Trade,
    Trip,
)
from tests.reference.simulator import Simulator, run_reference

__all__ = [
    "BarGroup",
    "BarPrices",
    "Closed",
    "CommandEvent",
    "Decision",
    "Denial",
    "Filled",
    "Simulator",
    "TickPrice",
    "Trade",
    "Trip",
    "run_reference",
]
