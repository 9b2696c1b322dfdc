"""The border between a session and code that is not ours: callbacks and the strategy may fail, trading goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from workbench.errors import ConfigError
from workbench.live.bounded import BoundedLog
from workbench.live.order_storm import ORDERS_PER_MINUTE, OrderStorm
from workbench.live.records import ErrorRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.live.records import LiveStep
    from workbench.model import Bar, Fill

__all__ = ["EngineCallbacks", "Guard"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCallbacks:
    """What to call while an engine runs, on its feeding thread; an exception is counted and recorded, never raised.

    Attributes
    ----------
    new_bar : callable, optional
        Called with each closed bar, a partial first one included.
    order_executed : callable, optional
        Called with each fill.
    error : callable, optional
        Called with each `ErrorRecord`; an exception here is only counted.
    """

    new_bar: Callable[[Bar], None] | None = None
    order_executed: Callable[[Fill], None] | None = None
    error: Callable[[ErrorRecord], None] | None = None


class Guard:
    """Calls callbacks, and keeps and counts what fails in them and in the strategy.

    Parameters
    ----------
    callbacks : EngineCallbacks
        Whom to tell.
    symbols : tuple of str
        The session's symbols.
    limit : int, default 5
        Bars in a row on which the strategy may fail, at least 1.
    capacity : int, default 1000
        Errors to keep.
    """

    def __init__(
        self, callbacks: EngineCallbacks, symbols: tuple[str, ...], *, limit: int = 5, capacity: int = 1_000
    ) -> None:
        if limit < 1:
            raise ConfigError(f"max_strategy_errors must be >= 1, was {limit}")
        self.errors: BoundedLog[ErrorRecord] = BoundedLog(capacity)
        self._callbacks = callbacks
        self._symbols = symbols
        self._limit = limit
        self._failed_in_a_row = 0
        self._fails_now = False
        self._failing_reason: str | None = None
        self._storm = OrderStorm()
        self._counts = {"strategy_errors": 0, "callback_errors": 0}

    @property
    def counts(self) -> dict[str, int]:
        """``strategy_errors`` and ``callback_errors``."""
        return dict(self._counts)

    @property
    def failing_reason(self) -> str | None:
        """Why entries are halted: it failed, or it is an order storm; None when the strategy works."""
        return self._failing_reason

    @property
    def failed_in_a_row(self) -> int:
        """On how many bars the strategy failed without a good one since."""
        return self._failed_in_a_row

    def strategy_failed(self, error: Exception, symbol: int, time_ns: int) -> None:
        """Take an exception of the strategy on one bar; the core has skipped its decision."""
        self._fails_now = True
        self._counts["strategy_errors"] += 1
        self.record(ErrorRecord.of(error, f"strategy on {self._symbols[symbol]}", time_ns))

    def forgive(self) -> None:
        """Forget that the strategy failed, or wanted too many entries."""
        self._failed_in_a_row = 0
        self._failing_reason = None
        self._storm = OrderStorm()

    def settle(self) -> None:
        """Take what failed so far, in steps that were told before, as told."""
        self._fails_now = False

    def go_on(self, failed_in_a_row: int) -> None:
        """Take up the row of failures where an earlier run of the session left it."""
        self._failed_in_a_row = failed_in_a_row

    def halt(self, reason: str) -> None:
        """Take up that entries were halted, and why, where an earlier run of the session left it."""
        self._failing_reason = reason

    def tell(self, step: LiveStep) -> bool:
        """Call back what a step did; return whether the strategy has just lost its entries.

        It has when it failed too often in a row, or wants entries on and on beyond the limit of orders per minute.
        """
        self._call_each(self._callbacks.new_bar, step.closed, step.time_ns)
        self._call_each(self._callbacks.order_executed, step.result.fills, step.time_ns)
        if self._fails_now:
            self._fails_now = False
            self._failed_in_a_row += 1
        elif step.closed:
            self._failed_in_a_row = 0
        was_trusted = self._failing_reason is None
        for denial in step.result.denials:
            if denial.rule == ORDERS_PER_MINUTE:
                self.turned_away(denial.symbol, denial.time_ns)
        if self._failed_in_a_row >= self._limit and self._failing_reason is None:
            last = self.errors.newest(1)[0].message
            self._failing_reason = f"the strategy failed on {self._limit} bars in a row, at last with {last}"
        return was_trusted and self._failing_reason is not None

    def turned_away(self, symbol: str, time_ns: int) -> bool:
        """Take an entry that was one too many in its minute; return whether that has just become an order storm."""
        if not self._storm.turned_away(symbol, time_ns) or self._failing_reason is not None:
            return False
        self._failing_reason = (
            f"order storm: again and again the strategy wants more entries in {symbol} than {ORDERS_PER_MINUTE} "
            "allows; look why it does, or set a higher limit"
        )
        return True

    def record(self, error: ErrorRecord) -> None:
        """Keep an error and call back."""
        self.errors.append(error)
        if self._callbacks.error is not None:
            try:
                self._callbacks.error(error)
            except Exception:  # noqa: BLE001  calling the error callback again would fail again
                self._counts["callback_errors"] += 1

    def callback_failed(self, error: Exception, place: str, time_ns: int) -> None:
        """Take an exception of a callback."""
        self._counts["callback_errors"] += 1
        self.record(ErrorRecord.of(error, place, time_ns))

    def _call_each(self, callback: Callable[[T], None] | None, items: Iterable[T], time_ns: int) -> None:
        if callback is None:
            return
        for item in items:
            try:
                callback(item)
            except Exception as error:  # noqa: BLE001  the border to code that is not ours: recorded, never fatal
                self.callback_failed(error, "callback", time_ns)
