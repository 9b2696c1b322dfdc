"""What a session tells its readers: frozen records that are safe to keep and to read from any thread."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from workbench.live.real_mode import SessionMode
    from workbench.model import AccountState, Bar, StepResult

__all__ = [
    "BAR_COLUMNS",
    "EQUITY_COLUMNS",
    "ChartState",
    "ErrorRecord",
    "LiveStep",
    "Mark",
    "SessionEvent",
    "StepUpdate",
]

BAR_COLUMNS: Final = 6
EQUITY_COLUMNS: Final = 3
_LONGEST_TRACEBACK: Final = 8_000

Mark = tuple[int, float, int, str, int]
"""One fill on a chart: time in ns UTC, price, side (+1 buy, -1 sell), a short text, and the side that is held after it
(+1 long, -1 short, 0 flat)."""


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """Something that went wrong while the session went on.

    Attributes
    ----------
    time_ns : int
        Time of the market, ns UTC; 0 before the first event.
    place : str
        ``"strategy"``, ``"callback"``, ``"subscriber"`` or ``"session"``.
    message : str
        What happened, with the class of the exception.
    traceback : str
        The traceback as text, its last 8,000 characters at most.
    """

    time_ns: int
    place: str
    message: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException, place: str, time_ns: int) -> ErrorRecord:
        """Return the record of an `error` that happened at `place` at market time `time_ns`.

        Examples
        --------
        >>> ErrorRecord.of(ValueError("no such bar"), "strategy", 0).message
        'strategy: ValueError: no such bar'
        """
        text = "".join(traceback.format_exception(error))[-_LONGEST_TRACEBACK:]
        return cls(time_ns, place, f"{place}: {type(error).__name__}: {error}", text)

    def __str__(self) -> str:
        return f"{utc_text(self.time_ns, to_second=True)} {self.message}" if self.time_ns else self.message


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something that happened to the session itself, for people to read.

    Attributes
    ----------
    time_ns : int
        Time of the market, ns UTC; 0 before the first event.
    kind : str
        ``"state"``, ``"command"``, ``"breaker"`` or ``"warning"``.
    text : str
        One sentence.
    mode : {"paper", "real"}, default "paper"
        Whether it is about real money.
    """

    time_ns: int
    kind: str
    text: str
    mode: SessionMode = "paper"

    def __str__(self) -> str:
        text = self.text if self.mode == "paper" else f"REAL MONEY {self.text}"
        return f"{utc_text(self.time_ns, to_second=True)} {text}" if self.time_ns else text


@dataclass(frozen=True, slots=True)
class LiveStep:
    """What one step of the trading engine did.

    Attributes
    ----------
    result : StepResult
        Fills, closed trades, denials, breaker trips and the account afterwards.
    closed : tuple of Bar
        Bars that closed in this step.
    forming : tuple of Bar
        Bars that are open after it, one per symbol at most; none when the source sends whole bars.
    time_ns : int
        Time of the market after the step, ns UTC.
    """

    result: StepResult
    closed: tuple[Bar, ...]
    forming: tuple[Bar, ...]
    time_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class StepUpdate:
    """What one step changed on the chart; its number is one more than that of the update before it.

    Attributes
    ----------
    sequence : int
        Number of the update, from 1.
    bar_rows : ndarray of float64, shape (n, 6)
        Changed bars: time (ms UTC), open, high, low, close, volume. A row with a known time replaces that bar.
    equity_rows : ndarray of float64, shape (n, 3)
        New points: time (ms UTC), equity, drawdown as a fraction <= 0.
    marks : tuple of Mark
        New fills.
    lines : mapping of str to float
        Price levels of the open position now.
    snapshot : AccountState
        The account after the step.
    """

    sequence: int
    bar_rows: NDArray[np.float64]
    equity_rows: NDArray[np.float64]
    marks: tuple[Mark, ...]
    lines: Mapping[str, float]
    snapshot: AccountState


@dataclass(frozen=True, slots=True, eq=False)
class ChartState:
    """Everything that a chart shows at one moment; arrays as in `StepUpdate`, at most 5,000 rows each.

    Attributes
    ----------
    sequence : int
        Number of the last update that is part of it.
    symbol : str
        Symbol of the bars, marks and lines; equity is the account's.
    timeframe_ns : int
        Length of a bar in ns.
    bars : ndarray of float64, shape (n, 6)
        Oldest first; the last bar may still be forming.
    equity : ndarray of float64, shape (m, 3)
        One point for each bar that closed while the session ran.
    marks : tuple of Mark
        Fills, oldest first.
    lines : mapping of str to float
        Price levels of the open position.
    now : tuple of float, optional
        Equity, and drawdown as a fraction <= 0, after the last step; None before the first one.
    """

    sequence: int
    symbol: str
    timeframe_ns: int
    bars: NDArray[np.float64]
    equity: NDArray[np.float64]
    marks: tuple[Mark, ...]
    lines: Mapping[str, float]
    now: tuple[float, float] | None = None
