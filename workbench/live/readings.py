"""What readers see of a running session: frozen records and bounded lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.live.bounded import BoundedLog
from workbench.live.timing import DurationHistogram

if TYPE_CHECKING:
    from workbench.live.open_orders import OpenOrder
    from workbench.live.records import LiveStep
    from workbench.model import AccountState, ClosedTrade, Denied, Fill, StepResult

__all__ = ["Readings"]


class Readings:
    """What a session publishes; written by its thread alone, read by any.

    Parameters
    ----------
    account : AccountState
        The account before the first event.
    capacity : int
        Length of each list.

    Attributes
    ----------
    steps, orders, journal, feed : DurationHistogram
        Real time of a step from a price to the published result, of an order from its sending to the exchange's
        answer, of a durable write of the journal, and of a price from the exchange's stamp to its arrival. They are
        thread-safe, so whoever measures records there.
    """

    def __init__(self, account: AccountState, capacity: int) -> None:
        # One reference to a frozen record: a reader gets the whole of one moment or the whole of another.
        self.account = account
        self.open_orders: tuple[OpenOrder, ...] = ()
        self.fills: BoundedLog[Fill] = BoundedLog(capacity)
        self.trades: BoundedLog[ClosedTrade] = BoundedLog(capacity)
        self.denials: BoundedLog[Denied] = BoundedLog(capacity)
        self.steps = DurationHistogram()
        self.orders = DurationHistogram()
        self.journal = DurationHistogram()
        self.feed = DurationHistogram()
        self.slow_steps = 0
        self.data_ns: int | None = None

    def restore(self, result: StepResult, time_ns: int) -> None:
        """Take what earlier processes of the session did, up to a time of the market in ns UTC."""
        self.fills.extend(result.fills)
        self.trades.extend(result.closed_trades)
        self.denials.extend(result.denials)
        self.account = result.snapshot
        self.data_ns = time_ns or None

    def take(self, step: LiveStep) -> None:
        """Take what a step did."""
        result = step.result
        self.fills.extend(result.fills)
        self.trades.extend(result.closed_trades)
        self.denials.extend(result.denials)
        self.account = result.snapshot
        # A command before the first price carries no time of its own.
        self.data_ns = max(self.data_ns or 0, step.time_ns)
