"""The recorded sequence of events: one array row per event, the same for live, replay and backtest."""

from typing import Final

import numpy as np

__all__ = ["BAR", "BAR_CLOSED", "COMMAND", "EVENT", "EVENT_KINDS", "REPORT", "TICK", "TIME_ADVANCED"]

TICK: Final = 1
"""A market print: ``a`` price, ``b`` volume."""

BAR_CLOSED: Final = 2
"""A bar of prints that have been events already: ``time_ns`` its open label, ``a`` to ``e`` open, high, low, close,
volume. Decision only."""

COMMAND: Final = 3
"""A person's command: ``a`` its code, an index of ``COMMANDS``; ``symbol`` -1."""

REPORT: Final = 4
"""What an exchange said of an order."""

TIME_ADVANCED: Final = 5
"""Time passed without a print: ``symbol`` -1."""

BAR: Final = 6
"""A bar of a bar-only source: ``time_ns`` its open label, ``a`` to ``e`` open, high, low, close, volume. It stands for
four prices and the decision."""

EVENT_KINDS: Final = {
    TICK: "tick",
    BAR_CLOSED: "bar_closed",
    COMMAND: "command",
    REPORT: "report",
    TIME_ADVANCED: "time_advanced",
    BAR: "bar",
}
"""The name of each kind, for messages and journals."""

EVENT: Final = np.dtype(
    [
        ("kind", "i8"),
        ("symbol", "i8"),
        ("time_ns", "i8"),
        ("a", "f8"),
        ("b", "f8"),
        ("c", "f8"),
        ("d", "f8"),
        ("e", "f8"),
        ("remaining", "i8"),
    ]
)
"""One event: its kind, the index of its symbol, its time in nanoseconds UTC, five numbers whose meaning the kind gives,
and how many rows of the same group of bars
are still to come (0 for all other kinds). Rows of kind ``BAR`` with one timestamp are contiguous."""
