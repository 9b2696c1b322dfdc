"""The last 24 hours of a market in a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.exchange.practice.sources import NS_PER_DAY, Rows
from workbench.exchange.practice.stream_messages import DayFigures
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from workbench.exchange.practice.tape import Tape

__all__ = ["DayStatistics"]

_MINUTE: Final = Timeframe("1m")
_NS_PER_MS: Final = 1_000_000


class DayStatistics:
    """Figures of the day before any moment: 1 439 whole minutes and the one that is open.

    Parameters
    ----------
    tape : Tape
        The market.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._label_ns = -1
        self._minutes: Rows | None = None

    def at(self, now_ns: int) -> DayFigures:
        """Return the figures of the 24 hours up to a time, ns UTC."""
        label = _MINUTE.floor(now_ns)
        if self._minutes is None or label != self._label_ns:
            first = max(label + _MINUTE.ns - NS_PER_DAY, _MINUTE.floor(self._tape.source.span_ns[0]))
            self._minutes = self._tape.source.rows(_MINUTE, first, label)
            self._label_ns = label
        forming = self._tape.forming(_MINUTE, now_ns)
        opens, highs, lows, closes, volumes = np.hstack([self._minutes.values, forming.values])
        if not len(opens):
            price = self._tape.last(now_ns)[1]
            return DayFigures(now_ns // _NS_PER_MS, price, price, price, price, 0.0, 0.0, 0)
        return DayFigures(
            now_ns // _NS_PER_MS,
            float(opens[0]),
            float(highs.max()),
            float(lows.min()),
            float(closes[-1]),
            float(volumes.sum()),
            float((volumes * closes).sum()),
            len(opens),
        )
