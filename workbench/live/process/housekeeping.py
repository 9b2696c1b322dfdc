"""What a session's process does beside trading: say how things are, watch its memory, and put full logs aside."""

from __future__ import annotations

import ctypes
import os
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.live.process.process_table import resident_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.live.session import LiveSession

__all__ = ["MemoryGuard", "give_back_memory", "summary_of", "turn_log"]

_WARNING_SHARE: Final = 0.8
_LOG_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_MB: Final = 1e6
_MOST_POSITIONS: Final = 20
_LONGEST_REASON: Final = 300
_CURVE_POINTS: Final = 48
# Column of the equity among those of a chart's equity rows.
_EQUITY: Final = 1


class MemoryGuard:
    """Compares the memory in use with a limit.

    Parameters
    ----------
    limit_bytes : int or None
        The limit; None for none.
    """

    def __init__(self, limit_bytes: int | None) -> None:
        self._limit_bytes = limit_bytes
        self._has_warned = False

    def warning(self) -> str | None:
        """Return what to tell people, once, when four fifths of the limit are in use."""
        if self._limit_bytes is None or self._has_warned:
            return None
        used = resident_bytes()
        if used < _WARNING_SHARE * self._limit_bytes:
            return None
        self._has_warned = True
        limit_mb = self._limit_bytes / _MB
        return f"{used / _MB:,.0f} MB of memory are in use; at {limit_mb:,.0f} MB the process is started again"

    @property
    def is_over(self) -> bool:
        """Whether more is in use than may be."""
        return self._limit_bytes is not None and resident_bytes() > self._limit_bytes


def give_back_memory() -> None:
    """Give free memory back to the system, where its allocator can: getting ready takes more than trading."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def turn_log(path: Path, limit_bytes: int) -> None:
    """Put a log aside that has grown beyond a limit, in place of the one before, and write on into a new one.

    The log is the standard output and error of this process.
    """
    if os.fstat(2).st_size <= limit_bytes:
        return
    path.replace(path.with_suffix(".log.1"))
    fresh = os.open(path, _LOG_FLAGS, 0o600)
    os.dup2(fresh, 1, inheritable=True)
    os.dup2(fresh, 2, inheritable=True)
    os.close(fresh)


def summary_of(session: LiveSession, began_s: float) -> dict[str, Any]:
    """Return what lists of sessions show of one: state, positions and figures at this moment."""
    account = session.snapshot()
    return {
        "name": session.name,
        "session_id": session.session_id,
        "state": str(session.state),
        "reason": session.reason[:_LONGEST_REASON],
        "symbols": list(session.symbols[:_MOST_POSITIONS]),
        "strategy": session.strategy.name,
        "timeframe": session.timeframe.name,
        "positions": [[one.symbol, one.quantity, one.mark_price] for one in account.positions[:_MOST_POSITIONS]],
        "mode": session.config.mode,
        "quote": session.config.symbols[0].partition("/")[2].partition(":")[0],
        "equity": account.equity,
        "curve": _thin_curve(session),
        "day_start_equity": account.day_start_equity,
        "drawdown": account.drawdown,
        "halted": list(account.halted),
        "pnl": account.equity - session.config.cash,
        "fills": account.fill_count,
        "market_ns": account.time_ns,
        "data_age_s": session.metrics()["data_age_s"],
        "bar_s": session.timeframe.seconds,
        "began_s": began_s,
        "time_s": time.time(),
    }


def _thin_curve(session: LiveSession) -> list[float]:
    """Return the equity of the newest bars at even distances, oldest first, and what it is now."""
    column = session.chart_state().equity[:, _EQUITY]
    chosen = np.linspace(0, len(column) - 1, min(_CURVE_POINTS, len(column))).astype(np.int64)
    # Eight digits are more than a small line can show.
    return [float(f"{value:.8g}") for value in (*column[chosen].tolist(), session.snapshot().equity)]
